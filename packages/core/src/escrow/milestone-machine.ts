import { type Refusal, refuse } from '../refusals.ts'
import {
  approve,
  openDispute,
  requestRevision,
  resolveDispute,
  submitProof,
  workingTimePassed,
} from './delivery.ts'
import { accept, close, closed, createFailed, fund, submitInvoice } from './funding.ts'
import {
  claimEffect,
  type MilestoneDecision,
  paid,
  premature,
  refund,
  refunded,
  retryDelayMs,
  unchanged,
} from './milestone-decision.ts'
import type {
  HoldSaid,
  In,
  MilestoneReport,
  MilestoneRequest,
  MilestoneState,
  Moment,
  RefundCause,
} from './milestone-states.ts'
import { holdSeenWhilePaying, payoutReported, tryPayout } from './payout.ts'
import { repaid, repaymentReported, submitRefundInvoice, tryRepayment } from './repayment.ts'
import type { Role } from './roles.ts'
import { FUNDING_GRACE_MS } from './schedule.ts'

type Heard<K extends MilestoneReport['kind']> = Extract<MilestoneReport, { kind: K }>

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

/** What may not be refused; hearing it twice, late or in another order changes nothing that is already known. */
export function hearMilestone(
  state: MilestoneState,
  report: MilestoneReport,
  moment: Moment,
): MilestoneDecision {
  switch (report.kind) {
    case 'hold-created':
      return state.phase === 'awaiting-funds' &&
        state.paymentHash === report.paymentHash &&
        state.fundingInvoice === null
        ? { state: { ...state, fundingInvoice: report.invoice }, effects: [] }
        : unchanged(state)
    case 'hold-seen':
      return 'paymentHash' in state && state.paymentHash === report.paymentHash
        ? holdSeen(state, report.said, moment)
        : unchanged(state)
    case 'hold-failed':
      return holdFailed(state, report, moment)
    case 'payout':
      return payoutHeard(state, report, moment)
    case 'repayment':
      return repaymentHeard(state, report, moment)
    case 'time-passed':
      return timePassed(state, moment)
  }
}

type WithHash = Extract<MilestoneState, { paymentHash: string }>

function holdSeen(state: WithHash, said: HoldSaid, moment: Moment): MilestoneDecision {
  switch (state.phase) {
    case 'awaiting-funds':
      if (said.state === 'held') return accept(state, said, moment)
      if (said.state === 'cancelled') return closed(state, 'unfunded', moment)
      if (said.state === 'settling' || said.state === 'settled') {
        return premature(state, said.amountMsat, moment)
      }
      // The node has lost what it had made; making it twice is making it once.
      return said.state === 'absent' && state.fundingInvoice !== null
        ? { state, effects: [{ kind: 'create-hold', attempt: state.attempt, at: moment.now }] }
        : unchanged(state)
    case 'closing':
      if (said.state === 'cancelled') return closed(state, state.next, moment)
      return said.state === 'settling' || said.state === 'settled'
        ? premature(state, said.amountMsat, moment)
        : unchanged(state)
    case 'held':
    case 'proof-submitted':
    case 'disputed':
      if (said.state === 'cancelled') return refunded(state, 'hold-ended', moment)
      return said.state === 'settling' || said.state === 'settled'
        ? premature(state, state.heldMsat, moment)
        : unchanged(state)
    case 'releasing':
    case 'payout-unknown':
      return holdSeenWhilePaying(state, said, moment)
    case 'claiming':
      if (said.state === 'settled') return paid(state, state, 'claimed', moment)
      if (said.state === 'cancelled') return paid(state, state, 'gone', moment)
      return { state, effects: [lookAgain(state, moment)] }
    case 'refunding':
      if (said.state === 'cancelled') return refunded(state, state.cause, moment)
      return said.state === 'settling' || said.state === 'settled'
        ? premature(state, state.heldMsat, moment)
        : unchanged(state)
    case 'released':
    case 'refunded':
    case 'premature':
    case 'repaying':
    case 'repaid':
    case 'lost':
      return unchanged(state)
  }
}

/** An HTLC that is claimed on chain takes hours; the longer it took, the longer until we look again. */
function lookAgain(state: In<'claiming'>, { now }: Moment) {
  const waited = Math.max(now - state.since, 0)
  return { kind: 'look-up-hold', at: now + Math.min(Math.max(waited, 50), 60_000) } as const
}

