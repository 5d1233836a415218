import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ContractWorld, isTrue } from '@holdfast/lightning/contract/contract-world'
import { lastingPort } from '@holdfast/lightning/lasting-port'
import {
  type LdkHost,
  type LdkLog,
  type LdkNode,
  type LdkNodeOptions,
  type StartLink,
  startLdkHost,
} from '@holdfast/lightning/ldk'
import { prepareFaucet } from '../chain/faucet.ts'
import { type BitcoinRpc, makeBitcoinRpc } from '../chain/rpc-client.ts'

export const NODE_NAMES = ['payer', 'hub', 'payee'] as const
export type NodeName = (typeof NODE_NAMES)[number]

const CHANNEL_SAT = 10_000_000n
const MOST_LOGGED = 200

export type LdkWorld = ContractWorld & {
  readonly payer: LdkNode
  readonly payee: LdkNode
  readonly hub: LdkNode
  readonly host: LdkHost
  readonly rpc: BitcoinRpc
  readonly folder: string
  /** Of the chain, with credentials. */
  readonly url: string
  /** What the host reported, newest last. */
  readonly logged: string[]
  optionsOf(name: NodeName): LdkNodeOptions
  /** Opens a stopped node again from its file. */
  open(name: NodeName): Promise<LdkNode>
  usable(): Promise<void>
  stopHost(): Promise<void>
  /** A new host with the same nodes on the same ports. */
  startHost(): Promise<void>
}

export type LdkWorldParts = {
  /** A chain on regtest; its wallet pays the faucet. */
  startChain: (folder: string) => Promise<{ url: string; stop(): Promise<void> }>
  startLink?: StartLink
}

/** payer — hub — payee, 10,000,000 sat each, half of it on either side. The users' channels are not announced. */
export async function makeLdkWorld({ startChain, startLink }: LdkWorldParts): Promise<LdkWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-ldk-'))
  const chain = await startChain(join(folder, 'chain'))
  const rpc = makeBitcoinRpc(chain.url)
  await prepareFaucet(rpc)
  const logged: string[] = []
  const note = (level: string) => (message: string, data?: object) => {
    logged.push(`${level} ${message} ${data ? Object.values(data).join(' ') : ''}`)
    if (logged.length > MOST_LOGGED) logged.shift()
  }
  const log: LdkLog = { info: note('info'), warn: note('warn'), error: note('error') }
  const startHost = () => startLdkHost({ network: 'regtest', bitcoind: { url: chain.url }, log }, startLink)
  let host = await startHost()

  /** Peers remember each other's addresses, so a node must come back on its port. */
  const ports = {
    payer: await lastingPort(),
    hub: await lastingPort(),
    payee: await lastingPort(),
  }
  const open = (name: NodeName) => host.openNode(optionsOf(name))
  const optionsOf = (name: NodeName): LdkNodeOptions => ({
    folder: join(folder, name),
    seed: createHash('sha256').update(`seed of ${name}`).digest(),
    alias: name,
    listen: { host: '127.0.0.1', port: ports[name] },
    keepProofs: name === 'payer',
  })
  const nodes = {
    payer: await open('payer'),
    hub: await open('hub'),
    payee: await open('payee'),
  }
  const mine = async (blocks: number) => {
    // To the same address bitcoind, ahead of its clock, would find the very block again that `invalidateblock` has ruled out.
    await rpc.generateToAddress(blocks, await rpc.getNewAddress())
    await Promise.all(NODE_NAMES.map((name) => nodes[name].sync()))
  }
  const usable = async () => {
    await isTrue('all channels are usable', async () => {
      const channels = (await Promise.all(NODE_NAMES.map((name) => nodes[name].listChannels()))).flat()
      return channels.length === 4 && channels.every((channel) => channel.usable)
    })
  }

  await rpc.sendToAddress(await nodes.hub.newAddress(), CHANNEL_SAT * 2n + 100_000n)
  await mine(1)
  for (const [name, announce] of [
    ['payer', true],
    ['payee', false],
  ] as const) {
    const peer = nodes[name]
    await nodes.hub.connect(peer.nodeId, peer.listening?.host ?? '', peer.listening?.port ?? 0)
    const pushMsat = (CHANNEL_SAT / 2n) * 1000n
    await nodes.hub.openChannel({ peer: peer.nodeId, amountSat: CHANNEL_SAT, pushMsat, announce })
    await mine(1)
  }
  await mine(6)
  await usable()
  await isTrue('the public channel is in the graph, and the hub announced', async () => {
    const [channel] = (await nodes.hub.listChannels()).filter((open) => open.announced)
    return channel?.shortChannelId != null && nodes.payer.knowsChannel(channel.shortChannelId)
  })

  return {
    ...{ rpc, folder, url: chain.url, logged, optionsOf, mine, usable },
    get host() {
      return host
    },
    get payer() {
      return nodes.payer
    },
    get hub() {
      return nodes.hub
    },
    get payee() {
      return nodes.payee
    },
    height: () => rpc.getBlockCount(),
    async open(name) {
      nodes[name] = await open(name)
      return nodes[name]
    },
    stopHost: () => host.stop(),
    async startHost() {
      host = await startHost()
      for (const name of NODE_NAMES) nodes[name] = await open(name)
    },
    async stop() {
      await host.stop()
      await chain.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
