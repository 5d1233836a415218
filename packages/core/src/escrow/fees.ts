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

/**
 * What routing a payment of the operator's node may cost: 0.2 %, at least 10 satoshi, and never more than the
 * platform's fee. Else a buyer and a worker who are one could have the operator pay for a route through a node of
 * theirs, again and again, and gain by each escrow what the fee does not cover.
 */
export function routingFeeLimit(amountMsat: Msat, feeMsat: Msat): Msat {
  const proportional = proportionalFee(amountMsat, { ppm: 2_000n })
  const usual = proportional > 10_000n ? proportional : 10_000n
  return usual < feeMsat ? usual : feeMsat
}
