import { isRefusal, type Refusal, refuse } from '../refusals.ts'
import {
  enter,
  fundingAmount,
  type MilestoneDecision,
  refund,
  retryDelayMs,
  unchanged,
} from './milestone-decision.ts'
import { payoutCostMsat, standingOf } from './milestone-facts.ts'
import type { HoldSaid, In, MilestoneRequest, MilestoneState, Moment } from './milestone-states.ts'
import { FUNDING_GRACE_MS, FUNDING_MS, invoiceNeededUntil, scheduleOf } from './schedule.ts'
import { checkWorkerInvoice, type InvoiceFacts, type Payee } from './worker-invoice.ts'

type Fund = Extract<MilestoneRequest, { kind: 'fund' }>

/** The worker's invoice, checked; the hold will be locked to its hash, or (coordinated) it is what is paid. */
export function submitInvoice(
  state: In<'awaiting-invoice' | 'ready-to-fund' | 'held'>,
  facts: InvoiceFacts,
  { now }: Moment,
): MilestoneDecision | Refusal {
  const { payoutMsat, holdBlocks, finalCltvCap } = state.terms
  const { nodeId } = state
  const payee = checkWorkerInvoice(facts, { payoutMsat, holdBlocks, finalCltvCap, nodeId }, now)
  if (isRefusal(payee)) return payee
  if (state.phase === 'held') return { state: { ...state, payee }, effects: [] }
  return enter(state, { phase: 'ready-to-fund', payee })
}

/**
 * The buyer will pay: the hold is made. Refused what could not be paid out already now; that it can be is looked at again
 * when the money arrives, and nothing is kept for who has not paid.
 */
export function fund(
  state: In<'planned' | 'ready-to-fund'>,
  { spendableMsat, paymentHash }: Fund,
  moment: Moment,
): MilestoneDecision | Refusal {
  if (spendableMsat < payoutCostMsat(state)) return refuse('ESCROW_LIQUIDITY_LACKING')
  if (state.phase === 'planned') {
    return paymentHash === null ? refuse('REQUEST_INVALID') : awaitFunds(state, null, paymentHash, moment)
  }
  const neededUntil = invoiceNeededUntil(moment.now, state.terms.holdBlocks)
  if (state.payee.expiresAt < neededUntil) return refuse('ESCROW_INVOICE_EXPIRES_SOON', { neededUntil })
  return awaitFunds(state, state.payee, state.payee.paymentHash, moment)
}

function awaitFunds(
  state: MilestoneState,
  payee: Payee | null,
  paymentHash: string,
  { now }: Moment,
): MilestoneDecision {
  const fundBy = now + FUNDING_MS
  return enter(
    state,
    { phase: 'awaiting-funds', payee, paymentHash, fundingInvoice: null, fundBy, attempt: 0 },
    [
      { kind: 'create-hold', attempt: 0, at: now },
      { kind: 'wake', at: fundBy + FUNDING_GRACE_MS },
    ],
  )
}

/**
 * The hold invoice of a milestone, the same however often it is asked for: a node that is asked again answers the
 * invoice that it has made.
 */
export function holdOrder({ terms, paymentHash }: MilestoneState & { readonly paymentHash: string }) {
  return {
    paymentHash,
    amountMsat: fundingAmount(terms),
    description: terms.title,
    expirySeconds: FUNDING_MS / 1_000,
    minFinalCltvExpiryDelta: terms.holdBlocks,
  }
}

/** All parts of the buyer's payment have arrived. */
export function accept(
  state: In<'awaiting-funds'>,
  { amountMsat, claimDeadlineHeight }: Extract<HoldSaid, { state: 'held' }>,
  moment: Moment,
): MilestoneDecision {
  const { payee, paymentHash, terms } = state
  const schedule = scheduleOf(terms, { height: moment.height, claimDeadlineHeight })
  const dueAt = moment.now + terms.workMs
  const decision = enter(
    state,
    {
      phase: 'held',
      payee,
      paymentHash,
      heldMsat: amountMsat,
      heldAt: moment.now,
      schedule,
      dueAt,
      revisions: 0,
    },
    [{ kind: 'wake', at: dueAt }],
  )
  const held = decision.state as In<'held'>
  const funding = fundingAmount(terms)
  // BOLT 4: a payee accepts the amount asked up to twice of it, and no less.
  if (amountMsat < funding || amountMsat > 2n * funding) return refund(held, 'amount-wrong', moment)
  if (moment.height >= schedule.dueHeight) return refund(held, 'hold-too-short', moment)
  return decision
}

/** Making the hold did not work out. */
export function createFailed(state: In<'awaiting-funds'>, moment: Moment): MilestoneDecision {
  if (moment.now >= state.fundBy) return close(state, 'unfunded', moment)
  const attempt = state.attempt + 1
  return {
    state: { ...state, attempt },
    effects: [{ kind: 'create-hold', attempt, at: moment.now + retryDelayMs(state.attempt) }],
  }
}

/** Finishes the hash: what arrived goes back, and a late payment is failed back at once, for ever. */
export function close(
  state: In<'awaiting-funds'>,
  next: In<'closing'>['next'],
  { now }: Moment,
): MilestoneDecision {
  return enter(state, { phase: 'closing', paymentHash: state.paymentHash, next, attempt: 0 }, [
    { kind: 'cancel-hold', attempt: 0, at: now },
  ])
}

/** The hash is finished. A milestone that was merely not paid for begins again, with another hash. */
export function closed(
  state: In<'awaiting-funds' | 'closing'>,
  next: In<'closing'>['next'],
  { now }: Moment,
): MilestoneDecision {
  switch (next) {
    case 'unfunded':
      return enter(state, { phase: state.custody === 'coordinated' ? 'planned' : 'awaiting-invoice' })
    case 'expired':
    case 'cancelled':
      return enter(state, { phase: next, endedAt: now })
  }
}

/** Ends a milestone in which no money is; one that holds money stays as it is. */
export function endUnfunded(
  state: MilestoneState,
  end: 'expired' | 'cancelled',
  moment: Moment,
): MilestoneDecision {
  if (standingOf(state) === 'unfunded') return enter(state, { phase: end, endedAt: moment.now })
  if (state.phase === 'awaiting-funds') return close(state, end, moment)
  return state.phase === 'closing' && state.next === 'unfunded'
    ? { state: { ...state, next: end }, effects: [] }
    : unchanged(state)
}
