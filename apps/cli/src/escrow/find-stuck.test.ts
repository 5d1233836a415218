import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { MilestoneState } from '@holdfast/core/escrow/milestone-states'
import { describe, expect, test } from 'vitest'
import { escrowText } from './escrow-text.ts'
import { byUrgency, findStuck, NEXT_STEP, type StuckReason, stuckJob } from './find-stuck.ts'

const NOW = 1_800_000_000_000
const MINUTE_MS = 60_000
const HASH = 'ab'.repeat(32)
const question = { now: NOW, height: 1_000, withinBlocks: 144 }

/** Of what a milestone has in some phase, only what is looked at. */
function escrowWith(...milestones: object[]): EscrowState {
  const frame = (index: number) => ({
    index,
    custody: 'hash-locked',
    nodeId: '02'.repeat(33),
    terms: { title: 'A box', payoutMsat: 50_000_000n, feeMsat: 501_000n },
    paymentHash: HASH,
  })
  return {
    id: 'escrow-1',
    kind: 'order',
    custody: 'hash-locked',
    title: 'Oranges',
    phase: 'active',
    buyer: 'b'.repeat(64),
    worker: 'a'.repeat(64),
    arbiter: null,
    nodeId: '02'.repeat(33),
    createdAt: NOW,
    deadlineAt: NOW,
    milestones: milestones.map((milestone, index) => ({ ...frame(index), ...milestone }) as MilestoneState),
  } as unknown as EscrowState
}

const textOf = (state: EscrowState, openClaims: string[] = []) =>
  escrowText({ state, openClaims, workerPrematureSettlements: 0 })

const schedule = (deadlineHeight: number) => ({ schedule: { guardianHeight: 900, deadlineHeight } })
const held = { phase: 'held', heldMsat: 50_501_000n, ...schedule(1_144) }

describe('a milestone is stuck', () => {
  test.each<[string, object, StuckReason, string]>([
    ['so many blocks before its hold ends', held, 'near-deadline', '144 blocks until the hold ends at 1144'],
    [
      'while nobody knows of its payout',
      { phase: 'payout-unknown', ...schedule(2_000) },
      'payout-unknown',
      'neither paid again nor refunded',
    ],
    [
      'while nobody knows of its repayment',
      { phase: 'repaying', owedMsat: 1n, repayment: { phase: 'unknown' } },
      'payout-unknown',
      'not paid again',
    ],
    [
      'while the buyer is owed',
      { phase: 'premature', owedMsat: 50_501_000n },
      'owed',
      '50501000 msat are owed',
    ],
    [
      'while a repayment goes on',
      { phase: 'repaying', owedMsat: 7n, repayment: null },
      'owed',
      '7 msat are owed',
    ],
    [
      'when its claim takes too long',
      { phase: 'claiming', since: NOW - 11 * MINUTE_MS },
      'slow-end',
      'awaited for 11 min',
    ],
    [
      'when its claim takes days',
      { phase: 'claiming', since: NOW - 3_000 * MINUTE_MS },
      'slow-end',
      'awaited for 50 h',
    ],
    ['when its hold is not let go', { phase: 'refunding', attempt: 4 }, 'slow-end', 'asked 4 times'],
    ['when an unpaid hold is not finished', { phase: 'closing', attempt: 9 }, 'slow-end', 'asked 9 times'],
  ])('%s', (_what, milestone, reason, detail) => {
    const found = findStuck(
      { state: escrowWith({ phase: 'released', endedAt: NOW }, milestone), openClaims: [], lookAt: null },
      question,
    )
    expect(found).toMatchObject([
      { reason, escrow: 'escrow-1', milestone: 1, detail: expect.stringContaining(detail) },
    ])
    expect(NEXT_STEP[reason]).not.toBe('')
  })

  test.each<[string, object]>([
    ['a block earlier', { ...held, ...schedule(1_145) }],
    ['while its claim is young', { phase: 'claiming', since: NOW - 10 * MINUTE_MS }],
    ['while its hold is being let go', { phase: 'refunding', attempt: 3 }],
    ['when it has ended', { phase: 'lost', endedAt: NOW }],
  ])('but not %s', (_what, milestone) => {
    expect(findStuck({ state: escrowWith(milestone), openClaims: [], lookAt: null }, question)).toEqual([])
  })

  test('whose deadline nobody can count is not said to be near', () => {
    const state = escrowWith(held)
    expect(findStuck({ state, openClaims: [], lookAt: null }, { ...question, height: null })).toEqual([])
  })
})

