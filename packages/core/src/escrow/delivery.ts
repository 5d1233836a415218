import { type Refusal, refuse } from '../refusals.ts'
import { enter, type MilestoneDecision, refund } from './milestone-decision.ts'
import type { Approval, In, MilestoneRequest, Moment } from './milestone-states.ts'
import { release } from './payout.ts'
import { isText } from './plan.ts'

export const MAX_PROOF_BYTES = 8_192
const MAX_REASON_BYTES = 4_096
export const MAX_REVISIONS = 5

type Asked<K extends MilestoneRequest['kind']> = Extract<MilestoneRequest, { kind: K }>
type Working = In<'held' | 'proof-submitted' | 'disputed'>

/** The work is done, or the goods are on their way; from now on silence counts as approval. */
export function submitProof(
  state: In<'held' | 'proof-submitted'>,
  { text, digest }: Asked<'submit-proof'>,
  { now, height }: Moment,
): MilestoneDecision | Refusal {
  const { payee, schedule } = state
  if (payee === null) return refuse('ESCROW_INVOICE_MISSING')
  if (!isText(text, 1, MAX_PROOF_BYTES)) return refuse('ESCROW_TEXT_INVALID', { most: MAX_PROOF_BYTES })
  if (height >= schedule.guardianHeight) return refuse('ESCROW_TOO_LATE')
  const autoReleaseAt = now + state.terms.objectionMs
  const proof = { text, digest, submittedAt: now, inTime: height <= schedule.dueHeight }
  return enter(state, { ...heldOf(state), phase: 'proof-submitted', payee, proof, autoReleaseAt }, [
    { kind: 'wake', at: autoReleaseAt },
  ])
}

/** The buyer (or for them the arbiter, or their silence) lets the worker be paid. */
export function approve(state: Working, approval: Approval, moment: Moment): MilestoneDecision | Refusal {
  const { payee, schedule } = state
  if (payee === null) return refuse('ESCROW_INVOICE_MISSING')
  if (moment.height > schedule.latestPayoutHeight) return refuse('ESCROW_TOO_LATE')
  return release(state, { held: heldOf(state), payee, approval }, moment)
}

/** The buyer objects; the worker gets as long again as the buyer had to object. */
export function requestRevision(
  state: In<'proof-submitted'>,
  { reason }: Asked<'request-revision'>,
  { now }: Moment,
): MilestoneDecision | Refusal {
  const wrong = checkReason(reason)
  if (wrong !== null) return wrong
  if (state.revisions >= MAX_REVISIONS) return refuse('ESCROW_REVISIONS_EXHAUSTED', { most: MAX_REVISIONS })
  const dueAt = Math.max(state.dueAt, now + state.terms.objectionMs)
  const held = { ...heldOf(state), dueAt, revisions: state.revisions + 1 }
  return enter(state, { ...held, phase: 'held', payee: state.payee }, [{ kind: 'wake', at: dueAt }])
}

export function openDispute(
  state: In<'held' | 'proof-submitted'>,
  { by, reason }: Asked<'open-dispute'>,
  { now, height }: Moment,
): MilestoneDecision | Refusal {
  const wrong = checkReason(reason)
  if (wrong !== null) return wrong
  if (height >= state.schedule.guardianHeight) return refuse('ESCROW_TOO_LATE')
  return enter(state, {
    ...heldOf(state),
    phase: 'disputed',
    payee: state.payee,
    proof: state.phase === 'proof-submitted' ? state.proof : null,
    openedBy: by,
    openedAt: now,
    reason,
  })
}

export function resolveDispute(
  state: In<'disputed'>,
  { to }: Asked<'resolve-dispute'>,
  moment: Moment,
): MilestoneDecision | Refusal {
  return to === 'release' ? approve(state, 'arbiter', moment) : refund(state, 'by-arbiter', moment)
}

/**
 * The guardian and the clocks, while nobody has been paid. Whatever is not approved goes back to the buyer: the only
 * end that the operator may bring about alone, and one that needs no third party to succeed.
 */
export function workingTimePassed(state: Working, moment: Moment): MilestoneDecision | null {
  const { guardianHeight, latestPayoutHeight } = state.schedule
  const guardianActs = moment.height >= guardianHeight
  switch (state.phase) {
    case 'held':
      if (moment.now >= state.dueAt) return refund(state, 'proof-missing', moment)
      return guardianActs ? refund(state, 'not-approved', moment) : null
    case 'proof-submitted': {
      const silent = moment.now >= state.autoReleaseAt || (guardianActs && state.proof.inTime)
      if (silent && moment.height <= latestPayoutHeight) {
        const { payee } = state
        return release(state, { held: heldOf(state), payee, approval: 'no-objection' }, moment)
      }
      return guardianActs ? refund(state, 'not-approved', moment) : null
    }
    case 'disputed':
      return guardianActs ? refund(state, 'dispute-unresolved', moment) : null
  }
}

function checkReason(reason: string): Refusal | null {
  return isText(reason, 1, MAX_REASON_BYTES)
    ? null
    : refuse('ESCROW_TEXT_INVALID', { most: MAX_REASON_BYTES })
}

function heldOf({ paymentHash, heldMsat, heldAt, schedule, dueAt, revisions }: Working) {
  return { paymentHash, heldMsat, heldAt, schedule, dueAt, revisions }
}
