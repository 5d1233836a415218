import { isRefusal, type Refusal, refuse } from '../refusals.ts'
import { fail, type PaymentDecision, unchanged } from './payment-decision.ts'
import { nodeUnreachable, outcome, payRefused } from './payment-outcome.ts'
import { request, resolved, resolveFailed } from './payment-request.ts'
import type { PaymentCommand, PaymentReport, PaymentState } from './payment-states.ts'

export { type PaymentDecision, retryDelayMs } from './payment-decision.ts'
export { causeOf, NEVER_SENT_GRACE_MS } from './payment-outcome.ts'

/**
 * The life of a payment. A request may be refused; a report never is, and hearing it twice or late changes nothing.
 * The same state object comes back when nothing changed. One thing only is ever corrected: a payment that we held for
 * failed and of which the node later says that the payee has the money.
 */
export function decidePayment(
  state: PaymentState | null,
  command: PaymentCommand,
  now: number,
): PaymentDecision | Refusal {
  if (command.kind === 'request') return state === null ? request(command, now) : refuse('REQUEST_INVALID')
  return state === null ? refuse('PAYMENT_NOT_FOUND') : hearPayment(state, command, now)
}

/** Rebuilds a payment from the commands that its journal entries hold. */
export function replayPayment(
  history: readonly { readonly command: PaymentCommand; readonly at: number }[],
): PaymentState | null {
  return history.reduce<PaymentState | null>((state, { command, at }) => {
    const decision = decidePayment(state, command, at)
    return isRefusal(decision) ? state : decision.state
  }, null)
}

/** `decidePayment` for what may not be refused. */
export function hearPayment(state: PaymentState, report: PaymentReport, now: number): PaymentDecision {
  switch (report.kind) {
    case 'resolved':
      return state.phase === 'resolving' ? resolved(state, report.payable, now) : unchanged(state)
    case 'resolve-failed':
      return state.phase === 'resolving' && report.attempt === state.attempt
        ? resolveFailed(state, report, now)
        : unchanged(state)
    case 'outcome':
      return outcome(state, report.outcome, report.attempt, now)
    case 'pay-refused':
      return state.phase === 'sending' && report.attempt === state.attempt
        ? payRefused(state, report.code, now)
        : unchanged(state)
    case 'node-unreachable':
      return nodeUnreachable(state, report, now)
    case 'time-passed':
      return timePassed(state, now)
  }
}

/** The clock, or the sweeper that suspects a lost job. It never pays: it asks the node first. */
function timePassed(state: PaymentState, now: number): PaymentDecision {
  switch (state.phase) {
    case 'resolving':
      if (now >= state.deadlineAt) return fail(state, null, null, state.lastFailure ?? 'PAYMENT_EXPIRED', now)
      return { state, effects: [{ kind: 'resolve', attempt: state.attempt, at: now }] }
    case 'sending':
    case 'unknown':
      return { state, effects: [{ kind: 'look-up', attempt: state.attempt, at: now }] }
    case 'succeeded':
    case 'failed':
      return unchanged(state)
  }
}
