import type { Msat } from '../money.ts'
import { routingFeeLimit } from './fees.ts'
import type { MilestoneState } from './milestone-states.ts'

/** Nothing more will happen to it, and no money is anywhere but where the phase says. */
export function hasEnded({ phase }: MilestoneState): boolean {
  switch (phase) {
    case 'released':
    case 'refunded':
    case 'repaid':
    case 'lost':
    case 'expired':
    case 'cancelled':
      return true
    case 'planned':
    case 'awaiting-invoice':
    case 'ready-to-fund':
    case 'awaiting-funds':
    case 'closing':
    case 'held':
    case 'proof-submitted':
    case 'disputed':
    case 'releasing':
    case 'payout-unknown':
    case 'claiming':
    case 'refunding':
    case 'premature':
    case 'repaying':
      return false
  }
}

/** Money of the buyer was locked for it. */
export function wasFunded(milestone: MilestoneState): boolean {
  return 'heldMsat' in milestone || 'owedMsat' in milestone
}

/** The height at which the guardian must look at it, or null: no block changes anything. */
export function milestoneGuardianHeight(milestone: MilestoneState): number | null {
  switch (milestone.phase) {
    case 'held':
    case 'proof-submitted':
    case 'disputed':
      return milestone.schedule.guardianHeight
    case 'releasing':
      return milestone.payout === null ? milestone.schedule.latestPayoutHeight + 1 : null
    case 'planned':
    case 'awaiting-invoice':
    case 'ready-to-fund':
    case 'awaiting-funds':
    case 'closing':
    case 'payout-unknown':
    case 'claiming':
    case 'released':
    case 'refunding':
    case 'refunded':
    case 'premature':
    case 'repaying':
    case 'repaid':
    case 'lost':
    case 'expired':
    case 'cancelled':
      return null
  }
}

/**
 * The payment hash on which a preimage would be accepted just now: the buyer's money is locked and the worker has not
 * been paid, so that a preimage that is known already was given away. Null: there is nothing to claim with one.
 */
export function acceptsPreimage(milestone: MilestoneState): string | null {
  switch (milestone.phase) {
    case 'held':
    case 'proof-submitted':
    case 'disputed':
    case 'releasing':
    case 'payout-unknown':
    case 'refunding':
      return milestone.paymentHash
    case 'planned':
    case 'awaiting-invoice':
    case 'ready-to-fund':
    case 'awaiting-funds':
    case 'closing':
    case 'claiming':
    case 'released':
    case 'refunded':
    case 'premature':
    case 'repaying':
    case 'repaid':
    case 'lost':
    case 'expired':
    case 'cancelled':
      return null
  }
}

/** What the operator's node must still be able to send for it, routing included. */
export function committedMsat(milestone: MilestoneState): Msat {
  const { payoutMsat, routingFeeLimitMsat } = milestone.terms
  switch (milestone.phase) {
    case 'awaiting-funds':
    case 'held':
    case 'proof-submitted':
    case 'disputed':
    case 'releasing':
    case 'payout-unknown':
      return payoutMsat + routingFeeLimitMsat
    case 'premature':
    case 'repaying':
      return milestone.owedMsat + routingFeeLimit(milestone.owedMsat)
    case 'planned':
    case 'awaiting-invoice':
    case 'ready-to-fund':
    case 'closing':
    case 'claiming':
    case 'released':
    case 'refunding':
    case 'refunded':
    case 'repaid':
    case 'lost':
    case 'expired':
    case 'cancelled':
      return 0n
  }
}
