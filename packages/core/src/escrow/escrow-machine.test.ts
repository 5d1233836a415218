import { describe, expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import { decideEscrow, guardianHeight, replayEscrow } from './escrow-machine.ts'
import { MAX_APPLICATIONS } from './escrow-requests.ts'
import type { CreateRequest, EscrowCommand, EscrowPlan, EscrowState, MilestonePlan } from './escrow-states.ts'
import { acceptsPreimage, committedMsat } from './milestone-facts.ts'
import { MILESTONE_PHASES } from './milestone-states.ts'
import { usualHoldBlocks } from './plan.ts'
import { OPERATOR, roleOf } from './roles.ts'
import { milestoneCases } from './testing/escrow-cases.ts'
import {
  ARBITER,
  accepted,
  ask,
  BUYER,
  creation,
  FUNDING_MSAT,
  HOUR_MS,
  invoice,
  milestoneIn,
  only,
  PAYOUT_MSAT,
  PLAN,
  pathTo,
  reach,
  reachSituations,
  run,
  START,
  STRANGER,
  seen,
  WORKER,
} from './testing/escrow-story.ts'

const situations = (['hash-locked', 'coordinated'] as const).flatMap((custody) => [
  ...MILESTONE_PHASES.filter(
    (phase) => custody === 'hash-locked' || (phase !== 'awaiting-invoice' && phase !== 'ready-to-fund'),
  ).map((phase) => [`${custody}, ${phase}`, reach(phase, custody)] as const),
  ...reachSituations(custody).map(([name, state]) => [`${custody}, ${name}`, state] as const),
])

describe.each(situations)('%s', (_name, before) => {
  test('a report is never refused, and heard twice it is heard once', () => {
    for (const { name, command, at } of milestoneCases(before)) {
      if ('by' in command || command.kind === 'time-passed') continue
      const once = accepted(decideEscrow(before, command, at))
      const twice = accepted(decideEscrow(once.state, command, { ...at, now: at.now + 1 }))
      expect([name, twice.state]).toEqual([name, once.state])
    }
  })

  test('a report about another milestone, hash or try changes nothing', () => {
    const other = 'ff'.repeat(32)
    const { report } = milestoneCases(before).find(({ name }) => name === 'payout: failed')!
      .command as Extract<EscrowCommand, { kind: 'payout' }>
    const strange: EscrowCommand[] = [
      { kind: 'hold-seen', milestone: 0, paymentHash: other, said: { state: 'cancelled' } },
      { kind: 'hold-created', milestone: 0, paymentHash: other, invoice: 'lnbcrt' },
      { kind: 'hold-failed', milestone: 0, effect: 'cancel-hold', attempt: 99 },
      { kind: 'payout', milestone: 0, paymentHash: other, try: 1, report },
      { kind: 'payout', milestone: 0, paymentHash: invoice().paymentHash, try: 99, report },
      { kind: 'repayment', milestone: 0, paymentHash: other, try: 1, report },
      { ...seen({ state: 'cancelled' }), milestone: 7 } as EscrowCommand,
    ]
    for (const command of strange)
      expect(decideEscrow(before, command, START)).toEqual({ state: before, effects: [] })
  })

  test('a stranger may do nothing', () => {
    for (const { command, at } of milestoneCases(before)) {
      if (!('by' in command) || command.kind === 'create') continue
      expect(decideEscrow(before, { ...command, by: STRANGER }, at)).toMatchObject({
        refused: 'ESCROW_WRONG_PARTY',
      })
    }
  })
})

describe('roles', () => {
  const escrow = reach('disputed')
  test.each([
    [BUYER, 'buyer'],
    [WORKER, 'worker'],
    [ARBITER, 'arbiter'],
    [OPERATOR, 'operator'],
    [STRANGER, 'stranger'],
  ])('%s is the %s', (key, role) => expect(roleOf(escrow, key)).toBe(role))

  test.each<[string, EscrowCommand]>([
    ['the operator approves', { ...ask.approve, by: OPERATOR }],
    ['the worker approves', { ...ask.approve, by: WORKER }],
    ['the buyer decides the dispute', { kind: 'resolve-dispute', by: BUYER, milestone: 0, to: 'refund' }],
    [
      'the operator decides the dispute',
      { kind: 'resolve-dispute', by: OPERATOR, milestone: 0, to: 'release' },
    ],
    ['the arbiter refunds', { ...ask.refund, by: ARBITER }],
  ])('%s: refused', (_what, command) => {
    expect(decideEscrow(escrow, command, START)).toMatchObject({ refused: 'ESCROW_WRONG_PARTY' })
  })
})

describe('a plan', () => {
  const [milestone] = PLAN.milestones as [MilestonePlan]
  const create = (more: Partial<CreateRequest>) => decideEscrow(null, creation('hash-locked', more), START)
  const withPlan = (more: Partial<EscrowPlan>) => create({ plan: { ...PLAN, ...more } })
  const withMilestone = (more: Partial<MilestonePlan>) =>
    withPlan({ milestones: [{ ...milestone, ...more }] })

  test.each([
    ['no title', withPlan({ title: '' })],
    ['a title of which nothing is seen', withPlan({ title: ' \u{200b}\u{2003}' })],
    ['a title of two lines', withPlan({ title: 'Paint\nthe barn' })],
    ['a title that is too long', withPlan({ title: '₿'.repeat(67) })],
    ['a description that is too long', withPlan({ description: 'x'.repeat(16_385) })],
    ['the buyer as arbiter', withPlan({ arbiter: BUYER })],
    ['a deadline that is past', withPlan({ deadlineAt: START.now })],
    ['a deadline in two years', withPlan({ deadlineAt: START.now + 2 * 366 * 24 * HOUR_MS })],
    ['no milestone', withPlan({ milestones: [] })],
    ['21 milestones', withPlan({ milestones: Array(21).fill(milestone) })],
    ['a milestone without title', withMilestone({ title: '' })],
    ['a payout of dust', withMilestone({ payoutMsat: 999_999n })],
    ['a payout beyond half the supply', withMilestone({ payoutMsat: 1_050_000_000_000_000_001n })],
    ['no time to work', withMilestone({ workMs: 0 })],
    ['half a millisecond', withMilestone({ workMs: 0.5 })],
    ['no time to object', withMilestone({ objectionMs: 59_999 })],
    ['a hold of no block', withMilestone({ holdBlocks: 0 })],
    ['a hold of 865 blocks', withMilestone({ holdBlocks: 865 })],
    ['an order without a seller', create({ escrowKind: 'order' })],
    ['an order that is coordinated', create({ escrowKind: 'order', worker: WORKER, custody: 'coordinated' })],
    ['a task with a worker', create({ worker: WORKER })],
    ['an order from oneself', create({ escrowKind: 'order', worker: BUYER })],
    ['an order from the arbiter', create({ escrowKind: 'order', worker: ARBITER })],
  ])('with %s is refused', (_what, decision) => {
    expect(decision).toMatchObject({ refused: 'ESCROW_TERMS_INVALID' })
  })

  test('whose times do not fit into the hold is told how many blocks it needs', () => {
    expect(withMilestone({ workMs: 31 * HOUR_MS })).toEqual({
      refused: 'ESCROW_HOLD_TOO_SHORT',
      data: { neededBlocks: 573, mostBlocks: 864 },
    })
    expect(isRefusal(withMilestone({ workMs: 31 * HOUR_MS, holdBlocks: 573 }))).toBe(false)
  })

  test('that names no hold gets one as long as it needs, within the limits', () => {
    expect(usualHoldBlocks({ workMs: HOUR_MS, objectionMs: HOUR_MS })).toBe(341)
    expect(usualHoldBlocks({ workMs: 500 * HOUR_MS, objectionMs: HOUR_MS })).toBe(864)
  })

  test('becomes terms: the fee is shown before anybody funds', () => {
    expect(only(run([creation()])).terms).toMatchObject({
      payoutMsat: PAYOUT_MSAT,
      feeMsat: 501_000n,
      routingFeeLimitMsat: 100_000n,
    })
  })

  test('an escrow is created once, and nothing happens to one that was not', () => {
    expect(decideEscrow(reach('held'), creation(), START)).toMatchObject({ refused: 'REQUEST_INVALID' })
    expect(decideEscrow(null, { kind: 'time-passed' }, START)).toMatchObject({ refused: 'ESCROW_NOT_FOUND' })
    expect(decideEscrow(reach('held'), { ...ask.approve, milestone: 1 }, START)).toMatchObject({
      refused: 'ESCROW_NOT_FOUND',
    })
  })
})

describe('before money is locked', () => {
  const open = run([creation(), { kind: 'publish', by: BUYER }])
  const apply = (by: string): EscrowCommand => ({ kind: 'apply', by, message: 'me' })

  test('an order goes straight to its seller’s invoice', () => {
    const order = creation('hash-locked', { escrowKind: 'order', worker: WORKER })
    const state = run([order, { kind: 'publish', by: BUYER }])
    expect([state.phase, only(state).phase]).toEqual(['assigned', 'awaiting-invoice'])
    expect(decideEscrow(state, { kind: 'assign', by: BUYER, worker: STRANGER }, START)).toMatchObject({
      refused: 'ESCROW_WRONG_PHASE',
    })
    const arbiter = { kind: 'update', by: BUYER, plan: { ...PLAN, arbiter: WORKER } } as const
    expect(decideEscrow(run([order]), arbiter, START)).toMatchObject({ refused: 'ESCROW_TERMS_INVALID' })
  })

  test('an update drops the applications, which were for other terms', () => {
    const applied = run([apply(WORKER)], open)
    const plan = { ...PLAN, title: 'Paint the barn' }
    const { state, effects } = accepted(decideEscrow(applied, { kind: 'update', by: BUYER, plan }, START))
    expect(state).toMatchObject({ phase: 'open', title: 'Paint the barn', applications: [] })
    expect(effects).toEqual([{ kind: 'wake', at: PLAN.deadlineAt }])
    const wrong = { kind: 'update', by: BUYER, plan: { ...PLAN, title: '' } } as const
    expect(decideEscrow(applied, wrong, START)).toMatchObject({ refused: 'ESCROW_TERMS_INVALID' })
    expect(decideEscrow(reach('held'), { kind: 'update', by: BUYER, plan }, START)).toMatchObject({
      refused: 'ESCROW_WRONG_PHASE',
    })
  })

  test('one applies once, in few words, and only so many may', () => {
    const applied = run([apply(WORKER)], open)
    expect(decideEscrow(applied, apply(WORKER), START)).toMatchObject({ refused: 'ESCROW_ALREADY_APPLIED' })
    const long = { kind: 'apply', by: STRANGER, message: 'x'.repeat(2_049) } as const
    expect(decideEscrow(applied, long, START)).toMatchObject({ refused: 'ESCROW_TEXT_INVALID' })
    const application = { worker: 'someone', message: '', at: 0 }
    const full = { ...open, applications: Array(MAX_APPLICATIONS).fill(application) } as EscrowState
    expect(decideEscrow(full, apply(WORKER), START)).toMatchObject({ refused: 'ESCROW_APPLICATIONS_FULL' })
    expect(decideEscrow(run([creation()]), apply(WORKER), START)).toMatchObject({
      refused: 'ESCROW_WRONG_PHASE',
    })
    expect(decideEscrow(open, { kind: 'assign', by: BUYER, worker: WORKER }, START)).toMatchObject({
      refused: 'ESCROW_NOT_AN_APPLICANT',
    })
  })

  test('what could not be paid out is not funded', () => {
    const short = { ...ask.fund, spendableMsat: PAYOUT_MSAT + 99_999n }
    expect(decideEscrow(reach('ready-to-fund'), short, START)).toMatchObject({
      refused: 'ESCROW_LIQUIDITY_LACKING',
    })
    const just = { ...ask.fund, spendableMsat: PAYOUT_MSAT + 100_000n }
    expect(isRefusal(decideEscrow(reach('ready-to-fund'), just, START))).toBe(false)
  })

  test('nothing is funded after the deadline, in a draft, or without the hash of a coordinated hold', () => {
    const late = { ...START, now: PLAN.deadlineAt }
    expect(decideEscrow(reach('ready-to-fund'), ask.fund, late)).toMatchObject({
      refused: 'ESCROW_WRONG_PHASE',
    })
    const draft = run([creation('coordinated')])
    expect(decideEscrow(draft, ask.fund, START)).toMatchObject({ refused: 'ESCROW_WRONG_PHASE' })
    const hashless = { ...ask.fund, paymentHash: null }
    expect(decideEscrow(reach('planned', 'coordinated'), hashless, START)).toMatchObject({
      refused: 'REQUEST_INVALID',
    })
  })

  test('the deadline ends what nobody funded, and a cancellation too, once', () => {
    const late = { ...START, now: PLAN.deadlineAt }
    const { state } = accepted(decideEscrow(open, { kind: 'time-passed' }, late))
    expect(state).toMatchObject({ phase: 'expired', endedAt: late.now })
    expect(accepted(decideEscrow(state, { kind: 'time-passed' }, late)).state).toBe(state)
    const cancelled = accepted(decideEscrow(open, { kind: 'cancel', by: BUYER }, START)).state
    expect(cancelled.phase).toBe('cancelled')
    expect(decideEscrow(cancelled, { kind: 'cancel', by: BUYER }, START)).toMatchObject({
      refused: 'ESCROW_WRONG_PHASE',
    })
  })
})

describe('the two ends of a coordinated task without a worker', () => {
  const funded = run([
    creation('coordinated'),
    { kind: 'publish', by: BUYER },
    ask.fund,
    seen({ state: 'held', amountMsat: FUNDING_MSAT, claimDeadlineHeight: START.height + 500 }, 'coordinated'),
  ])

  test('a worker can still apply and be assigned', () => {
    expect(funded.phase).toBe('active')
    const state = run(
      [
        { kind: 'apply', by: WORKER, message: '' },
        { kind: 'assign', by: BUYER, worker: WORKER },
      ],
      funded,
    )
    expect(state).toMatchObject({ phase: 'active', worker: WORKER })
    expect(decideEscrow(state, ask.approve, START)).toMatchObject({ refused: 'ESCROW_INVOICE_MISSING' })
    expect(decideEscrow(state, ask.proof, START)).toMatchObject({ refused: 'ESCROW_INVOICE_MISSING' })
    expect(decideEscrow(state, { kind: 'cancel', by: BUYER }, START)).toMatchObject({
      refused: 'ESCROW_FUNDED',
    })
  })

  test('or the buyer takes the money back', () => {
    const { state, effects } = accepted(decideEscrow(funded, { kind: 'cancel', by: BUYER }, START))
    expect(milestoneIn(state, 'refunding').cause).toBe('no-worker')
    expect(effects).toEqual([{ kind: 'cancel-hold', milestone: 0, attempt: 0, at: START.now }])
  })
})

test('a split: one milestone is released, the other refunded, and the escrow is completed', () => {
  const [milestone] = PLAN.milestones as [MilestonePlan]
  const plan = { ...PLAN, milestones: [milestone, { ...milestone, title: 'The gate' }] }
  const second = 'ab'.repeat(32)
  const setUp = pathTo('released', 'hash-locked').slice(1)
  const half = run([creation('hash-locked', { plan }), ...setUp])
  expect(half.phase).toBe('active')
  const hold = { kind: 'hold-seen', milestone: 1, paymentHash: second } as const
  const done = run(
    [
      { ...ask.invoice, milestone: 1, invoice: invoice({ paymentHash: second }) },
      { ...ask.fund, milestone: 1 },
      { ...hold, said: { state: 'held', amountMsat: FUNDING_MSAT, claimDeadlineHeight: START.height + 400 } },
      { ...ask.refund, milestone: 1 },
      { ...hold, said: { state: 'cancelled' } },
    ],
    half,
  )
  expect(done.phase).toBe('completed')
  expect(done.milestones.map(({ phase }) => phase)).toEqual(['released', 'refunded'])
})

test('the guardian is woken by the first height that matters, and by none when nothing is held', () => {
  const { guardianHeight: first } = milestoneIn(reach('held'), 'held').schedule
  expect(guardianHeight(reach('held'))).toBe(first)
  expect(guardianHeight(reach('released'))).toBeNull()
  const [, [, between]] = reachSituations('hash-locked') as [unknown, [string, EscrowState]]
  expect(guardianHeight(between)).toBe(milestoneIn(between, 'releasing').schedule.latestPayoutHeight + 1)
})

test('a preimage is welcome only while money may be locked that nobody has been paid for', () => {
  const welcome = MILESTONE_PHASES.filter((phase) => acceptsPreimage(only(reach(phase))) !== null)
  expect(welcome).toEqual([
    'closing',
    'held',
    'proof-submitted',
    'disputed',
    'releasing',
    'payout-unknown',
    'refunding',
  ])
})

test('what the operator must be able to send is committed from when the money is there until it is sent, and what it owes', () => {
  const committed = MILESTONE_PHASES.map((phase) => [phase, committedMsat(only(reach(phase)))] as const)
  expect(Object.fromEntries(committed.filter(([, amount]) => amount > 0n))).toEqual({
    held: PAYOUT_MSAT + 100_000n,
    'proof-submitted': PAYOUT_MSAT + 100_000n,
    disputed: PAYOUT_MSAT + 100_000n,
    releasing: PAYOUT_MSAT + 100_000n,
    'payout-unknown': PAYOUT_MSAT + 100_000n,
    premature: FUNDING_MSAT + 101_002n,
    repaying: FUNDING_MSAT + 101_002n,
  })
})

test('replaying its commands gives the escrow again, and what was refused left no trace', () => {
  const path = pathTo('released', 'hash-locked')
  const history = path.map((command, index) => ({ command, at: { ...START, now: START.now + index } }))
  expect(replayEscrow(history)).toEqual(reach('released'))
  const refused = { command: { ...ask.approve, by: STRANGER }, at: START }
  expect(replayEscrow([...history, refused])).toEqual(reach('released'))
  expect(replayEscrow([])).toBeNull()
})
