import { type Msat, proportionalFee } from '../money.ts'

/** What the platform takes of a release; the operator's routing costs come out of it. */
export type FeePolicy = {
  readonly fixedMsat: Msat
  readonly ppm: bigint
  /** The fee is never more. */
  readonly capMsat: Msat
}

/** As an operator says it: whole satoshi. */
export function feePolicy(said: { fixedSat: number; ppm: number; capSat: number }): FeePolicy {
  return {
    fixedMsat: BigInt(said.fixedSat) * 1_000n,
    ppm: BigInt(said.ppm),
    capMsat: BigInt(said.capSat) * 1_000n,
  }
}

/**
 * The difference between what the buyer locks and what the worker is paid: fixed + proportional, capped. It is known
 * and shown before funding; a refund costs none of it.
 */
export function platformFee(payoutMsat: Msat, policy: FeePolicy): Msat {
  const fee = policy.fixedMsat + proportionalFee(payoutMsat, { ppm: policy.ppm })
  return fee < policy.capMsat ? fee : policy.capMsat
}

/** What a buyer is shown before anything is agreed. */
export type Quote = {
  readonly payoutMsat: Msat
  readonly feeMsat: Msat
  /** What the buyer locks: the payout and the fee. */
  readonly fundingMsat: Msat
}

export function quote(payoutMsat: Msat, policy: FeePolicy): Quote {
  const feeMsat = platformFee(payoutMsat, policy)
  return { payoutMsat, feeMsat, fundingMsat: payoutMsat + feeMsat }
}

/** What routing a payout may cost: 0.2 %, at least 10 satoshi. */
export function routingFeeLimit(payoutMsat: Msat): Msat {
  const proportional = proportionalFee(payoutMsat, { ppm: 2_000n })
  return proportional > 10_000n ? proportional : 10_000n
}
