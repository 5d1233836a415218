import { type ChannelDetails, type Path, Payee_Clear, type PaymentParameters } from 'lightningdevkit'
import { toHex } from './bytes.ts'

/**
 * Gives every HTLC to one peer a block of expiry of its own. LDK 0.1.2 puts the HTLCs of a closed channel that expire at
 * one block into one claim, and that claim cannot be sent any more once the peer has taken one of them with its preimage
 * (lightningdevkit/rust-lightning#3859): who is paid twice could keep the other money open until what it was held for has
 * gone back. BOLT 4 allows `cltv_expiry` beyond what the recipient asks for, and LDK itself adds some to each route.
 *
 * `height` is our best block's. Changes the route's paths; false: there is no free block within the cap, so it must not
 * be sent.
 */
export function spreadExpiries(
  paths: readonly Path[],
  parameters: PaymentParameters,
  channels: readonly ChannelDetails[],
  height: number,
): boolean {
  const most = parameters.get_max_total_cltv_expiry_delta()
  const taken = new Map<string, Set<number>>()
  return paths.every((path) => {
    const { peer, total, least, lengthen } = measure(path, parameters)
    const expiries = taken.get(peer) ?? pendingExpiries(channels, peer, height)
    taken.set(peer, expiries)
    const free = freeDelta(total, least, most, expiries)
    if (free === null) return false
    expiries.add(free)
    lengthen(free - total)
    return true
  })
}

/** The nearest to `wanted` that is not taken, rather later than sooner; null: all from `least` to `most` are. */
export function freeDelta(
  wanted: number,
  least: number,
  most: number,
  taken: ReadonlySet<number>,
): number | null {
  for (let delta = wanted; delta <= most; delta++) if (!taken.has(delta)) return delta
  for (let delta = wanted - 1; delta >= least; delta--) if (!taken.has(delta)) return delta
  return null
}

/** As totals of a route that is sent now: LDK counts from the block after the best one. */
function pendingExpiries(channels: readonly ChannelDetails[], peer: string, height: number): Set<number> {
  const theirs = channels.filter((channel) => toHex(channel.get_counterparty().get_node_id()) === peer)
  const pending = theirs.flatMap((channel) => channel.get_pending_outbound_htlcs())
  return new Set(pending.map((htlc) => htlc.get_cltv_expiry() - height - 1))
}

/** `least` is without what LDK added at the end of the path, so that nobody on it can tell where it ends. */
function measure(path: Path, parameters: PaymentParameters) {
  const hops = path.get_hops()
  const [first, last] = [hops[0], hops.at(-1)]
  if (!first || !last) throw new Error('A path has hops.')
  const peer = toHex(first.get_pubkey())
  const inHops = hops.reduce((sum, hop) => sum + hop.get_cltv_expiry_delta(), 0)
  const payee = parameters.get_payee()
  if (payee instanceof Payee_Clear) {
    const delta = last.get_cltv_expiry_delta()
    const least = inHops - (delta - payee.final_cltv_expiry_delta)
    return { peer, total: inHops, least, lengthen: (by: number) => last.set_cltv_expiry_delta(delta + by) }
  }
  const tail = path.get_blinded_tail()
  const excess = tail.get_excess_final_cltv_expiry_delta()
  const lengthen = (by: number) => tail.set_excess_final_cltv_expiry_delta(excess + by)
  return { peer, total: inHops + excess, least: inHops, lengthen }
}