function holdFailed(
  state: MilestoneState,
  { effect, attempt }: Heard<'hold-failed'>,
  moment: Moment,
): MilestoneDecision {
  if (!('attempt' in state) || state.attempt !== attempt) return unchanged(state)
  switch (state.phase) {
    case 'awaiting-funds':
      return effect === 'create-hold' ? createFailed(state, moment) : unchanged(state)
    case 'closing':
    case 'refunding':
      return effect === 'cancel-hold' ? again(state, effect, moment) : unchanged(state)
    case 'claiming':
      return effect === 'settle-hold' ? again(state, effect, moment) : unchanged(state)
  }
}

function again(
  state: In<'closing' | 'refunding' | 'claiming'>,
  effect: 'cancel-hold' | 'settle-hold',
  { now }: Moment,
): MilestoneDecision {
  const attempt = state.attempt + 1
  return {
    state: { ...state, attempt },
    effects: [{ kind: effect, attempt, at: now + retryDelayMs(state.attempt) }],
  }
}

function payoutHeard(state: MilestoneState, heard: Heard<'payout'>, moment: Moment): MilestoneDecision {
  const { report } = heard
  const isPaying = state.phase === 'releasing' || state.phase === 'payout-unknown'
  if (isPaying) {
    if (state.payee.paymentHash !== heard.paymentHash) return unchanged(state)
    if (state.payout !== null && state.tries === heard.try) return payoutReported(state, report, moment)
  }
  // A node that held a payout for failed may still correct itself: the worker has the money.
  if (report.kind !== 'outcome' || report.outcome.state !== 'succeeded') return unchanged(state)
  const { amountMsat: paidMsat, feeMsat: routingFeeMsat } = report.outcome
  const amounts = { paidMsat, routingFeeMsat }
  if (isPaying) return paid(state, amounts, state.hold, moment)
  if (state.phase === 'refunding') return paid(state, amounts, 'held', moment)
  if (state.phase === 'refunded') return paid(state, amounts, 'gone', moment)
  return state.phase === 'premature'
    ? paid({ ...state, heldMsat: state.owedMsat }, amounts, 'claimed', moment)
    : unchanged(state)
}

function repaymentHeard(state: MilestoneState, heard: Heard<'repayment'>, moment: Moment): MilestoneDecision {
  if (state.phase !== 'repaying' && state.phase !== 'premature') return unchanged(state)
  const { report } = heard
  if (
    state.phase === 'repaying' &&
    state.payee.paymentHash === heard.paymentHash &&
    state.tries === heard.try
  ) {
    if (state.repayment !== null) return repaymentReported(state, report, moment)
  }
  return report.kind === 'outcome' && report.outcome.state === 'succeeded'
    ? repaid(state, report.outcome.feeMsat, moment.now)
    : unchanged(state)
}

/** The clock, a block, or the sweeper that suspects a lost job. It never pays what may be in flight: it asks first. */
function timePassed(state: MilestoneState, moment: Moment): MilestoneDecision {
  const { now } = moment
  const lookUpHold = { kind: 'look-up-hold', at: now } as const
  switch (state.phase) {
    case 'awaiting-funds':
      if (now >= state.fundBy + FUNDING_GRACE_MS) return close(state, 'unfunded', moment)
      return state.fundingInvoice === null
        ? { state, effects: [{ kind: 'create-hold', attempt: state.attempt, at: now }] }
        : { state, effects: [lookUpHold] }
    case 'closing':
    case 'refunding':
      return { state, effects: [{ kind: 'cancel-hold', attempt: state.attempt, at: now }] }
    case 'held':
    case 'proof-submitted':
    case 'disputed':
      return workingTimePassed(state, moment) ?? { state, effects: [lookUpHold] }
    case 'releasing':
    case 'payout-unknown': {
      const { state: next, effects } =
        state.phase === 'releasing' && state.payout === null
          ? tryPayout(state, moment)
          : payoutReported(state, { kind: 'time-passed' }, moment)
      return { state: next, effects: [...effects, lookUpHold] }
    }
    case 'claiming':
      return { state, effects: [claimEffect(state, now)] }
    case 'repaying':
      return state.repayment === null
        ? tryRepayment(state, moment)
        : repaymentReported(state, { kind: 'time-passed' }, moment)
    case 'planned':
    case 'awaiting-invoice':
    case 'ready-to-fund':
    case 'released':
    case 'refunded':
    case 'premature':
    case 'repaid':
    case 'lost':
    case 'expired':
    case 'cancelled':
      return unchanged(state)
  }
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
