import { describe, expect, test } from 'vitest'
import { decideEscrow } from './escrow-machine.ts'
import type { EscrowCommand, EscrowState } from './escrow-states.ts'
import { fundingAmount, retryDelayMs } from './milestone-decision.ts'
import type { HoldSaid, Moment } from './milestone-states.ts'
import { payoutOrder, tryDelayMs } from './payout.ts'
import { repaymentOrder } from './repayment.ts'
import {
  accepted,
  ask,
  BUYER_HASH,
  FAILED,
  FUNDING_MSAT,
  HOUR_MS,
  milestoneIn,
  only,
  PAID,
  PAYOUT_MSAT,
  payout,
  reach,
  START,
  seen,
} from './testing/escrow-story.ts'

const MINUTE: Moment = { ...START, now: START.now + 60_000 }
const tell = (state: EscrowState, command: EscrowCommand, at = MINUTE) =>
  accepted(decideEscrow(state, command, at))
const settled: HoldSaid = { state: 'settled', amountMsat: FUNDING_MSAT }
const releasing = reach('releasing')
const { schedule, payout: first } = milestoneIn(releasing, 'releasing')

describe('what the node is asked to pay', () => {
  test('is the worker’s invoice, within the fee limit and within what is left of the hold', () => {
    expect(payoutOrder(only(releasing), { now: START.now + 10_000, height: START.height })).toMatchObject({
      paymentId: first!.nodePaymentId,
      invoice: 'lnbcrt-of-the-worker',
      amountMsat: PAYOUT_MSAT,
      maxFeeMsat: 100_000n,
      // 400 blocks − 17 (LDK's lead) − 36 (safety) − 1: the payout ends before the hold can.
      maxTotalCltvExpiryDelta: 346,
    })
  })

  test.each<[string, EscrowState, Moment]>([
    ['after its time', releasing, { ...START, now: first!.deadlineAt }],
    ['too close to the end of the hold', releasing, { ...START, height: schedule.latestPayoutHeight + 1 }],
    ['when the outcome is unknown', reach('payout-unknown'), START],
    ['when the buyer has the money back', tell(releasing, seen({ state: 'cancelled' })).state, START],
    ['when others know the preimage', tell(releasing, seen(settled)).state, START],
    ['while the milestone is held', reach('held'), START],
  ])('is nothing %s', (_when, state, at) => expect(payoutOrder(only(state), at)).toBeNull())

  test('a repayment is ordered while it is being sent and its time has not run out', () => {
    const repaying = reach('repaying')
    expect(repaymentOrder(only(repaying), START)).toMatchObject({
      invoice: 'lnbcrt-of-the-buyer',
      amountMsat: FUNDING_MSAT,
    })
    expect(repaymentOrder(only(repaying), { ...START, now: START.now + HOUR_MS })).toBeNull()
    expect(repaymentOrder(only(releasing), START)).toBeNull()
  })
})

describe('a payout that failed', () => {
  const waiting = tell(releasing, payout(FAILED), START).state
  const { tryAt } = milestoneIn(waiting, 'releasing')

  test('is tried again later, under another id', () => {
    expect(milestoneIn(waiting, 'releasing').payout).toBeNull()
    expect(tell(waiting, { kind: 'time-passed' }, START).effects).toContainEqual({ kind: 'wake', at: tryAt })
    const { state, effects } = tell(waiting, { kind: 'time-passed' }, { ...START, now: tryAt })
    const again = milestoneIn(state, 'releasing')
    expect(again.tries).toBe(2)
    expect(again.payout!.nodePaymentId).not.toBe(first!.nodePaymentId)
    expect(effects.map(({ kind }) => kind)).toContain('pay-out')
  })

  test('is refunded when no try can end in time', () => {
    const late = { now: tryAt, height: schedule.latestPayoutHeight + 1 }
    expect(milestoneIn(tell(waiting, { kind: 'time-passed' }, late).state, 'refunding').cause).toBe(
      'payout-failed',
    )
    const expired = { ...START, now: START.now + 31 * 24 * HOUR_MS }
    expect(milestoneIn(tell(waiting, { kind: 'time-passed' }, expired).state, 'refunding').cause).toBe(
      'payout-failed',
    )
  })

  test('and whose hold is claimed is a premature settlement; with the hold gone it is a refund', () => {
    const claimed = tell(tell(releasing, seen(settled)).state, payout(FAILED)).state
    expect(milestoneIn(claimed, 'premature').owedMsat).toBe(FUNDING_MSAT)
    const gone = tell(tell(releasing, seen({ state: 'cancelled' })).state, payout(FAILED)).state
    expect(milestoneIn(gone, 'refunded').cause).toBe('hold-ended')
  })

  test('waits less and less often, half an hour at most', () => {
    expect([1, 2, 3, 99].map(tryDelayMs)).toEqual([10_000, 20_000, 40_000, 1_800_000])
    expect([0, 1, 99].map(retryDelayMs)).toEqual([250, 500, 60_000])
  })
})