test.each<[string, object]>([
  ['a release', { phase: 'released', endedAt: NOW - 121 * MINUTE_MS }],
  ['a premature settlement', { phase: 'premature', owedMsat: 1n, since: NOW - 121 * MINUTE_MS }],
  ['one that was repaid since', { phase: 'repaid', owedMsat: 1n, endedAt: NOW - 121 * MINUTE_MS }],
])('the claim of %s that is open for more than two hours is told', (_what, milestone) => {
  const [state, lookAt] = [escrowWith(milestone), null]
  const claims = (openClaims: string[], now = NOW) =>
    findStuck({ state, openClaims, lookAt }, { ...question, now }).filter(
      ({ reason }) => reason === 'open-claim',
    )
  expect(claims([HASH])).toMatchObject([{ milestone: 0, detail: expect.stringContaining('2 h ago') }])
  expect(claims([HASH], NOW - MINUTE_MS)).toEqual([])
  expect(claims([])).toEqual([])
  expect(textOf(state, [HASH])).toContain('the claim is not final yet')
  expect(textOf(state)).toContain('the claim is final')
})

test('a claim that was lost, and owed all the same, is told as such', () => {
  const state = escrowWith({ phase: 'premature', owedMsat: 1n, claimLost: true })
  expect(textOf(state)).toContain('the operator bears what is owed')
})

test('an escrow is silent two minutes after it should have been heard of', () => {
  const state = escrowWith()
  const lookAt = (ms: number) => ({ state, openClaims: [], lookAt: new Date(NOW - ms) })
  expect(findStuck(lookAt(2 * MINUTE_MS), question)).toEqual([])
  expect(findStuck(lookAt(3 * MINUTE_MS), question)).toMatchObject([{ reason: 'silent', milestone: null }])
})

test('fewest blocks come first, then what waiting costs most', () => {
  const letter = {
    jobId: '7',
    task: 'escrow:wake',
    escrow: null,
    milestone: null,
    attempts: 25,
    failedAt: NOW,
    error: '',
  }
  const milestones = [
    { phase: 'premature', owedMsat: 1n },
    { phase: 'payout-unknown', ...schedule(1_100) },
    { ...held, ...schedule(1_010) },
  ]
  const found = [
    stuckJob(letter),
    ...findStuck({ state: escrowWith(...milestones), openClaims: [], lookAt: new Date(0) }, question),
  ].sort(byUrgency)
  expect(found.map(({ reason, blocksLeft }) => [reason, blocksLeft])).toEqual([
    ['near-deadline', 10],
    ['near-deadline', 100],
    ['payout-unknown', 100],
    ['owed', null],
    ['dead-letter', null],
    ['silent', null],
  ])
})

test('an escrow is told with whatever its milestones have', () => {
  const state = {
    ...escrowWith(
      {
        phase: 'released',
        heldMsat: 50_501_000n,
        paidMsat: 50_000_000n,
        routingFeeMsat: 1_005n,
        endedAt: NOW,
      },
      { phase: 'refunded', heldMsat: 1n, cause: 'proof-missing', endedAt: NOW },
      { phase: 'repaid', owedMsat: 50_501_000n, routingFeeMsat: 0n, endedAt: NOW },
    ),
    worker: null,
    phase: 'completed',
    endedAt: NOW,
  } as const
  const text = textOf(state)
  expect(text).toContain('phase     completed since 2027-01-15T08:00:00Z')
  expect(text).toContain('worker    none yet')
  expect(text).toContain('locked 50501 sat, paid 50000 sat, routing 1.005 sat')
  expect(text).toContain('locked 0.001 sat, because proof-missing')
  expect(text).toContain('owed to the buyer 50501 sat, routing 0 sat')
})

test('the runbook has a section for every reason', () => {
  const runbook = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'runbooks', 'stuck-holds.md')
  const sections = [...readFileSync(runbook, 'utf8').matchAll(/^## (.+)$/gm)].map(([, title]) => title)
  expect(sections).toEqual(expect.arrayContaining(Object.keys(NEXT_STEP)))
})
