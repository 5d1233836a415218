import { setTimeout as sleep } from 'node:timers/promises'
import type { LdkNode } from '@holdfast/lightning/ldk'
import type { BitcoinRpc } from '../chain/rpc-client.ts'

/** Each channel carries this much, half of it on either side, so that both can pay at once. */
export const CHANNEL_SAT = 10_000_000n
const FUNDING_FEE_RESERVE_SAT = 20_000n
const CONFIRMATIONS = 6
const USABLE_WITHIN_MS = 30_000

type Peer = { node: LdkNode; announce: boolean }

/**
 * Gives every peer a balanced channel with the hub. Safe to run again after a crash at any point: a channel that
 * exists is left alone, and coins that the hub already holds are not asked of the faucet twice.
 */
export async function openMissingChannels(rpc: BitcoinRpc, hub: LdkNode, peers: Peer[]): Promise<void> {
  for (const { node } of peers) {
    if (!node.listening) throw new Error(`Node ${node.nodeId} does not listen.`)
    await hub.connect(node.nodeId, node.listening.host, node.listening.port)
  }
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
  await confirmUntilUsable(rpc, hub, peers)
}

async function fundHub(rpc: BitcoinRpc, hub: LdkNode, channels: number) {
  const perChannel = CHANNEL_SAT + FUNDING_FEE_RESERVE_SAT
  const { onchainSat } = await hub.funds.balance()
  const lacking = channels - Number(onchainSat / perChannel)
  if (lacking <= 0) return
  const address = await hub.newAddress()
  for (let coin = 0; coin < lacking; coin++) await rpc.sendToAddress(address, perChannel)
  await rpc.generate(1)
  await hub.sync()
}

/**
 * Mines block by block with every node in step. A node that hears of the sixth confirmation before its peer drops
 * the peer's early announcement_signatures, and half of the channel would then be missing from gossip.
 */
async function confirmUntilUsable(rpc: BitcoinRpc, hub: LdkNode, peers: Peer[]) {
  const nodes = [hub, ...peers.map((peer) => peer.node)]
  const deadline = Date.now() + USABLE_WITHIN_MS
  for (let mined = 0; ; ) {
    const usable = new Set((await hub.listChannels()).filter((c) => c.usable).map((c) => c.peer))
    if (peers.every((peer) => usable.has(peer.node.nodeId))) return
    if (Date.now() > deadline)
      throw new Error(`Channels of the devnet were not usable within ${USABLE_WITHIN_MS} ms.`)
    if (mined < CONFIRMATIONS) {
      await rpc.generate(1)
      mined++
      await Promise.all(nodes.map((node) => node.sync()))
    } else {
      await sleep(20)
    }
  }
}
