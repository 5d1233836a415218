import type { Msat } from '../money.ts'
import type {
  HoldFate,
  In,
  MilestoneEffect,
  MilestonePhase,
  MilestoneState,
  Moment,
  Owed,
  RefundCause,
} from './milestone-states.ts'

export type MilestoneDecision = {
  readonly state: MilestoneState
  readonly effects: readonly MilestoneEffect[]
}

export function unchanged(state: MilestoneState): MilestoneDecision {
  return { state, effects: [] }
}

/** The same milestone in another phase; nothing of the old phase stays. */
export function enter(
  { index, custody, nodeId, terms }: MilestoneState,
  phase: MilestonePhase,
  effects: readonly MilestoneEffect[] = [],
): MilestoneDecision {
  return { state: { index, custody, nodeId, terms, ...phase }, effects }
}

/** What the buyer locks. */
export function fundingAmount({ payoutMsat, feeMsat }: MilestoneState['terms']): Msat {
  return payoutMsat + feeMsat
}

type Holding = MilestoneState & { readonly paymentHash: string; readonly heldMsat: Msat }

/** The hold goes back to the buyer. Only for phases in which no payout may be in flight. */
export function refund(state: Holding, cause: RefundCause, { now }: Moment): MilestoneDecision {
  const { paymentHash, heldMsat } = state
  return enter(state, { phase: 'refunding', paymentHash, heldMsat, cause, attempt: 0 }, [
    { kind: 'cancel-hold', attempt: 0, at: now },
  ])
}

/** The node says that the hold is over, and the buyer has the money. */
export function refunded(state: Holding, cause: RefundCause, { now }: Moment): MilestoneDecision {
  const { paymentHash, heldMsat } = state
  return enter(state, { phase: 'refunded', paymentHash, heldMsat, cause, endedAt: now })
}

/** The buyer's money was claimed although the worker was not paid: somebody gave the preimage away. */
export function premature(
  state: MilestoneState & { readonly paymentHash: string },
  claimed: { readonly amountMsat: Msat; readonly isLost: boolean },
  { now }: Moment,
): MilestoneDecision {
  const { paymentHash } = state
  const owed = owedOf({
    paymentHash,
    owedMsat: claimed.amountMsat,
    ...(claimed.isLost && { claimLost: true }),
  })
  return enter(state, { ...owed, phase: 'premature', since: now })
}

export function owedOf({ paymentHash, owedMsat, claimLost }: Owed): Owed {
  return { paymentHash, owedMsat, ...(claimLost && { claimLost }) }
}

type Paid = { readonly paidMsat: Msat; readonly routingFeeMsat: Msat }

/** The worker has been paid; what this makes of the milestone depends on where the buyer's HTLC is. */
export function paid(
  state: Holding,
  { paidMsat, routingFeeMsat }: Paid,
  hold: HoldFate,
  { now }: Moment,
): MilestoneDecision {
  const { paymentHash, heldMsat } = state
  const end = { paymentHash, heldMsat, paidMsat, routingFeeMsat }
  switch (hold) {
    case 'gone':
    case 'lost':
      return enter(state, { ...end, phase: 'lost', endedAt: now })
    case 'claimed':
      return enter(state, { ...end, phase: 'released', endedAt: now })
    case 'held':
    case 'claiming': {
      const claiming = { ...end, phase: 'claiming', since: now, attempt: 0 } as const
      return enter(state, claiming, [claimEffect({ ...state, ...claiming }, now)])
    }
  }
}

/**
 * A hash-locked hold is claimed by the node itself, in the moment in which the payout brings the preimage; we only ask
 * whether it is done. The preimage of a coordinated hold is known to the node, and it must be told to use it.
 */
export function claimEffect(state: Pick<In<'claiming'>, 'custody' | 'attempt'>, at: number): MilestoneEffect {
  return state.custody === 'coordinated'
    ? { kind: 'settle-hold', attempt: state.attempt, at }
    : { kind: 'look-up-hold', at }
}

/** 250 ms, doubling, at most a minute, for ever. */
export function retryDelayMs(attempt: number): number {
  return Math.min(250 * 2 ** Math.min(attempt, 20), 60_000)
}
