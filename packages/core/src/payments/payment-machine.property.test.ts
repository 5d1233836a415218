import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import { decidePayment, hearPayment, NEVER_SENT_GRACE_MS, type PaymentDecision } from './payment-machine.ts'
import type { NodeOutcome, Payable, PaymentEffect, PaymentReport, PaymentState } from './payment-states.ts'

const DEADLINE = 60_000
const OFFER: Payable = { kind: 'bolt12', offer: 'lno1', asksMsat: null }
type Job = Exclude<PaymentEffect, { kind: 'wake' }>
type Fault = 'none' | 'before' | 'answer-lost'
type Delivery = 'now' | 'late' | 'lost' | 'twice'

/**
 * A model of the world: a node that pays one id once and knows the truth, and workers that run jobs in any order, die
 * before they report, and report late or twice.
 */
class World {
  state: PaymentState
  now = 0
  jobs: PaymentEffect[] = []
  begun: Job[] = []
  late: PaymentReport[] = []
  /** What the node knows; `absent` until it was asked to pay. */
  truth: NodeOutcome = { state: 'absent' }
  /** The node does not know the end, and says so. */
  confused = false

  constructor() {
    const decision = decidePayment(
      null,
      {
        kind: 'request',
        id: 'id',
        nodePaymentId: 'node-payment-id',
        nodeId: 'node-id',
        owner: 'owner',
        to: 'alice@shop.test',
        destination: { kind: 'name', name: 'alice@shop.test' },
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
    this.begun.push(job.kind === 'pay' && this.now >= DEADLINE ? { ...job, kind: 'look-up' } : job)
  }

  finish(pick: number, fault: Fault, delivery: Delivery): void {
    const [job] = this.begun.splice(pick % (this.begun.length || 1), 1)
    if (job === undefined) return
    const report = this.perform(job, fault)
    if (delivery === 'lost') this.jobs.push(job)
    if (delivery === 'late' || delivery === 'twice') this.late.push(report)
    if (delivery === 'now' || delivery === 'twice') this.hear(report)
  }

  perform({ kind, attempt }: Job, fault: Fault): PaymentReport {
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
    if (kind === 'pay' && this.truth.state === 'absent') this.truth = { state: 'pending', paymentHash: null }
    if (fault === 'answer-lost') return unreachable
    return { kind: 'outcome', attempt, outcome: this.says() }
  }

  /** A node that has never heard of a payment knows that it has not. */
  says(): NodeOutcome {
    return this.confused && this.truth.state !== 'absent' ? { state: 'unknown' } : this.truth
  }

  settle(): void {
    this.confused = false
    for (let turn = 0; this.jobs.length + this.begun.length + this.late.length > 0; turn++) {
      if (turn > 2_000) throw new Error(`no end: ${this.state.phase}`)
      this.finish(0, 'none', 'now')
      for (const report of this.late.splice(0)) this.hear(report)
      if (turn > 20 && this.truth.state === 'pending') {
        this.truth = { state: 'succeeded', paymentHash: 'hash', amountMsat: 1000n, feeMsat: 1n }
      }
      this.now = Math.max(this.now, this.jobs[0]?.at ?? 0)
      this.begin(0)
    }
  }
}

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
        fc.constantFrom<Fault>('none', 'none', 'before', 'answer-lost'),
        fc.constantFrom<Delivery>('now', 'now', 'late', 'lost', 'twice'),
      )
      .map(
        ([job, fault, delivery]): Move =>
          (world) => {
            world.finish(job, fault, delivery)
          },
      ),
  },
  {
    weight: 2,
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
    weight: 1,
    arbitrary: fc.constantFrom('succeeded' as const, 'failed' as const).map(
      (end): Move =>
        (world) => {
          if (world.truth.state !== 'pending') return
          world.truth =
            end === 'succeeded'
              ? { state: 'succeeded', paymentHash: 'hash', amountMsat: 1000n, feeMsat: 1n }
              : { state: 'failed', paymentHash: null, reason: 'no-route' }
        },
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
    arbitrary: fc.nat(NEVER_SENT_GRACE_MS).map(
      (ms): Move =>
        (world) => {
          while (world.begun.length > 0) world.finish(0, 'none', 'late')
          world.now += ms
        },
    ),
  },
  { weight: 1, arbitrary: fc.constant<Move>((world) => world.hear({ kind: 'time-passed' })) },
)

test('whatever fails, repeats or comes late: the payment ends as the node’s truth, and never before it', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 50 }), (story) => {
      const world = new World()
      for (const move of story) {
        move(world)
        const { phase } = world.state
        if (phase === 'succeeded') expect(world.truth.state).toBe('succeeded')
        if (phase === 'failed') expect(['failed', 'absent']).toContain(world.truth.state)
      }
      world.settle()
      const { state, truth } = world
      const ends = { succeeded: 'succeeded', failed: 'failed', absent: 'failed' } as const
      expect(state.phase).toBe(ends[truth.state as keyof typeof ends])
    }),
    { numRuns: 10_000 },
  )
})
