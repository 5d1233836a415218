import { isRefusal, type Refusal, type RefusalCode, refuse } from '../refusals.ts'
import { amountToPay, defaultMaxFee } from './payment-amount.ts'
import type {
  NodeFailureReason,
  NodeOutcome,
  Payable,
  PaymentCommand,
  PaymentEffect,
  PaymentPhase,
  PaymentReport,
  PaymentRequest,
  PaymentState,
  PaymentTerms,
} from './payment-states.ts'

export type PaymentDecision = { readonly state: PaymentState; readonly effects: readonly PaymentEffect[] }

type Of<P extends PaymentPhase['phase']> = Extract<PaymentState, { phase: P }>

/**
 * A request to pay that was sent just before the deadline may still be on its way to the node. Only when the node has
 * not heard of the payment this long after the deadline was it surely never sent.
 */
export const NEVER_SENT_GRACE_MS = 60_000

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

function request(command: PaymentRequest, now: number): PaymentDecision | Refusal {
  const { id, nodePaymentId, nodeId, owner, to, destination, deadlineAt } = command
  const terms: PaymentTerms = {
    v: 1,
    id,
    nodePaymentId,
    nodeId,
    owner,
    to,
    requestedMsat: command.amountMsat ?? null,
    feeLimitMsat: command.maxFeeMsat ?? null,
    requestedAt: now,
    deadlineAt,
  }
  const wake: PaymentEffect = { kind: 'wake', at: deadlineAt }
  if (destination.kind === 'name') {
    const { name } = destination
    return {
      state: { ...terms, phase: 'resolving', name, attempt: 0, lastFailure: null },
      effects: [{ kind: 'resolve', attempt: 0, at: now }, wake],
    }
  }
  const sending = send(terms, destination, now)
  return isRefusal(sending) ? sending : { state: sending.state, effects: [...sending.effects, wake] }
}

function send(terms: PaymentTerms, payable: Payable, now: number): PaymentDecision | Refusal {
  const amountMsat = amountToPay(payable.asksMsat, terms.requestedMsat)
  if (isRefusal(amountMsat)) return amountMsat
  const maxFeeMsat = terms.feeLimitMsat ?? defaultMaxFee(amountMsat)
  return {
    state: {
      ...terms,
      phase: 'sending',
      payable,
      amountMsat,
      maxFeeMsat,
      attempt: 0,
      accepted: false,
      maybeSent: false,
      paymentHash: null,
    },
    effects: [{ kind: 'pay', attempt: 0, at: now }],
  }
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

function resolved(state: Of<'resolving'>, payable: Payable, now: number): PaymentDecision {
  if (now >= state.deadlineAt) return fail(state, null, null, state.lastFailure ?? 'PAYMENT_EXPIRED', now)
  const sending = send(bare(state), payable, now)
  return isRefusal(sending) ? fail(state, payable, null, sending.refused, now) : sending
}

function resolveFailed(
  state: Of<'resolving'>,
  { code, again }: Extract<PaymentReport, { kind: 'resolve-failed' }>,
  now: number,
): PaymentDecision {
  if (!again || now >= state.deadlineAt) return fail(state, null, null, code, now)
  const attempt = state.attempt + 1
  return {
    state: { ...state, attempt, lastFailure: code },
    effects: [{ kind: 'resolve', attempt, at: now + retryDelayMs(state.attempt) }],
  }
}

function outcome(state: PaymentState, said: NodeOutcome, attempt: number, now: number): PaymentDecision {
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
      return state.phase === 'sending' || state.phase === 'unknown'
        ? fail(state, state.payable, said.paymentHash, causeOf(said.reason), now)
        : unchanged(state)
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

function payRefused(state: Of<'sending'>, code: RefusalCode, now: number): PaymentDecision {
  if (!state.accepted && !state.maybeSent) return fail(state, state.payable, null, code, now)
  return ask(state, state.accepted, state.attempt + 1, now + retryDelayMs(state.attempt))
}

function nodeUnreachable(
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

function fail(
  state: PaymentState,
  payable: Payable | null,
  paymentHash: string | null,
  cause: RefusalCode,
  now: number,
): PaymentDecision {
  return {
    state: { ...bare(state), phase: 'failed', payable, paymentHash, cause, endedAt: now },
    effects: [],
  }
}

/** 50 ms, doubling, at most 30 s. */
export function retryDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 20), 30_000)
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

function unchanged(state: PaymentState): PaymentDecision {
  return { state, effects: [] }
}

function bare(state: PaymentState): PaymentTerms {
  const { v, id, nodePaymentId, nodeId, owner, to, requestedMsat, feeLimitMsat, requestedAt, deadlineAt } =
    state
  return { v, id, nodePaymentId, nodeId, owner, to, requestedMsat, feeLimitMsat, requestedAt, deadlineAt }
}

function priced(state: Of<'sending' | 'unknown'>) {
  const { payable, amountMsat, maxFeeMsat } = state
  return { ...bare(state), payable, amountMsat, maxFeeMsat }
}