describe('while a payout is in flight', () => {
  test('a hold that is gone or claimed lets nothing more be paid: the node is only asked', () => {
    const gone = tell(releasing, seen({ state: 'cancelled' })).state
    const absent = { kind: 'outcome', attempt: first!.attempt, outcome: { state: 'absent' } } as const
    const report: EscrowCommand = {
      ...(payout(PAID) as Extract<EscrowCommand, { kind: 'payout' }>),
      report: absent,
    }
    expect(tell(releasing, report, START).effects.map(({ kind }) => kind)).toEqual(['pay-out'])
    expect(tell(gone, report, START).effects.map(({ kind }) => kind)).toEqual(['look-up-payout'])
  })

  test('the claim may be known before the payment’s end', () => {
    const claimed = tell(releasing, seen(settled)).state
    expect(milestoneIn(tell(claimed, payout(PAID)).state, 'released')).toMatchObject({
      heldMsat: FUNDING_MSAT,
      paidMsat: PAYOUT_MSAT,
      routingFeeMsat: 1_000n,
    })
    const claiming = tell(releasing, seen({ ...settled, state: 'settling' })).state
    expect(only(tell(claiming, payout(PAID)).state).phase).toBe('claiming')
    expect(tell(tell(releasing, seen(settled)).state, seen({ state: 'cancelled' })).state).toEqual(
      tell(releasing, seen(settled)).state,
    )
  })

  test('neither party, nor the guardian, nor time can refund', () => {
    const unknown = reach('payout-unknown')
    const late = { now: START.now + 90 * 24 * HOUR_MS, height: schedule.deadlineHeight + 1 }
    for (const state of [releasing, unknown]) {
      expect(decideEscrow(state, ask.refund, START)).toMatchObject({ refused: 'ESCROW_WRONG_PHASE' })
      expect(decideEscrow(state, { ...ask.refund, by: 'operator' }, START)).toMatchObject({
        refused: 'ESCROW_WRONG_PHASE',
      })
      const { effects } = tell(state, { kind: 'time-passed' }, late)
      expect(effects.map(({ kind }) => kind)).toEqual(['look-up-payout', 'look-up-hold'])
    }
  })
})

describe('a node that corrects itself: the worker has the money after all', () => {
  const waiting = tell(releasing, payout(FAILED), START).state
  test.each([
    ['between two tries', waiting, 'claiming'],
    [
      'during the next try',
      tell(waiting, { kind: 'time-passed' }, { ...START, now: START.now + HOUR_MS }).state,
      'claiming',
    ],
    ['while the refund is not done', tell(waiting, ask.refund).state, 'claiming'],
    ['after the refund', tell(tell(waiting, ask.refund).state, seen({ state: 'cancelled' })).state, 'lost'],
    ['after a premature settlement', tell(waiting, seen(settled)).state, 'released'],
  ])('%s', (_when, state, phase) => {
    expect(only(tell(state, payout(PAID)).state).phase).toBe(phase)
  })
})

describe('a repayment', () => {
  const repaying = reach('repaying')
  const report = (report: typeof PAID | typeof FAILED): EscrowCommand => ({
    kind: 'repayment',
    milestone: 0,
    paymentHash: BUYER_HASH,
    try: 1,
    report,
  })

  test('that failed is tried again, and needs another invoice once this one has expired', () => {
    const waiting = tell(repaying, report(FAILED), START).state
    const { tryAt, repayment, payee } = milestoneIn(waiting, 'repaying')
    expect(repayment).toBeNull()
    expect(tell(waiting, { kind: 'time-passed' }, START).effects).toEqual([{ kind: 'wake', at: tryAt }])
    const again = tell(waiting, { kind: 'time-passed' }, { ...START, now: tryAt })
    expect(milestoneIn(again.state, 'repaying').tries).toBe(2)
    const expired = tell(waiting, { kind: 'time-passed' }, { ...START, now: payee.expiresAt }).state
    expect(only(expired).phase).toBe('premature')
    expect(only(tell(expired, report(PAID)).state).phase).toBe('repaid')
    expect(only(tell(waiting, report(PAID)).state).phase).toBe('repaid')
  })
})

test('what the buyer locks is the payout and the fee', () => {
  expect(fundingAmount(only(releasing).terms)).toBe(FUNDING_MSAT)
})
