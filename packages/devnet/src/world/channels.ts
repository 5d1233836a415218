import { setTimeout as sleep } from 'node:timers/promises'
import { NodeError } from '@holdfast/lightning'
import type { LdkHost, LdkNode } from '@holdfast/lightning/ldk'
import { payFromFaucet } from '../chain/faucet.ts'
import type { BitcoinRpc } from '../chain/rpc-client.ts'
import { WorldError } from './world-error.ts'

/** Each channel carries this much, half of it on either side, so that both can pay at once. */
export const CHANNEL_SAT = 10_000_000n
const FUNDING_FEE_RESERVE_SAT = 20_000n
const CONFIRMATIONS = 6
/** For what hangs: on a busy machine a node may need many seconds to answer its peers. */
const USABLE_WITHIN_MS = 120_000
/** A node whose announcement was lost makes it heard again with the next block, or after some six seconds. */
const IN_GRAPH_WITHIN_MS = 30_000
const PAUSE_MS = 20

type Peer = { node: LdkNode; announce: boolean }
type Faults = LdkHost['faults']

/**
 * Gives every peer a balanced channel with the hub. Safe to run again after a crash at any point: a channel that
 * exists is left alone, and coins that the hub already holds are not asked of the faucet twice. Throws `WorldError` when
 * one of them goes down meanwhile.
 */
export async function openMissingChannels(
  rpc: BitcoinRpc,
  hub: LdkNode,
  peers: Peer[],
  faults: Faults,
): Promise<void> {
  for (const { node } of peers) await connectPatiently(hub, node, faults)
  const existing = new Set((await hub.listChannels()).map((channel) => channel.peer))
  const missing = peers.filter((peer) => !existing.has(peer.node.nodeId))
  if (missing.length > 0) {
    await fundHub(rpc, hub, missing.length)
    // At most four unfunded channels per peer; each of these is with another peer, so they may open side by side.
    await Promise.all(
      missing.map((peer) =>
        hub.openChannel({
          peer: peer.node.nodeId,
          amountSat: CHANNEL_SAT,
          pushMsat: (CHANNEL_SAT / 2n) * 1000n,
          announce: peer.announce,
        }),
      ),
    )
  }
  const unconfirmed = (await hub.listChannels()).some((channel) => channel.confirmations < CONFIRMATIONS)
  if (unconfirmed) await confirm(rpc, [hub, ...peers.map(({ node }) => node)])
  await untilUsable(hub, peers, faults)
}

/**
 * Waits until routes can lead through the hub's public channel with `peer`; answers whether they can. The graph is a
 * cache that is written now and then: after a kill -9 it may have to be learnt again from the announcements.
 */
export async function untilInGraph(hub: LdkNode, peer: LdkNode): Promise<boolean> {
  const deadline = Date.now() + IN_GRAPH_WITHIN_MS
  while (Date.now() < deadline) {
    const channels = (await hub.listChannels()).filter((channel) => channel.peer === peer.nodeId)
    for (const { shortChannelId } of channels)
      if (shortChannelId !== null && (await hub.knowsChannel(shortChannelId))) return true
    await sleep(PAUSE_MS)
  }
  return false
}

/** All of these nodes run in this process: one that does not answer in time is only busy. */
async function connectPatiently(hub: LdkNode, node: LdkNode, faults: Faults): Promise<void> {
  const { nodeId, listening } = node
  if (!listening) throw new Error(`Node ${nodeId} does not listen.`)
  const deadline = Date.now() + USABLE_WITHIN_MS
  while (true) {
    try {
      return await hub.connect(nodeId, listening.host, listening.port)
    } catch (error) {
      const isBusy = error instanceof NodeError && error.code === 'offline'
      if (!isBusy || Date.now() > deadline) throw error
    }
    refuseDown([hub, node], faults)
    await sleep(PAUSE_MS)
  }
}

async function fundHub(rpc: BitcoinRpc, hub: LdkNode, channels: number) {
  const perChannel = CHANNEL_SAT + FUNDING_FEE_RESERVE_SAT
  const { onchainSat } = await hub.funds.balance()
  const lacking = channels - Number(onchainSat / perChannel)
  if (lacking <= 0) return
  // One coin per channel, so that no funding has to wait for another one's change to confirm.
  const address = await hub.newAddress()
  await payFromFaucet(
    rpc,
    Array.from({ length: lacking }, () => ({ address, amountSat: perChannel })),
  )
  await hub.sync()
}

/**
 * Mines block by block with every node in step. A node that hears of the sixth confirmation before its peer drops
 * the peer's early announcement_signatures, and half of the channel would then be missing from gossip.
 */
async function confirm(rpc: BitcoinRpc, nodes: LdkNode[]) {
  for (let mined = 0; mined < CONFIRMATIONS; mined++) {
    await rpc.generate(1)
    await Promise.all(nodes.map((node) => node.sync()))
  }
}

async function untilUsable(hub: LdkNode, peers: Peer[], faults: Faults) {
  const deadline = Date.now() + USABLE_WITHIN_MS
  while (true) {
    const usable = new Set((await hub.listChannels()).filter((c) => c.usable).map((c) => c.peer))
    if (peers.every(({ node }) => usable.has(node.nodeId))) return
    if (Date.now() > deadline)
      throw new Error(`The channels of the devnet were not usable within ${USABLE_WITHIN_MS} ms.`)
    refuseDown([hub, ...peers.map(({ node }) => node)], faults)
    await sleep(PAUSE_MS)
  }
}

/** One that is down stays so until its file can be read again: waiting for it would be in vain. */
function refuseDown(nodes: LdkNode[], faults: Faults) {
  const down = faults().find((fault) => nodes.some(({ nodeId }) => nodeId === fault.nodeId))
  if (down)
    throw new WorldError(
      `The Lightning node ${down.nodeId} of the devnet went down: ${down.reason.replace(/\.$/, '')}. Mend that and start again.`,
    )
}
