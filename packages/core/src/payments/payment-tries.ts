import { type Of, type PaymentDecision, priced } from './payment-decision.ts'
import type { NodeFailureReason, NodeOutcome } from './payment-states.ts'

/**
 * Pays under the next id what the node says has failed, or null: the payment has failed for good. A node's `failed` is
 * final: nothing of that id is in flight and nothing ever will be, so the next id is the only one alive. While the node
 * says anything else, or nothing, the payment keeps its id.
 */
export function tryAgain(
  state: Of<'sending' | 'unknown'>,
  { reason }: Extract<NodeOutcome, { state: 'failed' }>,
  now: number,
): PaymentDecision | null {
  const [nodePaymentId, ...spareNodePaymentIds] = state.spareNodePaymentIds
  const at = now + tryAgainDelayMs(state.tries)
  if (nodePaymentId === undefined || at >= state.deadlineAt || !mayPass(reason)) return null
  const attempt = state.attempt + 1
  return {
    state: {
      ...priced(state),
      nodePaymentId,
      spareNodePaymentIds,
      tries: state.tries + 1,
      sinceAttempt: attempt,
      phase: 'sending',
      attempt,
      accepted: false,
      maybeSent: false,
      paymentHash: null,
    },
    effects: [{ kind: 'pay', attempt, at }],
  }
}

/** How long after the end of a try the next one begins: 1 s, then 4 s, so that peers can come back meanwhile. */
function tryAgainDelayMs(tries: number): number {
  return tries * tries * 1_000
}

/** What the payee or the payer's means decide is believed at once; what a restart or a lost message may cause is not. */
function mayPass(reason: NodeFailureReason): boolean {
  switch (reason) {
    // A channel may not be back yet, and an onion message that gets lost is not sent again.
    case 'no-route':
    case 'retries-exhausted':
    case 'invoice-request-unanswered':
    case 'abandoned':
      return true
    case 'rejected':
    case 'invoice-request-rejected':
    case 'expired':
    case 'insufficient-funds':
    case 'other':
      return false
  }
}

/**
 * How long the node may go on with this try, in milliseconds; 0 or less: it must not be asked any more. A payee who
 * does not answer an offer's invoice request is asked again before the deadline, as long as there are ids left.
 */
export function tryTimeoutMs(state: Of<'sending' | 'unknown'>, now: number): number {
  const { payable, tries, spareNodePaymentIds, requestedAt, deadlineAt } = state
  const left = deadlineAt - now
  const triesLeft = spareNodePaymentIds.length
  if (payable.kind === 'bolt11' || triesLeft === 0) return left
  return Math.min(left, Math.floor((deadlineAt - requestedAt) / (tries + triesLeft)))
}
