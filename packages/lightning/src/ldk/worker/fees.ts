import { ConfirmationTarget } from 'lightningdevkit'
import type { Network } from '../../ports.ts'
import type { BitcoinRpc } from './bitcoin-rpc.ts'

/** LDK refuses less: 253 sat per 1,000 weight units is 1 sat per virtual byte, rounded up. */
export const FLOOR_SAT_PER_KW = 253
const REFRESH_MS = 60_000

const TARGET_BLOCKS = { urgent: 2, normal: 6, slow: 144 } as const
type Speed = keyof typeof TARGET_BLOCKS

/** Until the chain can tell: a transaction that cannot confirm costs more than one that pays too much. */
const UNTIL_TOLD = { urgent: 5_000, normal: 2_000, slow: 500 } as const
const ON_REGTEST = { urgent: FLOOR_SAT_PER_KW, normal: FLOOR_SAT_PER_KW, slow: FLOOR_SAT_PER_KW } as const

/** Fee rates by confirmation target, kept fresh from the chain; what it told last while it cannot tell. */
export class FeeRates {
  readonly #rpc: Pick<BitcoinRpc, 'feeRate'>
  readonly #rates: Record<Speed, number>
  #refreshedAt = Number.NEGATIVE_INFINITY

  constructor(rpc: Pick<BitcoinRpc, 'feeRate'>, network: Network) {
    this.#rpc = rpc
    this.#rates = { ...(network === 'regtest' ? ON_REGTEST : UNTIL_TOLD) }
  }

  async refresh(now: number): Promise<void> {
    if (now - this.#refreshedAt < REFRESH_MS) return
    this.#refreshedAt = now
    for (const speed of ['urgent', 'normal', 'slow'] as const) {
      const rate = await this.#rpc.feeRate(TARGET_BLOCKS[speed])
      if (rate !== null) this.#rates[speed] = Math.max(rate, FLOOR_SAT_PER_KW)
    }
  }

  get normal(): number {
    return this.#rates.normal
  }

  /** sat per 1,000 weight units. */
  for(target: ConfirmationTarget): number {
    switch (target) {
      case ConfirmationTarget.LDKConfirmationTarget_MaximumFeeEstimate:
        return this.#rates.urgent * 2
      case ConfirmationTarget.LDKConfirmationTarget_UrgentOnChainSweep:
        return this.#rates.urgent
      // What a peer must at least offer: below the slowest estimate the commitment might never confirm, but a peer
      // that sees other estimates than we do must not cost us the channel.
      case ConfirmationTarget.LDKConfirmationTarget_MinAllowedAnchorChannelRemoteFee:
      case ConfirmationTarget.LDKConfirmationTarget_MinAllowedNonAnchorChannelRemoteFee:
        return Math.max(FLOOR_SAT_PER_KW, Math.floor(this.#rates.slow / 2))
      case ConfirmationTarget.LDKConfirmationTarget_AnchorChannelFee:
      case ConfirmationTarget.LDKConfirmationTarget_NonAnchorChannelFee:
        return this.#rates.normal
      case ConfirmationTarget.LDKConfirmationTarget_ChannelCloseMinimum:
      case ConfirmationTarget.LDKConfirmationTarget_OutputSpendingFee:
        return this.#rates.slow
    }
  }
}
