import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import { decidePayment, hearPayment, NEVER_SENT_GRACE_MS, type PaymentDecision } from './payment-machine.ts'
import type {
  NodeFailureReason,
  NodeOutcome,
  Payable,
  PaymentEffect,
  PaymentReport,
  PaymentState,
} from './payment-states.ts'

const DEADLINE = 60_000
const IDS = ['first-id', 'second-id', 'third-id']
const OFFER: Payable = { kind: 'bolt12', offer: 'lno1', asksMsat: null }
type Job = Exclude<PaymentEffect, { kind: 'wake' }>
type Fault = 'none' | 'before' | 'answer-lost'
type Delivery = 'now' | 'late' | 'lost' | 'twice'

/** A job of the server looks at the payment when it begins; what it asks the node for does not change after that. */
type Begun = { job: Job; nodePaymentId: string }

/**
 * A model of the world: a node that pays one id once, gives one up for good and knows the truth of each, and workers
 * that run jobs in any order, die before they report, and report late or twice.
 */
class World {
  state: PaymentState
  now = 0
  jobs: PaymentEffect[] = []
  begun: Begun[] = []
  late: PaymentReport[] = []
  /** What the node knows, by id; nothing until it was asked to pay. */
  truths = new Map<string, NodeOutcome>()
  /** The node does not know the end, and says so. */
  confused = false

  /** Whether the name was resolved before. */
  constructor(known: boolean) {
    const decision = decidePayment(
      null,
      {
        kind: 'request',
        id: 'id',
        nodePaymentId: IDS[0]!,
        spareNodePaymentIds: IDS.slice(1),
        nodeId: 'node-id',
        owner: 'owner',
        to: 'alice@shop.test',
        destination: {
          kind: 'name',
          name: 'alice@shop.test',
          ...(known && { proven: { payable: OFFER, expiresAt: 1 } }),
        },
        amountMsat: 1000n,
        deadlineAt: DEADLINE,
      },
      0,
    )
    if (isRefusal(decision)) throw new Error(decision.refused)
    this.state = decision.state
    this.jobs.push(...decision.effects)
  }

  keep({ state, effects }: PaymentDecision): void {
    this.state = state
    this.jobs.push(...effects)
  }

  hear(report: PaymentReport): void {
    this.keep(hearPayment(this.state, report, this.now))
  }

  begin(pick: number): void {
    const [job] = this.jobs.splice(pick % (this.jobs.length || 1), 1)
    if (job === undefined) return
    if (job.kind === 'wake') {
      this.hear({ kind: 'time-passed' })
      return
    }
    const { state } = this
    const current = 'attempt' in state && state.attempt === job.attempt
    const fits =
      job.kind === 'resolve'
        ? state.phase === 'resolving'
        : state.phase === 'sending' || (job.kind === 'look-up' && state.phase === 'unknown')
    if (!current || !fits) return
    // As the server's job: after the deadline the node is only asked.
    const asking = job.kind === 'pay' && this.now >= DEADLINE ? ({ ...job, kind: 'look-up' } as const) : job
    this.begun.push({ job: asking, nodePaymentId: state.nodePaymentId })
  }

  finish(pick: number, fault: Fault, delivery: Delivery): void {
    const [begun] = this.begun.splice(pick % (this.begun.length || 1), 1)
    if (begun === undefined) return
    const report = this.perform(begun, fault)
    if (delivery === 'lost') this.jobs.push(begun.job)
    if (delivery === 'late' || delivery === 'twice') this.late.push(report)
    if (delivery === 'now' || delivery === 'twice') this.hear(report)
  }

  perform({ job: { kind, attempt }, nodePaymentId }: Begun, fault: Fault): PaymentReport {
    if (kind === 'resolve') {
      return fault === 'none'
        ? { kind: 'resolved', payable: OFFER }
        : { kind: 'resolve-failed', attempt, code: 'DNS_UNAVAILABLE', again: true }
    }
    const unreachable: PaymentReport = {
      kind: 'node-unreachable',
      attempt,
      effect: kind,
      code: 'NODE_OFFLINE',
    }
    if (fault === 'before') return unreachable
    if (kind === 'pay' && !this.truths.has(nodePaymentId)) {
      this.truths.set(nodePaymentId, { state: 'pending', paymentHash: null })
    }
    if (fault === 'answer-lost') return unreachable
    return { kind: 'outcome', attempt, outcome: this.says(nodePaymentId) }
  }

