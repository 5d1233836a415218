import type { RefusalCode } from '../refusals.ts'
import {
  bare,
  fail,
  type Of,
  type PaymentDecision,
  priced,
  retryDelayMs,
  unchanged,
} from './payment-decision.ts'
import type { NodeFailureReason, NodeOutcome, PaymentReport, PaymentState } from './payment-states.ts'
import { tryAgain } from './payment-tries.ts'

/**
 * A request to pay that was sent just before the deadline may still be on its way to the node. Only when the node has
 * not heard of the payment this long after the deadline was it surely never sent.
 */
export const NEVER_SENT_GRACE_MS = 60_000

/** What the node says of the payment. An id that it has given up is history: nothing said of it counts any more. */
export function outcome(
  state: PaymentState,
  said: NodeOutcome,
  attempt: number,
  now: number,
): PaymentDecision {
  if (attempt < state.sinceAttempt) return unchanged(state)
  switch (said.state) {
    case 'succeeded':
      if (state.phase === 'succeeded' || state.phase === 'resolving' || state.payable === null) {
        return unchanged(state)
      }
      return {
        state: {
          ...bare(state),
          phase: 'succeeded',
          payable: state.payable,
          paymentHash: said.paymentHash,
          amountMsat: said.amountMsat,
          feeMsat: said.feeMsat,
          endedAt: now,
        },
        effects: [],
      }
    case 'failed':
      if (state.phase !== 'sending' && state.phase !== 'unknown') return unchanged(state)
      return (
        tryAgain(state, said, now) ?? fail(state, state.payable, said.paymentHash, causeOf(said.reason), now)
      )
    case 'pending':
    case 'unknown':
    case 'absent':
      return (state.phase === 'sending' || state.phase === 'unknown') && attempt === state.attempt
        ? undecided(state, said, now)
        : unchanged(state)
  }
}

/** The node knows no end of the payment yet. */
function undecided(
  state: Of<'sending' | 'unknown'>,
  said: Extract<NodeOutcome, { state: 'pending' | 'unknown' | 'absent' }>,
  now: number,
): PaymentDecision {
  const attempt = state.attempt + 1
  const soon = now + retryDelayMs(state.attempt)
  switch (said.state) {
    case 'pending':
      return {
        state: {
          ...priced(state),
          phase: 'sending',
          attempt,
          accepted: true,
          maybeSent: true,
          paymentHash: said.paymentHash ?? state.paymentHash,
        },
        effects: [{ kind: 'look-up', attempt, at: soon }],
      }
    case 'unknown':
      return ask(state, true, attempt, soon)
    case 'absent': {
      if (state.accepted) return ask(state, true, attempt, soon)
      if (now >= state.deadlineAt + NEVER_SENT_GRACE_MS) {
        return fail(state, state.payable, null, 'PAYMENT_NOT_SENT', now)
      }
      if (state.phase === 'sending' && now < state.deadlineAt) {
        // The id makes this safe: a node pays it once, however often it is asked.
        return { state: { ...state, attempt }, effects: [{ kind: 'pay', attempt, at: soon }] }
      }
      return ask(state, false, attempt, Math.max(soon, state.deadlineAt + NEVER_SENT_GRACE_MS))
    }
  }
}

export function payRefused(state: Of<'sending'>, code: RefusalCode, now: number): PaymentDecision {
  if (!state.accepted && !state.maybeSent) return fail(state, state.payable, null, code, now)
  return ask(state, state.accepted, state.attempt + 1, now + retryDelayMs(state.attempt))
}

export function nodeUnreachable(
  state: PaymentState,
  { attempt: of, effect }: Extract<PaymentReport, { kind: 'node-unreachable' }>,
  now: number,
): PaymentDecision {
  if ((state.phase !== 'sending' && state.phase !== 'unknown') || of !== state.attempt) {
    return unchanged(state)
  }
  const attempt = state.attempt + 1
  const soon = now + retryDelayMs(state.attempt)
  if (state.phase === 'unknown' || now >= state.deadlineAt) return ask(state, state.accepted, attempt, soon)
  return {
    state: { ...state, attempt, maybeSent: state.maybeSent || effect === 'pay' },
    effects: [{ kind: effect, attempt, at: soon }],
  }
}

function ask(
  state: Of<'sending' | 'unknown'>,
  accepted: boolean,
  attempt: number,
  at: number,
): PaymentDecision {
  return {
    state: { ...priced(state), phase: 'unknown', attempt, accepted, paymentHash: state.paymentHash },
    effects: [{ kind: 'look-up', attempt, at }],
  }
}

export function causeOf(reason: NodeFailureReason): RefusalCode {
  switch (reason) {
    case 'rejected':
    case 'invoice-request-rejected':
      return 'PAYMENT_REJECTED'
    case 'no-route':
      return 'PAYMENT_NO_ROUTE'
    case 'retries-exhausted':
      return 'PAYMENT_RETRIES_EXHAUSTED'
    case 'expired':
      return 'PAYMENT_EXPIRED'
    case 'invoice-request-unanswered':
      return 'PAYMENT_UNANSWERED'
    case 'insufficient-funds':
      return 'PAYMENT_INSUFFICIENT_FUNDS'
    case 'abandoned':
      return 'PAYMENT_ABANDONED'
    case 'other':
      return 'PAYMENT_FAILED'
  }
}
