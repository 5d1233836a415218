import fc from 'fast-check'
import { expect, test } from 'vitest'
import { replayEscrow } from './escrow-machine.ts'
import type { EscrowCommand, EscrowRequest } from './escrow-states.ts'
import { hasEnded, standingOf } from './milestone-facts.ts'
import type { Custody } from './milestone-states.ts'
import {
  ARBITER,
  ask,
  BUYER,
  creation,
  FEE_MSAT,
  FUNDING_MSAT,
  HOUR_MS,
  invoice,
  PAYOUT_MSAT,
  refundInvoice,
  run,
  START,
  STRANGER,
  WORKER,
} from './testing/escrow-story.ts'
import { type Delivery, type Fault, World } from './testing/escrow-world.ts'

type Move = (world: World) => void

const SETUP: EscrowRequest[] = [
  { kind: 'publish', by: BUYER },
  { kind: 'apply', by: WORKER, message: '' },
  { kind: 'assign', by: BUYER, worker: WORKER },
]

function setUp(custody: Custody): World {
  const history: EscrowCommand[] = [creation(custody), ...SETUP]
  const world = new World(run(history), [])
  world.journal.push(
    ...history.map((command, index) => ({ command, at: { ...START, now: START.now + index } })),
  )
  return world
}

/** Invoices are as new as the clock; a hash that was used is refused by the edge, which knows them all. */
const submit: Move = (world) => {
  const expiresAt = world.moment.now + 30 * 24 * HOUR_MS
  world.ask({ ...ask.invoice, invoice: invoice({ expiresAt }) })
}
const submitRefund: Move = (world) => {
  const owed = 'owedMsat' in world.milestone ? world.milestone.owedMsat : FUNDING_MSAT
  const paymentHash = world.journal.length.toString(16).padStart(64, '4')
  const expiresAt = world.moment.now + 2 * HOUR_MS
  const facts = { ...refundInvoice(), paymentHash, amountMsat: owed, expiresAt }
  world.ask({ ...ask.refundInvoice, invoice: facts })
}
const requests: EscrowRequest[] = [
  ask.fund,
  ask.proof,
  ask.approve,
  ask.revision,
  ask.dispute,
  ask.refund,
  { ...ask.refund, by: 'operator' },
  { ...ask.refund, by: BUYER },
  { ...ask.dispute, by: WORKER },
  { ...ask.approve, by: STRANGER },
  { kind: 'resolve-dispute', by: ARBITER, milestone: 0, to: 'release' },
  { kind: 'resolve-dispute', by: ARBITER, milestone: 0, to: 'refund' },
  { kind: 'cancel', by: BUYER },
]

const pick = fc.nat(3)
const move = (arbitrary: fc.Arbitrary<Move>, weight: number) => ({ weight, arbitrary })
const moves: fc.Arbitrary<Move> = fc.oneof(
  move(
    pick.map((job) => (world: World) => world.begin(job)),
    8,
  ),
  move(
    fc
      .tuple(
        pick,
        fc.constantFrom<Fault>('none', 'none', 'none', 'before', 'answer-lost'),
        fc.constantFrom<Delivery>('now', 'now', 'late', 'lost', 'twice'),
      )
      .map(
        ([job, fault, delivery]) =>
          (world: World) =>
            world.finish(job, fault, delivery),
      ),
    8,
  ),
  move(
    fc.tuple(pick, fc.boolean()).map(([which, again]) => (world: World) => {
      const index = which % (world.late.length || 1)
      const report = world.late[index]
      if (report === undefined) return
      if (!again) world.late.splice(index, 1)
      world.hear(report)
    }),
    3,
  ),
  move(fc.constantFrom<Move>(submit, submitRefund), 2),
  move(
    fc.constantFrom(...requests).map((request) => (world: World) => {
      world.ask(request)
    }),
    6,
  ),
  move(
    fc
      .tuple(
        fc.constantFrom(FUNDING_MSAT, FUNDING_MSAT, FUNDING_MSAT + 7n, 2n * FUNDING_MSAT + 1n),
        fc.integer({ min: 383, max: 500 }),
      )
      .map(
        ([amount, blocks]) =>
          (world: World) =>
            world.buyerPays(amount, blocks),
      ),
    3,
  ),
  move(
    fc.constant<Move>((world) => {
      const report = world.holdSeen()
      if (report !== null) world.hear(report)
    }),
    3,
  ),
  move(
    fc.boolean().map((succeeds) => (world: World) => world.land(succeeds)),
    3,
  ),
  // The preimage gets out: the node is given it by the buyer, or a thief's claim brings it.
  move(
    fc.constant<Move>((world) => {
      if (world.custody === 'hash-locked') world.claim()
    }),
    1,
  ),
  // The channel's peer was silent, and the chain decides.
  move(
    fc.constantFrom(true, true, false).map((isLost) => (world: World) => world.endClaim(isLost)),
    1,
  ),
  move(
    fc.boolean().map((confused) => (world: World) => {
      world.confused = confused
    }),
    1,
  ),
  move(
    fc
      .constantFrom(1_000, 61_000, HOUR_MS, 8 * HOUR_MS, 40 * HOUR_MS)
      .map((ms) => (world: World) => world.pass(ms)),
    3,
  ),
  move(
    fc.constant<Move>((world) => world.hear({ kind: 'time-passed' })),
    2,
  ),
)

