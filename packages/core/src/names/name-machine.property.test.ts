import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import { decideName, effectOf, hearName, type NameDecision } from './name-machine.ts'
import type { NameEffect, NameReport, NameState } from './name-states.ts'

type Job = Exclude<NameEffect, { kind: 'wake' }>
/** How an effect goes wrong: not carried out, carried out but not answered, or refused for good. */
type Fault = 'none' | 'before' | 'answer-lost' | 'refused'
/** What becomes of the report; `lost`: the worker died, and the job is run again. */
type Delivery = 'now' | 'late' | 'lost' | 'twice'

/**
 * A model of the world: one name, a zone, a node, and workers that run jobs in any order, begin one before and end it
 * after another, die before they report, and report late or twice.
 */
class World {
  state: NameState
  now = 0
  jobs: NameEffect[] = []
  /** Jobs whose effect was still wanted when they began, and that have not reached the world yet. */
  begun: Job[] = []
  late: NameReport[] = []
  record = false
  offer: boolean

  constructor(brought: boolean) {
    this.offer = brought
    const decision = decideName(
      null,
      {
        kind: 'register',
        id: 'id',
        user: 'alice',
        domain: 'shop.test',
        skeleton: 'alice',
        owner: 'owner',
        deadlineAt: 1_000,
        ...(brought && { offer: { offer: 'lno1' } }),
      },
      0,
    )
    if (isRefusal(decision)) throw new Error(decision.refused)
    this.state = decision.state
    this.jobs.push(...decision.effects)
  }

  keep({ state, effects }: NameDecision): void {
    this.state = state
    this.jobs.push(...effects)
  }

  hear(report: NameReport): void {
    this.keep(hearName(this.state, report, this.now))
  }

  release(): void {
    const decision = decideName(this.state, { kind: 'release', owner: 'owner' }, this.now)
    if (!isRefusal(decision)) this.keep(decision)
  }

  begin(pick: number): void {
    const [job] = this.jobs.splice(pick % (this.jobs.length || 1), 1)
    if (job === undefined) return
    if (job.kind === 'wake') this.hear({ kind: 'time-passed' })
    else if (this.wants(job)) this.begun.push(job)
    else if (job.kind === 'make-offer' || job.kind === 'publish-record') {
      this.hear({ kind: 'outcome-unknown', effect: job.kind })
    }
  }

  beginEffect(): void {
    const next = this.jobs.findIndex((job) => job.kind !== 'wake')
    if (next >= 0) this.begin(next)
  }

  finish(pick: number, fault: Fault, delivery: Delivery): void {
    const [job] = this.begun.splice(pick % (this.begun.length || 1), 1)
    if (job === undefined) return
    const report = this.perform(job, fault)
    if (delivery === 'lost') this.jobs.push(job)
    if (delivery === 'late' || delivery === 'twice') this.late.push(report)
    if (delivery === 'now' || delivery === 'twice') this.hear(report)
  }

  perform({ kind: effect, attempt }: Job, fault: Fault): NameReport {
    const failed = (kind: 'unavailable' | 'refused'): NameReport => {
      return { kind: 'effect-failed', effect, attempt, failure: { code: 'DNS_UNAVAILABLE', kind } }
    }
    const undoing = effect === 'withdraw-record' || effect === 'disable-offer'
    if (fault === 'before') return failed('unavailable')
    if (fault === 'refused') return failed(undoing ? 'unavailable' : 'refused')
    this.carryOut(effect)
    if (fault === 'answer-lost') return failed('unavailable')
    switch (effect) {
      case 'make-offer':
        return { kind: 'offer-made', offer: { offer: 'lno1' } }
      case 'publish-record':
        return { kind: 'record-published' }
      case 'check-authoritative':
        return this.record ? { kind: 'record-seen' } : failed('unavailable')
      case 'validate-chain':
        return this.record ? { kind: 'chain-validated' } : failed('unavailable')
      case 'withdraw-record':
        return { kind: 'record-withdrawn', attempt }
      case 'disable-offer':
        return { kind: 'offer-disabled', attempt }
    }
  }

  carryOut(effect: Job['kind']): void {
    if (effect === 'make-offer') this.offer = true
    if (effect === 'disable-offer') this.offer = false
    if (effect === 'publish-record') this.record = true
    if (effect === 'withdraw-record') this.record = false
  }

  wants(job: Job): boolean {
    const { state } = this
    switch (state.phase) {
      case 'active':
        return false
      case 'disabling':
        return (
          job.kind === 'withdraw-record' || (job.kind === 'disable-offer' && state.attempt === job.attempt)
        )
      case 'freed':
        return job.kind === 'withdraw-record' || job.kind === 'disable-offer'
      case 'requested':
      case 'offer-ready':
      case 'published':
      case 'seen':
      case 'withdrawing':
        return effectOf(state) === job.kind && state.attempt === job.attempt
    }
  }

  /** From now on nothing fails: whatever is due, begun or on its way comes to its end. */
  settle(begunFirst: boolean): void {
    for (let turn = 0; this.jobs.length + this.begun.length + this.late.length > 0; turn++) {
      if (turn > 1_000) throw new Error(`no end: ${this.state.phase}`)
      if (begunFirst || this.jobs.length === 0) this.finish(0, 'none', 'now')
      for (const report of this.late.splice(0)) this.hear(report)
      this.now = Math.max(this.now, this.jobs[0]?.at ?? 0)
      const before = this.begun.length
      this.begin(0)
      // Undoing what was begun later comes to its end before what was begun earlier.
      if (this.begun.length > before) this.finish(this.begun.length - 1, 'none', 'now')
    }
  }
}

const pick = fc.nat(3)
const fault = fc.constantFrom<Fault>('none', 'none', 'none', 'before', 'answer-lost', 'refused')
const delivery = fc.constantFrom<Delivery>('now', 'now', 'late', 'late', 'lost', 'twice')
type Move = (world: World) => void

const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 8,
    arbitrary: pick.map(
      (job): Move =>
        (world) => {
          world.begin(job)
        },
    ),
  },
  {
    weight: 8,
    arbitrary: fc.tuple(pick, fault, delivery).map(
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
    weight: 1,
    arbitrary: fc.nat(400).map(
      (ms): Move =>
        (world) => {
          world.now += ms
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Move>((world) => world.hear({ kind: 'time-passed' })),
  },
  { weight: 1, arbitrary: fc.constant<Move>((world) => world.release()) },
)

test('whatever fails, repeats or comes late: active with record and offer, or freed with neither', () => {
  const story = fc.record({
    brought: fc.boolean(),
    /** So many effects go well before anything goes wrong. */
    smooth: fc.nat(5),
    /** The next effect is begun, and the owner gives up before it has reached the world. */
    overtaken: fc.boolean(),
    moves: fc.array(moves, { maxLength: 30 }),
    begunFirst: fc.boolean(),
  })
  fc.assert(
    fc.property(story, ({ brought, smooth, overtaken, moves, begunFirst }) => {
      const world = new World(brought)
      for (let step = 0; step < smooth; step++) {
        world.beginEffect()
        world.finish(0, 'none', 'now')
      }
      if (overtaken) {
        world.beginEffect()
        world.release()
      }
      for (const move of moves) move(world)
      world.settle(begunFirst)
      const { phase } = world.state
      expect(['active', 'freed']).toContain(phase)
      expect({ phase, record: world.record }).toEqual({ phase, record: phase === 'active' })
      // A brought offer lives on the owner's device and is not ours to disable.
      if (!brought) expect({ phase, offer: world.offer }).toEqual({ phase, offer: phase === 'active' })
    }),
    { numRuns: 10_000 },
  )
})
