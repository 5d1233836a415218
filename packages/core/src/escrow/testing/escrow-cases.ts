import { isRefusal } from '../../refusals.ts'
import { decideEscrow } from '../escrow-machine.ts'
import type { EscrowCommand, EscrowPhase, EscrowState } from '../escrow-states.ts'
import type { HoldSaid, MilestoneState, Moment, Phase } from '../milestone-states.ts'
import {
  ARBITER,
  ask,
  BUYER,
  BUYER_HASH,
  FAILED,
  FUNDING_MSAT,
  HELD,
  HOUR_MS,
  holdHash,
  invoice,
  only,
  PAID,
  PLAN,
  START,
  STRANGER,
  seen,
  UNKNOWN,
  WORKER,
} from './escrow-story.ts'

export type Case = { readonly name: string; readonly command: EscrowCommand; readonly at: Moment }

const SOON: Moment = { ...START, now: START.now + 60_000 }
const settled = (state: 'settling' | 'settled' | 'lost'): HoldSaid => ({ state, amountMsat: FUNDING_MSAT })

/** Everything that a milestone can be asked or told, made to fit the one at hand. */
export function milestoneCases(escrow: EscrowState): Case[] {
  const { custody } = escrow
  const milestone = only(escrow)
  const at = (name: string, command: EscrowCommand, moment = SOON): Case => ({ name, command, at: moment })
  const told = (name: string, said: HoldSaid) => at(`hold-seen: ${name}`, seen(said, custody))
  const attempt = 'attempt' in milestone ? milestone.attempt : 0
  const failed = (effect: 'create-hold' | 'cancel-hold' | 'settle-hold') =>
    at(`hold-failed: ${effect}`, { kind: 'hold-failed', milestone: 0, effect, attempt })
  return [
    at('submit-invoice', ask.invoice),
    at('fund', ask.fund),
    at('submit-proof', ask.proof),
    at('approve', ask.approve),
    at('approve, too late', ask.approve, afterHeight(escrow, 'latestPayoutHeight')),
    at('request-revision', ask.revision),
    at('open-dispute', ask.dispute),
    at('resolve-dispute to release', { kind: 'resolve-dispute', by: ARBITER, milestone: 0, to: 'release' }),
    at('resolve-dispute to refund', { kind: 'resolve-dispute', by: ARBITER, milestone: 0, to: 'refund' }),
    at('refund, by the worker', ask.refund),
    at('refund, by the operator', { ...ask.refund, by: 'operator' }),
    at('refund, by the buyer', { ...ask.refund, by: BUYER }),
    at('submit-refund-invoice', ask.refundInvoice),
    at('cancel', { kind: 'cancel', by: BUYER }),
    at('assign, another worker', { kind: 'assign', by: BUYER, worker: STRANGER }),
    at('hold-created', {
      kind: 'hold-created',
      milestone: 0,
      paymentHash: holdHash(custody),
      invoice: 'lnbcrt-of-the-operator',
    }),
    told('held', HELD),
    at('hold-seen: held, no room', { ...seen(HELD, custody), noRoom: true }),
    told('held, too little', { ...HELD, amountMsat: FUNDING_MSAT - 1n } as HoldSaid),
    told('settling', settled('settling')),
    told('settled', settled('settled')),
    told('lost', settled('lost')),
    told('cancelled', { state: 'cancelled' }),
    told('absent', { state: 'absent' }),
    failed('create-hold'),
    failed('cancel-hold'),
    failed('settle-hold'),
    ...paymentCases(milestone, at),
    at('time-passed: nothing is due', { kind: 'time-passed' }),
    at(
      'time-passed: the funding invoice expired',
      { kind: 'time-passed' },
      { ...START, now: START.now + 1.1 * HOUR_MS },
    ),
    at(
      'time-passed: the objection window ended',
      { kind: 'time-passed' },
      { ...START, now: START.now + 2.1 * HOUR_MS },
    ),
    at(
      'time-passed: the proof was due',
      { kind: 'time-passed' },
      { ...START, now: START.now + 10.1 * HOUR_MS },
    ),
    at('time-passed: the guardian’s height', { kind: 'time-passed' }, afterHeight(escrow, 'guardianHeight')),
    at(
      'time-passed: too late for a payout',
      { kind: 'time-passed' },
      afterHeight(escrow, 'latestPayoutHeight'),
    ),
    at('time-passed: the escrow’s deadline', { kind: 'time-passed' }, { ...START, now: PLAN.deadlineAt }),
  ]
}

function paymentCases(milestone: MilestoneState, at: (name: string, command: EscrowCommand) => Case): Case[] {
  const paying =
    milestone.phase === 'repaying' ? milestone.repayment : 'payout' in milestone ? milestone.payout : null
  const attempt = paying?.attempt ?? 0
  const tries = 'tries' in milestone ? milestone.tries : 1
  const outcomes = {
    succeeded: PAID.outcome,
    failed: FAILED.outcome,
    unknown: UNKNOWN.outcome,
    pending: { state: 'pending', paymentHash: null },
  } as const
  return (['payout', 'repayment'] as const).flatMap((kind) =>
    Object.entries(outcomes).map(([state, outcome]) => {
      const paymentHash = kind === 'payout' ? invoice().paymentHash : BUYER_HASH
      const report = { kind: 'outcome', attempt, outcome } as const
      return at(`${kind}: ${state}`, { kind, milestone: 0, paymentHash, try: tries, report })
    }),
  )
}

function afterHeight(escrow: EscrowState, which: 'guardianHeight' | 'latestPayoutHeight'): Moment {
  const milestone = only(escrow)
  const height = 'schedule' in milestone ? milestone.schedule[which] + 1 : START.height
  return { ...SOON, height }
}

/** Everything that an escrow itself can be asked or told. */
export function escrowCases(): Case[] {
  const at = (name: string, command: EscrowCommand, moment = SOON): Case => ({ name, command, at: moment })
  return [
    at('update', { kind: 'update', by: BUYER, plan: PLAN }),
    at('publish', { kind: 'publish', by: BUYER }),
    at('apply', { kind: 'apply', by: STRANGER, message: 'Me too.' }),
    at('assign', { kind: 'assign', by: BUYER, worker: WORKER }),
    at('cancel', { kind: 'cancel', by: BUYER }),
    at('time-passed: the deadline', { kind: 'time-passed' }, { ...START, now: PLAN.deadlineAt }),
  ]
}

export type Outcome =
  | { readonly refused: string }
  | { readonly to: string; readonly effects: readonly string[]; readonly same: boolean }

export function outcomeOf(
  before: EscrowState,
  { command, at }: Case,
  phaseOf: (state: EscrowState) => Phase | EscrowPhase['phase'],
): Outcome {
  const decision = decideEscrow(before, command, at)
  if (isRefusal(decision)) return { refused: decision.refused }
  const { state, effects } = decision
  return { to: phaseOf(state), effects: effects.map(({ kind }) => kind), same: state === before }
}
