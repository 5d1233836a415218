import { type ChannelDetails, type ChannelManager, type Option_u64Z, Option_u64Z_Some } from 'lightningdevkit'
import type { ChannelInfo } from '../types.ts'
import { displayHash, toHex } from './bytes.ts'

function some(option: Option_u64Z): bigint | null {
  return option instanceof Option_u64Z_Some ? option.some : null
}

export function listChannels(manager: ChannelManager): ChannelInfo[] {
  return manager.list_channels().map(describeChannel)
}

function describeChannel(channel: ChannelDetails): ChannelInfo {
  const fundingTxid = txidOfFunding(channel)
  const confirmations = channel.get_confirmations()
  return {
    channelId: toHex(channel.get_channel_id().get_a()),
    peer: toHex(channel.get_counterparty().get_node_id()),
    fundingTxid,
    shortChannelId: some(channel.get_short_channel_id()),
    capacitySat: channel.get_channel_value_satoshis(),
    balanceMsat: balanceMsat(channel),
    outboundMsat: channel.get_outbound_capacity_msat(),
    inboundMsat: channel.get_inbound_capacity_msat(),
    announced: Boolean(channel.get_is_announced()),
    ready: Boolean(channel.get_is_channel_ready()),
    usable: Boolean(channel.get_is_usable()),
    confirmations: 'some' in confirmations ? Number(confirmations.some) : 0,
  }
}

/**
 * Our side of a channel to the msat. LDK tells capacities, from which reserves and pending HTLCs are already taken
 * and which stop at zero; but one side at least stands above its reserve, and from that side the other follows.
 */
function balanceMsat(channel: ChannelDetails): bigint {
  const outbound = channel.get_outbound_capacity_msat()
  const ownReserve = (some(channel.get_unspendable_punishment_reserve()) ?? 0n) * 1000n
  if (outbound > 0n) return outbound + ownReserve
  const inbound = channel.get_inbound_capacity_msat()
  const peerReserve = channel.get_counterparty().get_unspendable_punishment_reserve() * 1000n
  if (inbound === 0n) return 0n
  const pending = [
    ...channel.get_pending_inbound_htlcs().map((htlc) => htlc.get_amount_msat()),
    ...channel.get_pending_outbound_htlcs().map((htlc) => htlc.get_amount_msat()),
  ].reduce((sum, amount) => sum + amount, 0n)
  return channel.get_channel_value_satoshis() * 1000n - inbound - peerReserve - pending
}

function txidOfFunding(channel: ChannelDetails): string | null {
  // A null pointer stands for "not funded yet"; asking it for its txid would be a null dereference in WASM.
  const outpoint = channel.get_funding_txo()
  return isNull(outpoint) ? null : displayHash(outpoint.get_txid())
}

/** Whether an object of the bindings stands for `None`. */
export function isNull(object: unknown): boolean {
  const pointer = (object as { ptr?: bigint | number } | null)?.ptr
  return pointer === undefined || BigInt(pointer) === 0n
}
