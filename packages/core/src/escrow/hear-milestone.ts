import { workingTimePassed } from './delivery.ts'
import { close } from './funding.ts'
import { holdFailed, holdSeen } from './hear-hold.ts'
import { claimEffect, type MilestoneDecision, paid, unchanged } from './milestone-decision.ts'
import type { MilestoneReport, MilestoneState, Moment } from './milestone-states.ts'
import { payoutReported, tryPayout } from './payout.ts'
import { repaid, repaymentReported, tryRepayment } from './repayment.ts'
import { FUNDING_GRACE_MS } from './schedule.ts'

type Heard<K extends MilestoneReport['kind']> = Extract<MilestoneReport, { kind: K }>

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
        ? holdSeen(state, report, moment)
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
    ? paid({ ...state, heldMsat: state.owedMsat }, amounts, state.claimLost ? 'lost' : 'claimed', moment)
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
