import {
  Balance_ClaimableAwaitingConfirmations,
  Balance_ClaimableOnChannelClose,
  Balance_ContentiousClaimable,
  BalanceSource,
  type ChainMonitor,
  type ChannelManager,
  type ClaimedHTLC,
} from 'lightningdevkit'
import type { Hex } from '../../ports.ts'
import { toHex } from './bytes.ts'

/** HTLCs that are claimed with a transaction, because their channel was closed: their value in satoshi. */
export type OnChainParts = readonly string[]

/**
 * `contested`: our claim is not in a block, and after the HTLC's expiry the peer may be faster. `won`: it is in one.
 * `lost`: the peer's is.
 */
export type Contest = 'contested' | 'won' | 'lost'

/**
 * What becomes of claims on channels that are closed. LDK says `PaymentClaimed` as soon as it has the preimage; where the
 * channel was closed before, the money is ours only once a transaction says so (lnd #4587 is this mistake).
 */
export class OnChainClaims {
  readonly #manager: ChannelManager
  readonly #monitor: ChainMonitor

  constructor({ manager, chainMonitor }: { manager: ChannelManager; chainMonitor: ChainMonitor }) {
    this.#manager = manager
    this.#monitor = chainMonitor
  }

  /** Of the HTLCs of a payment that was claimed, those whose channel is closed. */
  partsOf(htlcs: readonly ClaimedHTLC[]): OnChainParts {
    const open = new Set(
      this.#manager.list_channels().map((channel) => toHex(channel.get_channel_id().get_a())),
    )
    return htlcs
      .filter((htlc) => !open.has(toHex(htlc.get_channel_id().get_a())))
      .map((htlc) => `${htlc.get_value_msat() / 1000n}`)
  }

  contestOf(paymentHash: Hex, parts: OnChainParts): Contest {
    const balances = this.#monitor.get_claimable_balances(this.#manager.list_channels())
    const isContested = balances.some(
      (balance) =>
        // The closing transaction itself is in no block yet; LDK does not say which HTLCs are in it.
        balance instanceof Balance_ClaimableOnChannelClose ||
        (balance instanceof Balance_ContentiousClaimable && toHex(balance.payment_hash) === paymentHash),
    )
    if (isContested) return 'contested'
    const won = balances
      .filter((balance) => balance instanceof Balance_ClaimableAwaitingConfirmations)
      .filter(({ source }) => source === BalanceSource.LDKBalanceSource_Htlc)
      .map((balance) => `${balance.amount_satoshis}`)
    return parts.every((part) => won.includes(part)) ? 'won' : 'lost'
  }
}
