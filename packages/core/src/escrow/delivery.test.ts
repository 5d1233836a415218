import { describe, expect, test } from 'vitest'
import { MAX_PROOF_BYTES, MAX_REVISIONS } from './delivery.ts'
import { decideEscrow } from './escrow-machine.ts'
import type { EscrowCommand } from './escrow-states.ts'
import {
  accepted,
  ask,
  FUNDING_MSAT,
  HELD,
  HOUR_MS,
  milestoneIn,
  only,
  reach,
  run,
  START,
  seen,
} from './testing/escrow-story.ts'

const held = reach('held')
const { schedule, dueAt } = milestoneIn(held, 'held')
const TICK: EscrowCommand = { kind: 'time-passed' }
const atHeight = (height: number) => ({ now: START.now + HOUR_MS, height })

describe('funding', () => {
  const waiting = reach('awaiting-funds')
  test.each([
    ['less than was asked', FUNDING_MSAT - 1n, 'refunding'],
    ['exactly what was asked', FUNDING_MSAT, 'held'],
    ['twice of it', 2n * FUNDING_MSAT, 'held'],
    ['more than twice', 2n * FUNDING_MSAT + 1n, 'refunding'],
  ])('with %s', (_what, amountMsat, phase) => {
    const report = seen({ ...HELD, amountMsat } as typeof HELD)
    expect(only(accepted(decideEscrow(waiting, report, START)).state).phase).toBe(phase)
  })

  test('with an HTLC that ends before the work can is given back', () => {
    const report = seen({ state: 'held', amountMsat: FUNDING_MSAT, claimDeadlineHeight: START.height + 200 })
    expect(milestoneIn(accepted(decideEscrow(waiting, report, START)).state, 'refunding').cause).toBe(
      'hold-too-short',
    )
  })

  test('a hold that cannot be made until the invoice would have expired is given up', () => {
    const failed: EscrowCommand = { kind: 'hold-failed', milestone: 0, effect: 'create-hold', attempt: 0 }
    const later = { ...START, now: START.now + 1.1 * HOUR_MS }
    expect(only(accepted(decideEscrow(waiting, failed, later)).state).phase).toBe('closing')
  })
})

describe('a proof', () => {
  test.each([
    ['', 'ESCROW_TEXT_INVALID'],
    ['x'.repeat(MAX_PROOF_BYTES + 1), 'ESCROW_TEXT_INVALID'],
  ])('of another length is refused', (text, code) => {
    expect(decideEscrow(held, { ...ask.proof, text }, START)).toMatchObject({ refused: code })
  })

  test('is refused once the guardian has decided, and late before that', () => {
    expect(decideEscrow(held, ask.proof, atHeight(schedule.guardianHeight))).toMatchObject({
      refused: 'ESCROW_TOO_LATE',
    })
    const late = accepted(decideEscrow(held, ask.proof, atHeight(schedule.dueHeight + 1))).state
    expect(milestoneIn(late, 'proof-submitted').proof.inTime).toBe(false)
  })

  test('in time is released by the guardian when nobody objected; a late one is refunded', () => {
    const submitted = (height: number) => accepted(decideEscrow(held, ask.proof, atHeight(height))).state
    const guardian = atHeight(schedule.guardianHeight)
    const inTime = accepted(decideEscrow(submitted(schedule.dueHeight), TICK, guardian)).state
    expect(milestoneIn(inTime, 'releasing').approval).toBe('no-objection')
    const late = accepted(decideEscrow(submitted(schedule.dueHeight + 1), TICK, guardian)).state
    expect(milestoneIn(late, 'refunding').cause).toBe('not-approved')
  })

  test('that is missing when it is due gives the buyer the money back', () => {
    const before = { ...START, now: dueAt - 1 }
    expect(accepted(decideEscrow(held, TICK, before)).state).toBe(held)
    const due = accepted(decideEscrow(held, TICK, { ...START, now: dueAt })).state
    expect(milestoneIn(due, 'refunding').cause).toBe('proof-missing')
  })
})

describe('an objection', () => {
  test('prolongs the work as long as the buyer had to object, and only so many times', () => {
    let state = held
    const late = { ...START, now: dueAt - 1 }
    for (let round = 1; round <= MAX_REVISIONS; round++) {
      state = accepted(decideEscrow(state, ask.proof, late)).state
      state = accepted(decideEscrow(state, ask.revision, late)).state
      expect(milestoneIn(state, 'held')).toMatchObject({ revisions: round, dueAt: late.now + 2 * HOUR_MS })
    }
    state = accepted(decideEscrow(state, ask.proof, late)).state
    expect(decideEscrow(state, ask.revision, late)).toMatchObject({ refused: 'ESCROW_REVISIONS_EXHAUSTED' })
  })

  test.each([
    { ...ask.revision, reason: '' },
    { ...ask.dispute, reason: 'x'.repeat(4_097) },
  ])('says why: $kind', (request) => {
    expect(decideEscrow(reach('proof-submitted'), request, START)).toMatchObject({
      refused: 'ESCROW_TEXT_INVALID',
    })
  })
})

describe('a dispute', () => {
  test('is not opened when the arbiters would have no time', () => {
    expect(decideEscrow(held, ask.dispute, atHeight(schedule.guardianHeight))).toMatchObject({
      refused: 'ESCROW_TOO_LATE',
    })
  })

  test('keeps the proof, stops the objection window, and ends as a refund when nobody decided', () => {
    const disputed = run([ask.dispute], reach('proof-submitted'))
    expect(milestoneIn(disputed, 'disputed').proof).not.toBeNull()
    const windowOver = { ...START, now: START.now + 100 * HOUR_MS }
    expect(accepted(decideEscrow(disputed, TICK, windowOver)).state).toBe(disputed)
    const end = accepted(decideEscrow(disputed, TICK, atHeight(schedule.guardianHeight))).state
    expect(milestoneIn(end, 'refunding').cause).toBe('dispute-unresolved')
  })
})
