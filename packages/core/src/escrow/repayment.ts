import { hearPayment, type PaymentDecision } from '../payments/payment-machine.ts'
import type { PaymentReport } from '../payments/payment-states.ts'
import { type Refusal, refuse } from '../refusals.ts'
import { routingFeeLimit } from './fees.ts'
import { enter, type MilestoneDecision, owedOf, unchanged } from './milestone-decision.ts'
import type { In, MilestoneState, Moment } from './milestone-states.ts'
import { beginPayment, paymentEffects, tryDelayMs } from './payout.ts'
import { checkPayableInvoice, type InvoiceFacts } from './worker-invoice.ts'

/** A refund invoice must leave time to find a route. */
const REPAYMENT_NEEDS_MS = 10 * 60_000

/** The buyer says where their money is to go back to. */
export function submitRefundInvoice(
  state: In<'premature'>,
  facts: InvoiceFacts,
  moment: Moment,
): MilestoneDecision | Refusal {
  const { owedMsat, since, nodeId } = state
  const wrong = checkPayableInvoice(facts, { amountMsat: owedMsat, nodeId })
  if (wrong !== null) return wrong
  const neededUntil = moment.now + REPAYMENT_NEEDS_MS
  if (facts.expiresAt < neededUntil) return refuse('ESCROW_INVOICE_EXPIRES_SOON', { neededUntil })
  const payee = { invoice: facts.invoice, paymentHash: facts.paymentHash, expiresAt: facts.expiresAt }
  const waiting = { ...owedOf(state), since, payee, tries: 0, repayment: null, tryAt: moment.now }
  return tryRepayment(enter(state, { ...waiting, phase: 'repaying' }).state as In<'repaying'>, moment)
}

/** Begins the next try when it is due; an expired invoice must be replaced. Only while none is in flight. */
export function tryRepayment(state: In<'repaying'>, { now }: Moment): MilestoneDecision {
  const { owedMsat, since, payee, nodeId } = state
  if (now >= payee.expiresAt) return enter(state, { ...owedOf(state), phase: 'premature', since })
  if (now < state.tryAt) return { state, effects: [{ kind: 'wake', at: state.tryAt }] }
  const tries = state.tries + 1
  const feeLimitMsat = routingFeeLimit(owedMsat, state.terms.feeMsat)
  const begun = beginPayment(payee, {
    kind: 'repayment',
    try: tries,
    nodeId,
    amountMsat: owedMsat,
    feeLimitMsat,
    now,
  })
  return heardFrom({ ...state, tries }, begun, now)
}

export function repaymentReported(
  state: In<'repaying'>,
  report: PaymentReport,
  { now, height }: Moment,
): MilestoneDecision {
  if (state.repayment === null) return unchanged(state)
  const decision = hearPayment(state.repayment, report, now)
  if (decision.state === state.repayment && decision.effects.length === 0) return unchanged(state)
  if (decision.state.phase !== 'failed') return heardFrom(state, decision, now)
  const tryAt = now + tryDelayMs(state.tries)
  return tryRepayment({ ...state, repayment: null, tryAt }, { now, height })
}

function heardFrom(state: In<'repaying'>, decision: PaymentDecision, now: number): MilestoneDecision {
  const { state: repayment } = decision
  switch (repayment.phase) {
    case 'sending':
    case 'unknown': {
      const effects = paymentEffects('repayment', state.tries, decision)
      return { state: repayment === state.repayment ? state : { ...state, repayment }, effects }
    }
    case 'succeeded':
      return repaid(state, repayment.feeMsat, now)
    case 'resolving':
    case 'failed':
      return unchanged(state)
  }
}

export function repaid(
  state: In<'premature' | 'repaying'>,
  routingFeeMsat: bigint,
  now: number,
): MilestoneDecision {
  return enter(state, { ...owedOf(state), phase: 'repaid', routingFeeMsat, endedAt: now })
}

/** What the node is to be asked just now, or null: it may only be asked what became of the repayment. */
export function repaymentOrder(state: MilestoneState, { now }: Moment) {
  if (state.phase !== 'repaying' || state.repayment?.phase !== 'sending') return null
  const timeoutMs = state.repayment.deadlineAt - now
  if (timeoutMs <= 0) return null
  const { nodePaymentId: paymentId, amountMsat, maxFeeMsat } = state.repayment
  return { paymentId, invoice: state.payee.invoice, amountMsat, maxFeeMsat, timeoutMs }
}
