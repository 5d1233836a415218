import { isIPv4 } from 'node:net'
import {
  type ChannelManager,
  type NetworkGraph,
  NodeId,
  Option_NodeAnnouncementInfoZ_Some,
  type PeerManager,
  type ReadOnlyNetworkGraph,
  SocketAddress,
} from 'lightningdevkit'
import type { Hex } from '../../ports.ts'
import { fromHex } from './bytes.ts'
import { isNull, listChannels } from './channels.ts'

const UNTIL_HEARD_MS = 2_000
const PERIODICALLY_MS = 60 * 60 * 1000
/** BOLT 7: a channel is announced with its sixth confirmation. */
const ANNOUNCED_AT_CONFIRMATIONS = 6
const GOSSIP_HEALED_AFTER_MS = 5_000

/** Whether a route through the public channel can be found in either direction. */
export function hasBothDirections(view: ReadOnlyNetworkGraph, shortChannelId: bigint): boolean {
  const channel = view.channel(shortChannelId)
  return !isNull(channel) && !isNull(channel.get_one_to_two()) && !isNull(channel.get_two_to_one())
}

type AnnouncerParts = {
  manager: ChannelManager
  peerManager: PeerManager
  graph: NetworkGraph
  nodeId: Hex
  alias: string
  now: () => number
}

/**
 * Announces the node, without which nobody can send it an onion message, and heals channels whose announcement was
 * lost: a peer that hears of the sixth confirmation first drops our early `announcement_signatures`, and only a
 * reconnection makes LDK send them again.
 */
export class Announcer {
  readonly #parts: AnnouncerParts
  #addresses: SocketAddress[] = []
  #announcedAt = Number.NEGATIVE_INFINITY
  readonly #missingSince = new Map<bigint, number>()

  constructor(parts: AnnouncerParts) {
    this.#parts = parts
  }

  listening(address: { host: string; port: number } | null): void {
    if (address && isIPv4(address.host))
      this.#addresses = [
        SocketAddress.constructor_tcp_ip_v4(
          Uint8Array.from(address.host.split('.').map(Number)),
          address.port,
        ),
      ]
  }

  tick(): void {
    const { manager, peerManager, graph, nodeId, now } = this.#parts
    const channels = listChannels(manager).filter(
      (channel) => channel.announced && channel.ready && channel.confirmations >= ANNOUNCED_AT_CONFIRMATIONS,
    )
    if (channels.length === 0) return
    // The lock on the graph is given back at once: LDK panics when the graph is written while one is out.
    const view = graph.read_only()
    const node = view.node(NodeId.constructor_from_pubkey(fromHex(nodeId)))
    const heard = !isNull(node) && node.get_announcement_info() instanceof Option_NodeAnnouncementInfoZ_Some
    const missing = channels.filter(
      ({ shortChannelId }) => shortChannelId !== null && !hasBothDirections(view, shortChannelId),
    )
    view.free()

    if (now() - this.#announcedAt >= (heard ? PERIODICALLY_MS : UNTIL_HEARD_MS)) {
      this.#announcedAt = now()
      const alias = new Uint8Array(32)
      alias.set(new TextEncoder().encode(this.#parts.alias).subarray(0, 32))
      peerManager.broadcast_node_announcement(fromHex(nodeId).slice(1, 4), alias, this.#addresses)
    }
    for (const { shortChannelId, peer } of missing) {
      if (shortChannelId === null) continue
      const since = this.#missingSince.get(shortChannelId)
      if (since === undefined) this.#missingSince.set(shortChannelId, now())
      else if (since + GOSSIP_HEALED_AFTER_MS <= now()) {
        this.#missingSince.set(shortChannelId, Number.POSITIVE_INFINITY)
        peerManager.disconnect_by_node_id(fromHex(peer))
      }
    }
  }
}
