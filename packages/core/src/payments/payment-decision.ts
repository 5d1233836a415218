import type { RefusalCode } from '../refusals.ts'
import type {
  NodeTry,
  Payable,
  PaymentEffect,
  PaymentPhase,
  PaymentState,
  PaymentTerms,
} from './payment-states.ts'

export type PaymentDecision = { readonly state: PaymentState; readonly effects: readonly PaymentEffect[] }

export type Of<P extends PaymentPhase['phase']> = Extract<PaymentState, { phase: P }>

/** The same state object: nothing changed. */
export function unchanged(state: PaymentState): PaymentDecision {
  return { state, effects: [] }
}

/** What a payment keeps in every phase. */
export function bare(state: PaymentState): PaymentTerms & NodeTry {
  const { v, id, nodeId, owner, to, requestedMsat, feeLimitMsat, note, requestedAt, deadlineAt } = state
  const { nodePaymentId, spareNodePaymentIds, tries, sinceAttempt } = state
  return {
    v,
    id,
    nodePaymentId,
    spareNodePaymentIds,
    tries,
    sinceAttempt,
    nodeId,
    owner,
    to,
    requestedMsat,
    feeLimitMsat,
    ...(note !== undefined && { note }),
    requestedAt,
    deadlineAt,
  }
}

export function priced(state: Of<'sending' | 'unknown'>) {
  const { payable, amountMsat, maxFeeMsat } = state
  return { ...bare(state), payable, amountMsat, maxFeeMsat }
}

export function fail(
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
