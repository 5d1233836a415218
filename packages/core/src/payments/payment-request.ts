import { isRefusal, type Refusal, refuse } from '../refusals.ts'
import { amountToPay, defaultMaxFee } from './payment-amount.ts'
import { bare, fail, type Of, type PaymentDecision, retryDelayMs } from './payment-decision.ts'
import type {
  NameToPay,
  NodeTry,
  Payable,
  PaymentEffect,
  PaymentReport,
  PaymentRequest,
  PaymentTerms,
} from './payment-states.ts'

/** From the wish to pay until the node can be asked. */
export function request(command: PaymentRequest, now: number): PaymentDecision | Refusal {
  const { id, nodePaymentId, spareNodePaymentIds = [], nodeId, owner, to, destination, deadlineAt } = command
  const terms: PaymentTerms & NodeTry = {
    v: 1,
    id,
    nodePaymentId,
    spareNodePaymentIds,
    tries: 1,
    sinceAttempt: 0,
    nodeId,
    owner,
    to,
    requestedMsat: command.amountMsat ?? null,
    feeLimitMsat: command.maxFeeMsat ?? null,
    ...(command.note !== undefined && { note: command.note }),
    requestedAt: now,
    deadlineAt,
  }
  const begun = destination.kind === 'name' ? toName(terms, destination, now) : send(terms, destination, now)
  if (isRefusal(begun) || begun.state.phase === 'failed') return begun
  const wake: PaymentEffect = { kind: 'wake', at: deadlineAt }
  return { state: begun.state, effects: [...begun.effects, wake] }
}

/** What is proven of the name already is as good as the report that would bring it. */
function toName(
  terms: PaymentTerms & NodeTry,
  { name, proven, fallback }: NameToPay,
  now: number,
): PaymentDecision {
  const state: Of<'resolving'> = {
    ...terms,
    phase: 'resolving',
    name,
    ...(fallback && { fallback }),
    attempt: 0,
    lastFailure: null,
  }
  if (proven && now < proven.expiresAt) return resolved(state, proven.payable, now)
  return { state, effects: [{ kind: 'resolve', attempt: 0, at: now }] }
}

export function resolved(state: Of<'resolving'>, payable: Payable, now: number): PaymentDecision {
  if (now >= state.deadlineAt) return fail(state, null, null, state.lastFailure ?? 'PAYMENT_EXPIRED', now)
  const sending = send(bare(state), payable, now)
  return isRefusal(sending) ? fail(state, payable, null, sending.refused, now) : sending
}

export function resolveFailed(
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

function send(terms: PaymentTerms & NodeTry, payable: Payable, now: number): PaymentDecision | Refusal {
  const amountMsat = amountToPay(payable.asksMsat, terms.requestedMsat)
  if (isRefusal(amountMsat)) return amountMsat
  // BOLT 11 carries no message of the payer; a Lightning Address has taken it when it made the invoice (LUD-12).
  if (terms.note !== undefined && payable.kind === 'bolt11' && payable.via === undefined) {
    return refuse('NOTE_NOT_ACCEPTED')
  }
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
