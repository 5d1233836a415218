import { type Refusal, refuse } from '../refusals.ts'
import { approve, openDispute, requestRevision, resolveDispute, submitProof } from './delivery.ts'
import { fund, submitInvoice } from './funding.ts'
import { type MilestoneDecision, refund } from './milestone-decision.ts'
import type { In, MilestoneRequest, MilestoneState, Moment, RefundCause } from './milestone-states.ts'
import { submitRefundInvoice } from './repayment.ts'
import type { Role } from './roles.ts'

/**
 * The life of one milestone, and of the money locked for it. `role` is what `authorize` found. A request may be
 * refused; nothing has changed then.
 */
export function decideMilestone(
  state: MilestoneState,
  request: MilestoneRequest,
  role: Role,
  moment: Moment,
): MilestoneDecision | Refusal {
  switch (request.kind) {
    case 'submit-invoice':
      if (state.phase === 'awaiting-invoice' || state.phase === 'ready-to-fund') {
        return submitInvoice(state, request.invoice, moment)
      }
      if (state.phase === 'held' && state.custody === 'coordinated') {
        return submitInvoice(state, request.invoice, moment)
      }
      return wrongPhase(state)
    case 'fund':
      if (state.phase === 'ready-to-fund') return fund(state, request, moment)
      if (state.phase === 'planned' && state.custody === 'coordinated') return fund(state, request, moment)
      return wrongPhase(state)
    case 'submit-proof':
      return state.phase === 'held' || state.phase === 'proof-submitted'
        ? submitProof(state, request, moment)
        : wrongPhase(state)
    case 'approve':
      return isWorking(state) ? approve(state, 'buyer', moment) : wrongPhase(state)
    case 'request-revision':
      return state.phase === 'proof-submitted' ? requestRevision(state, request, moment) : wrongPhase(state)
    case 'open-dispute':
      return state.phase === 'held' || state.phase === 'proof-submitted'
        ? openDispute(state, request, moment)
        : wrongPhase(state)
    case 'resolve-dispute':
      return state.phase === 'disputed' ? resolveDispute(state, request, moment) : wrongPhase(state)
    case 'refund':
      return askRefund(state, role, moment)
    case 'submit-refund-invoice':
      return state.phase === 'premature'
        ? submitRefundInvoice(state, request.invoice, moment)
        : wrongPhase(state)
  }
}

/**
 * The worker may give the money back, the operator too: it is all that the operator can do alone. A buyer who could
 * take it back at will would not have locked it.
 */
function askRefund(state: MilestoneState, role: Role, moment: Moment): MilestoneDecision | Refusal {
  const isBetweenTries = state.phase === 'releasing' && state.payout === null
  if (!isWorking(state) && !isBetweenTries) return wrongPhase(state)
  const cause: RefundCause | null =
    role === 'worker' ? 'by-worker' : role === 'operator' ? 'by-operator' : null
  return cause === null ? refuse('ESCROW_REFUND_NOT_YOURS') : refund(state, cause, moment)
}

function isWorking(state: MilestoneState): state is In<'held' | 'proof-submitted' | 'disputed'> {
  return state.phase === 'held' || state.phase === 'proof-submitted' || state.phase === 'disputed'
}

function wrongPhase({ phase, index }: MilestoneState): Refusal {
  return refuse('ESCROW_WRONG_PHASE', { phase, milestone: index })
}

/** A coordinated milestone that is funded before a worker is known can be taken back by the buyer alone. */
export function takeBack(state: MilestoneState, moment: Moment): MilestoneDecision | null {
  return state.phase === 'held' ? refund(state, 'no-worker', moment) : null
}
