import type { Milestone, Task } from '@holdfast/client'
import { expect, test } from 'vitest'
import { endOf, type Locked } from './outcome.ts'

type Phase = Milestone['phase']

const PAYOUT_MSAT = 10_000_000n
const FEE_MSAT = 101_000n

const taskOf = (...phases: Phase[]) =>
  ({
    id: 'task-1',
    custody: 'HASH_LOCKED',
    milestones: phases.map((phase, index) => ({
      index,
      phase,
      feeMsat: FEE_MSAT,
      paidMsat: phase === 'RELEASED' ? PAYOUT_MSAT : null,
    })),
  }) as unknown as Task

const lockedOf = (index: number): Locked => ({
  index,
  fundingHash: `funding-${index}`,
  payoutHash: `payout-${index}`,
  heldMsat: PAYOUT_MSAT + FEE_MSAT,
  paymentId: `payment-${index}`,
})

const HELD = '10101000'
const NOTHING = { paidMsat: '0', feeMsat: '0' }
const ONE = { paidMsat: '10000000', feeMsat: '101000' }

test.each<[string, Phase[], object]>([
  ['released', ['RELEASED'], { heldMsat: HELD, fundingHash: 'funding-0', ...ONE }],
  ['refunded', ['REFUNDED'], { heldMsat: HELD, fundingHash: 'funding-0', ...NOTHING }],
  ['premature', ['REPAID'], { heldMsat: HELD, fundingHash: 'funding-0', ...NOTHING }],
  ['split', ['RELEASED', 'REFUNDED'], { heldMsat: '20202000', payoutHash: 'payout-0', ...ONE }],
  ['split', ['REFUNDED', 'RELEASED'], { heldMsat: '20202000', payoutHash: 'payout-1', ...ONE }],
])('%s is what became of %j', (outcome, phases, expected) => {
  const end = endOf(
    taskOf(...phases),
    phases.map((_, index) => lockedOf(index)),
    null,
    'head',
  )
  expect(end).toMatchObject({
    outcome,
    custody: 'hash-locked',
    preimage: null,
    journalHead: 'head',
    ...expected,
  })
})

test('has the fields that programs rely on, and no others', () => {
  const end = endOf(taskOf('RELEASED'), [lockedOf(0)], 'preimage', 'head')
  expect(Object.keys(end)).toEqual([
    'outcome',
    'custody',
    'fundingHash',
    'payoutHash',
    'preimage',
    'heldMsat',
    'paidMsat',
    'feeMsat',
    'journalHead',
  ])
})

test('says who could have claimed the money', () => {
  const task = { ...taskOf('RELEASED'), custody: 'COORDINATED' } as const
  expect(endOf(task, [lockedOf(0)], null, 'head').custody).toBe('coordinated')
})

test.each<[Phase[], Locked[]]>([
  [['LOST'], [lockedOf(0)]],
  [
    ['RELEASED', 'REPAID'],
    [lockedOf(0), lockedOf(1)],
  ],
  [['CANCELLED'], []],
])('%j is no end that the demo tells', (phases, locked) => {
  expect(() => endOf(taskOf(...phases), locked, null, 'head')).toThrowError(
    expect.objectContaining({ code: 'ESCROW_ENDED_OTHERWISE' }),
  )
})