/** From now on nothing fails, time goes on, and whoever is owed says where the money is to go. */
function settle(world: World): void {
  world.confused = false
  for (let turn = 0; !hasEnded(world.milestone) || world.begun.length + world.late.length > 0; turn++) {
    if (turn > 3_000) throw new Error(`no end: ${JSON.stringify(world.milestone.phase)}`)
    for (let job = 0; job < 10; job++) {
      world.begin(0)
      world.finish(0, 'none', 'now')
    }
    for (const report of world.late.splice(0)) world.hear(report)
    if (turn % 7 === 0) world.land(turn % 2 === 0)
    if (world.milestone.phase === 'premature') submitRefund(world)
    world.pass(untilNext(world, turn))
    world.hear({ kind: 'time-passed' })
  }
  // The guardian asks of everything that was claimed, until it is final.
  const said = world.holdSeen()
  if (said !== null) world.hear(said)
}

/** An escrow that nobody funds any more only waits for its deadline, of which all but the end is alike. */
function untilNext({ milestone, state, moment }: World, turn: number): number {
  if (standingOf(milestone) === 'unfunded') return Math.max(state.deadlineAt - moment.now, HOUR_MS)
  return turn % 5 === 0 ? 8 * HOUR_MS : 5 * 60_000
}

const story = fc.record({
  custody: fc.constantFrom<Custody>('hash-locked', 'coordinated'),
  /** So much goes well before anything goes wrong. */
  smooth: fc.nat(5),
  moves: fc.array(moves, { maxLength: 60 }),
})

const SMOOTH: Move[] = [
  (world) => {
    submit(world)
    world.ask(ask.fund)
    world.begin(0)
    world.finish(0, 'none', 'now')
  },
  (world) => {
    world.buyerPays(FUNDING_MSAT, 400)
    world.hear(world.holdSeen()!)
    submit(world)
  },
  (world) => world.ask(ask.proof),
  (world) => world.ask(ask.approve),
  (world) => {
    const job = world.jobs.findIndex(({ kind }) => kind === 'pay-out')
    world.begin(Math.max(job, 0))
    world.finish(0, 'none', 'now')
  },
]

test('whatever fails, repeats or comes late: no money is lost, no hold ends twice, and the phase says where it is', () => {
  const ends = new Map<string, number>()
  fc.assert(
    fc.property(story, ({ custody, smooth, moves }) => {
      const world = setUp(custody)
      for (const go of SMOOTH.slice(0, smooth)) go(world)
      for (const go of moves) {
        go(world)
        if (world.total() !== 0n) throw new Error('money came or went')
      }
      settle(world)
      const { money, milestone, journal, state } = world
      const { phase } = milestone
      const isClaimLost = 'claimLost' in milestone
      const end = isClaimLost ? `${phase}, claim lost` : phase
      ends.set(end, (ends.get(end) ?? 0) + 1)
      const isPaid = phase === 'released' || phase === 'lost'
      // One comparison a story: with one for each rule, Vitest's own work was most of the test.
      expect({
        phase,
        total: world.total(),
        locked: money.locked,
        inFlight: money.inFlight,
        worker: money.worker,
        timesPaid: world.workerPaid,
        // A silent peer is on the buyer's side, unless it is a thief, from whom the operator could not get it.
        buyer: phase === 'released' ? 0n : money.buyer + (isClaimLost ? 0n : money.peer),
        isLocked: -money.buyer - money.peer >= FUNDING_MSAT,
        isLost: phase === 'lost' || isClaimLost,
        hasFee: money.operator >= FEE_MSAT - milestone.terms.routingFeeLimitMsat,
        endsOnce: world.holdEnds <= 1,
      }).toEqual({
        phase,
        total: 0n,
        locked: 0n,
        inFlight: 0n,
        worker: isPaid ? PAYOUT_MSAT : 0n,
        timesPaid: isPaid ? 1 : 0,
        buyer: 0n,
        isLocked: phase === 'released',
        isLost: world.hold.state === 'lost' || (phase === 'lost' && custody === 'coordinated'),
        hasFee: phase === 'released',
        endsOnce: true,
      })
      // Else only a server that was away for many hours, and only where the node waits to be told, bears a payout itself.
      expect(replayEscrow(journal)).toEqual(state)
    }),
    { numRuns: 10_000 },
  )
  // The stories reach every end; without this a change could make the property say nothing.
  const usual = ['released', 'refunded', 'repaid', 'repaid, claim lost', 'lost', 'expired', 'cancelled']
  for (const end of usual) {
    expect(ends.get(end), end).toBeGreaterThan(0)
  }
}, 120_000)
