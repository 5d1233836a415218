import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type LdkHost, type LdkLog, type LdkNode, startLdkHost } from '@holdfast/lightning/ldk'
import { startChain } from '../chain/chain-server.ts'
import { startMiner } from '../chain/miner.ts'
import { makeBitcoinRpc } from '../chain/rpc-client.ts'
import { writeFileDurably } from '../durable-file.ts'
import { openMissingChannels, untilInGraph } from './channels.ts'
import { openDevice } from './device.ts'
import { type RunningDevice, serveDevices } from './devices-server.ts'
import { prepareBitcoind } from './prepare-bitcoind.ts'
import { WorldError } from './world-error.ts'

export type WorldOptions = {
  /** Everything durable of the devnet: blocks, node states, devices. */
  folder: string
  /** URL with credentials of a bitcoind on regtest; absent: the embedded chain. */
  bitcoindUrl?: string
  /** 0: blocks only when asked for. */
  blockIntervalMs: number
  /** Names of the users, each with a device and a node. */
  users: readonly string[]
  log: LdkLog
}

export type World = {
  /** URL with credentials of the chain that the nodes follow. */
  readonly bitcoindUrl: string
  readonly host: LdkHost
  readonly operator: LdkNode
  readonly hub: LdkNode
  readonly users: ReadonlyMap<string, RunningDevice>
  /** The node of the user with this Nostr public key. */
  nodeOf(pubkey: string): LdkNode | null
  stop(): Promise<void>
}

/**
 * A Lightning world in one process: a regtest chain, a hub, the operator's node and one node per user, each with a
 * balanced channel to the hub. Kept in `folder`; started again, it goes on where it stopped, also after a kill -9.
 * A user whose node's file cannot be read keeps nobody else from starting: that node is offline until it can be.
 * Throws `WorldError` when the bitcoind that was given cannot be used, or a node that is needed goes down.
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { folder, log } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const reportFaultOf = (part: string) => (fault: unknown) =>
    log.error(`The devnet's ${part} had a fault; it goes on.`, { reason: String(fault) })
  const undo: (() => Promise<unknown>)[] = []
  const stop = async () => {
    const failures: unknown[] = []
    for (const step of undo.splice(0).reverse()) await step().catch((error) => failures.push(error))
    // What one part left undone must not keep the others, such as the chain's folder, from being released.
    if (failures.length > 0) throw failures[0]
  }
  try {
    let { bitcoindUrl } = options
    if (bitcoindUrl === undefined) {
      const chain = await startChain({ folder: join(folder, 'chain'), onFault: reportFaultOf('chain') })
      undo.push(() => chain.stop())
      bitcoindUrl = chain.url
    }
    await prepareBitcoind(bitcoindUrl)
    const rpc = makeBitcoinRpc(bitcoindUrl)
    const host = await startLdkHost({
      network: 'regtest',
      bitcoind: { url: bitcoindUrl },
      graphFile: join(folder, 'network-graph'),
      log,
    })
    undo.push(() => host.stop())

    const open = async (name: string, whose: 'ours' | 'a user’s') => {
      const isUsers = whose === 'a user’s'
      const device = openDevice(join(folder, 'devices', name), name)
      const node = await host.openNode(
        {
          folder: join(device.folder, 'node'),
          seed: device.seed,
          alias: name,
          listen: { host: '127.0.0.1', port: 0 },
          keepProofs: isUsers,
        },
        { evenDown: isUsers },
      )
      return { device, node }
    }
    const hub = (await open('hub', 'ours')).node
    const operator = (await open('operator', 'ours')).node
    const users = new Map<string, RunningDevice>()
    for (const name of options.users) users.set(name, await open(name, 'a user’s'))

    const down = new Set(host.faults().map(({ nodeId }) => nodeId))
    const userNodes = [...users.values()].map((user) => user.node).filter((node) => !down.has(node.nodeId))
    const peers = [
      { node: operator, announce: true },
      ...userNodes.map((node) => ({ node, announce: false })),
    ]
    await openMissingChannels(rpc, hub, peers, () => host.faults())

    const miner = startMiner(rpc, { intervalMs: options.blockIntervalMs, onFault: reportFaultOf('miner') })
    undo.push(() => miner.stop())
    // With the miner running: on a real bitcoind it takes a block.
    if (!(await untilInGraph(hub, operator)))
      log.warn(
        'The operator’s channel is not in the network graph yet; until it is, nobody finds a route to it.',
      )
    const devices = await serveDevices(users, reportFaultOf('devices'))
    undo.push(() => devices.stop())
    const { url, token } = devices
    writeFileDurably(join(folder, 'devices.json'), `${JSON.stringify({ url, token })}\n`, 0o600)

    const byPubkey = new Map([...users.values()].map(({ device, node }) => [device.pubkey, node]))
    return { bitcoindUrl, host, operator, hub, users, nodeOf: (pubkey) => byPubkey.get(pubkey) ?? null, stop }
  } catch (cause) {
    await stop().catch((error) =>
      log.error('A part of the devnet did not end well.', { reason: String(error) }),
    )
    throw cause instanceof WorldError ? cause : new Error('The devnet could not be started.', { cause })
  }
}
