import type { Msat } from '../money.ts'
import { routingFeeLimit } from './fees.ts'
import type { MilestoneState, Phase } from './milestone-states.ts'

/**
 * Where the buyer's money is. `returning`: it is being failed back, or kept from arriving. `owed`: the operator has it
 * and owes it to the buyer. `over`: it is with whom the phase says, for good as far as buyer and worker are concerned.
 */
export type Standing = 'unfunded' | 'funding' | 'locked' | 'claiming' | 'returning' | 'owed' | 'over'

const STANDING: Record<Phase, Standing> = {
  planned: 'unfunded',
  'awaiting-invoice': 'unfunded',
  'ready-to-fund': 'unfunded',
  'awaiting-funds': 'funding',
  closing: 'returning',
  held: 'locked',
  'proof-submitted': 'locked',
  disputed: 'locked',
  releasing: 'locked',
  'payout-unknown': 'locked',
  claiming: 'claiming',
  released: 'over',
  refunding: 'returning',
  refunded: 'over',
  premature: 'owed',
  repaying: 'owed',
  repaid: 'over',
  lost: 'over',
  expired: 'over',
  cancelled: 'over',
}

export function standingOf({ phase }: Pick<MilestoneState, 'phase'>): Standing {
  return STANDING[phase]
}

/** Nothing more will happen to it. */
export function hasEnded(milestone: MilestoneState): boolean {
  return standingOf(milestone) === 'over'
}

/** Money of the buyer was locked for it. */
export function wasFunded(milestone: MilestoneState): boolean {
  return 'heldMsat' in milestone || 'owedMsat' in milestone
}

/** The height at which the guardian must look at it, or null: no block changes anything. */
export function milestoneGuardianHeight(milestone: MilestoneState): number | null {
  const { phase } = milestone
  if (phase === 'releasing')
    return milestone.payout === null ? milestone.schedule.latestPayoutHeight + 1 : null
  const isWorking = phase === 'held' || phase === 'proof-submitted' || phase === 'disputed'
  return isWorking ? milestone.schedule.guardianHeight : null
}

/**
 * The payment hash on which a preimage would be accepted just now: the buyer's money may be locked and the worker has
 * not been paid, so that a preimage that is known already was given away. Null: there is nothing to claim with one.
 */
export function acceptsPreimage(milestone: MilestoneState): string | null {
  const standing = standingOf(milestone)
  const isLocked = standing === 'locked' || standing === 'returning'
  return isLocked && 'paymentHash' in milestone ? milestone.paymentHash : null
}

/**
 * The payment hash of a hold that the operator's node has claimed, and might still lose as far as the milestone knows; null:
 * there is none.
 */
export function claimedHash(milestone: MilestoneState): string | null {
  const { phase } = milestone
  if (phase === 'released') return milestone.paymentHash
  const isOwed = phase === 'premature' || phase === 'repaying' || phase === 'repaid'
  return isOwed && !milestone.claimLost ? milestone.paymentHash : null
}

/**
 * It was claimed before the release with the preimage of its worker's invoice, which only the worker's wallet should have
 * known. What of it is owed or repaid changes nothing; where the operator's node knows the preimage, nobody is marked.
 */
export function marksWorker(milestone: MilestoneState): boolean {
  return milestone.custody === 'hash-locked' && 'owedMsat' in milestone
}

/** An HTLC of the operator's node is taken by it, or may be any moment. */
export function hasOpenHold(milestone: MilestoneState): boolean {
  const standing = standingOf(milestone)
  return standing !== 'unfunded' && standing !== 'owed' && standing !== 'over'
}

/** The buyer's HTLC was accepted for it and is not gone yet. */
export function takesPlace(milestone: MilestoneState): boolean {
  return hasOpenHold(milestone) && 'heldMsat' in milestone
}

/** What paying its worker may cost, routing included. */
export function payoutCostMsat({ terms }: Pick<MilestoneState, 'terms'>): Msat {
  return terms.payoutMsat + terms.routingFeeLimitMsat
}

/**
 * What the operator's node must still be able to send for it, routing included. Nothing before the buyer's money is
 * there: an invoice costs whoever asks for it nothing.
 */
export function committedMsat(milestone: MilestoneState): Msat {
  const standing = standingOf(milestone)
  if ('owedMsat' in milestone && standing === 'owed') {
    return milestone.owedMsat + routingFeeLimit(milestone.owedMsat, milestone.terms.feeMsat)
  }
  return standing === 'locked' ? payoutCostMsat(milestone) : 0n
}