  /** A node that has never heard of a payment knows that it has not. */
  says(nodePaymentId: string): NodeOutcome {
    const truth = this.truths.get(nodePaymentId)
    if (truth === undefined) return { state: 'absent' }
    return this.confused ? { state: 'unknown' } : truth
  }

  /** What was pending comes to its end, which is final. */
  end(truth: NodeOutcome): void {
    for (const [id, { state }] of this.truths) if (state === 'pending') this.truths.set(id, truth)
  }

  /** The ids under which money is, or may be, on its way or with the payee. */
  alive(): string[] {
    return [...this.truths].filter(([, { state }]) => state !== 'failed').map(([id]) => id)
  }

  settle(): void {
    this.confused = false
    for (let turn = 0; this.jobs.length + this.begun.length + this.late.length > 0; turn++) {
      if (turn > 2_000) throw new Error(`no end: ${this.state.phase}`)
      this.finish(0, 'none', 'now')
      for (const report of this.late.splice(0)) this.hear(report)
      if (turn > 20) this.end(SUCCEEDED)
      this.now = Math.max(this.now, this.jobs[0]?.at ?? 0)
      this.begin(0)
    }
  }
}

const SUCCEEDED: NodeOutcome = { state: 'succeeded', paymentHash: 'hash', amountMsat: 1000n, feeMsat: 1n }
const failed = (reason: NodeFailureReason): NodeOutcome => ({ state: 'failed', paymentHash: null, reason })

const pick = fc.nat(3)
type Move = (world: World) => void
const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: pick.map(
      (job): Move =>
        (world) => {
          world.begin(job)
        },
    ),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        pick,
        fc.constantFrom<Fault>('none', 'none', 'none', 'before', 'answer-lost'),
        fc.constantFrom<Delivery>('now', 'now', 'late', 'lost', 'twice', 'twice'),
      )
      .map(
        ([job, fault, delivery]): Move =>
          (world) => {
            world.finish(job, fault, delivery)
          },
      ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(pick, fc.boolean()).map(
      ([which, again]): Move =>
        (world) => {
          const index = which % (world.late.length || 1)
          const report = world.late[index]
          if (report === undefined) return
          if (!again) world.late.splice(index, 1)
          world.hear(report)
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        SUCCEEDED,
        failed('rejected'),
        failed('no-route'),
        failed('invoice-request-unanswered'),
        failed('retries-exhausted'),
      )
      .map(
        (truth): Move =>
          (world) =>
            world.end(truth),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map(
      (confused): Move =>
        (world) => {
          world.confused = confused
        },
    ),
  },
  {
    weight: 1,
    // A request that has begun is with the node within the grace: that is what the grace is for.
    arbitrary: fc.oneof({ weight: 4, arbitrary: fc.nat(3_000) }, fc.nat(NEVER_SENT_GRACE_MS)).map(
      (ms): Move =>
        (world) => {
          while (world.begun.length > 0) world.finish(0, 'none', 'late')
          world.now += ms
        },
    ),
  },
  { weight: 1, arbitrary: fc.constant<Move>((world) => world.hear({ kind: 'time-passed' })) },
)

/** What must hold after every move, whatever has happened. */
function expectSafe(world: World): void {
  const { state } = world
  const alive = world.alive()
  // The heart of it: never two ids with which the payee could get the money.
  expect(alive.length).toBeLessThanOrEqual(1)
  const truth = world.truths.get(state.nodePaymentId)?.state ?? 'absent'
  if (state.phase === 'succeeded') expect(truth).toBe('succeeded')
  if (state.phase === 'failed') expect(['failed', 'absent']).toContain(truth)
  // An id is left behind only when the node has finally given it up.
  if (alive.length > 0) expect(alive).toEqual([state.nodePaymentId])
  expect([state.nodePaymentId, ...state.spareNodePaymentIds]).toEqual(IDS.slice(state.tries - 1))
}

test('whatever fails, repeats or comes late: one try at a time, and the end is the node’s truth', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 60, size: 'max' }), fc.nat(3), (story, known) => {
      const world = new World(known > 0)
      for (const move of story) {
        move(world)
        expectSafe(world)
      }
      world.settle()
      expectSafe(world)
      const paid = [...world.truths.values()].some(({ state }) => state === 'succeeded')
      expect(world.state.phase).toBe(paid ? 'succeeded' : 'failed')
    }),
    { numRuns: 2_000 },
  )
})
