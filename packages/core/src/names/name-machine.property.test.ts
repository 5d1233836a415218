import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import { decideName, effectOf, hearName, type NameDecision } from './name-machine.ts'
import type { NameEffect, NameReport, NameState } from './name-states.ts'

/**
 * A model of the world: one name, a zone, a node, and a scheduler that runs jobs in any order, runs them twice, loses
 * their reports, delivers reports late and twice, and lets effects fail before or after they were carried out.
 */
class World {
  state: NameState
  now = 0
  jobs: NameEffect[] = []
  late: NameReport[] = []
  record = false
  offer: boolean

  constructor(brought: boolean, deadlineAt: number) {
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
        deadlineAt,
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

  /** What the server's job does: look whether the effect is wanted, perform it, and say what to report. */
  perform(job: NameEffect, fault: Fault): NameReport | null {
    if (job.kind === 'wake') return { kind: 'time-passed' }
    if (!this.wants(job)) {
      return job.kind === 'make-offer' || job.kind === 'publish-record'
        ? { kind: 'outcome-unknown', effect: job.kind }
        : null
    }
    const { kind: effect, attempt } = job
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

  carryOut(effect: Exclude<NameEffect['kind'], 'wake'>): void {
    if (effect === 'make-offer') this.offer = true
    if (effect === 'disable-offer') this.offer = false
    if (effect === 'publish-record') this.record = true
    if (effect === 'withdraw-record') this.record = false
  }

  wants(job: Exclude<NameEffect, { kind: 'wake' }>): boolean {
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
}

type Fault = 'none' | 'before' | 'answer-lost' | 'refused'
type Move =
  | { do: 'run'; pick: number; fault: Fault; report: 'now' | 'late' | 'lost' | 'twice' }
  /** The effect is carried out now although its job began before the state moved on. */
  | { do: 'straggle'; effect: 'make-offer' | 'publish-record' }
  | { do: 'deliver'; pick: number; keep: boolean }
  | { do: 'pass-time'; ms: number }
  | { do: 'sweep' }
  | { do: 'release' }

const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      pick: fc.nat(20),
      fault: fc.constantFrom<Fault>('none', 'none', 'none', 'before', 'answer-lost', 'refused'),
      report: fc.constantFrom<'now' | 'late' | 'lost' | 'twice'>(
        'now',
        'now',
        'now',
        'late',
        'lost',
        'twice',
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('straggle' as const),
      effect: fc.constantFrom<'make-offer' | 'publish-record'>('make-offer', 'publish-record'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), pick: fc.nat(20), keep: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass-time' as const), ms: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'sweep' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'release' as const }) },
)

function play(world: World, move: Move): void {
  switch (move.do) {
    case 'run': {
      if (world.jobs.length === 0) return
      const index = move.pick % world.jobs.length
      const report = world.perform(world.jobs[index]!, move.fault)
      // A job whose report is lost stays: its worker died, and it is run again.
      if (move.report === 'lost') return
      world.jobs.splice(index, 1)
      if (report === null) return
      if (move.report === 'late') world.late.push(report)
      else world.hear(report)
      if (move.report === 'twice') world.late.push(report)
      return
    }
    case 'straggle': {
      // Only a job that once was due can straggle; its interrupted run is run again.
      const made = world.state.stepsDone.length > 1 || world.state.phase !== 'requested'
      if (move.effect === 'make-offer' && world.state.offerSource === 'brought') return
      if (move.effect === 'publish-record' && !made) return
      const publishing = world.state.stepsDone.some(({ step }) => step === 'offer-ready')
      if (move.effect === 'publish-record' && !publishing) return
      world.carryOut(move.effect)
      world.jobs.push({ kind: move.effect, attempt: 0, at: world.now })
      return
    }
    case 'deliver': {
      if (world.late.length === 0) return
      const index = move.pick % world.late.length
      const report = world.late[index]!
      if (!move.keep) world.late.splice(index, 1)
      world.hear(report)
      return
    }
    case 'pass-time':
      world.now += move.ms
      return
    case 'sweep':
      world.hear({ kind: 'time-passed' })
      return
    case 'release': {
      const decision = decideName(world.state, { kind: 'release', owner: 'owner' }, world.now)
      if (!isRefusal(decision)) world.keep(decision)
      return
    }
  }
}

/** From now on nothing fails: everything that is due is done. */
function settle(world: World): void {
  for (let turn = 0; world.jobs.length + world.late.length > 0; turn++) {
    if (turn > 1_000) throw new Error(`no end: ${world.state.phase}`)
    for (const report of world.late.splice(0)) world.hear(report)
    const job = world.jobs.shift()
    if (job === undefined) continue
    world.now = Math.max(world.now, job.at)
    const report = world.perform(job, 'none')
    if (report) world.hear(report)
  }
}

test('whatever fails, repeats or comes late: active with record and offer, or freed with neither', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(moves, { maxLength: 60 }), (brought, story) => {
      const world = new World(brought, 1_000)
      for (const move of story) play(world, move)
      settle(world)
      const { phase } = world.state
      expect(['active', 'freed']).toContain(phase)
      expect({ phase, record: world.record }).toEqual({ phase, record: phase === 'active' })
      // A brought offer lives on the owner's device and is not ours to disable.
      if (!brought) expect({ phase, offer: world.offer }).toEqual({ phase, offer: phase === 'active' })
    }),
    { numRuns: 3_000 },
  )
})
