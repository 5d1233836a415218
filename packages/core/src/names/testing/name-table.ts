import { isRefusal } from '../../refusals.ts'
import type { EffectFailure, NameCommand, NameReport, PendingEffect } from '../name-commands.ts'
import { decideName, hearName } from '../name-machine.ts'
import type { NameState } from '../name-states.ts'
import { doneOf, pendingEffects } from '../pending-effects.ts'
import { NameWorld, YEAR_MS } from './name-world.ts'

type Situation = { readonly title: string; readonly state: NameState }

const OWNER = 'alice'
const START = 10

/** A name in each state that decides differently, each reached as it is reached in life. */
export function situations(): Situation[] {
  const registering = (steps: number) => advance(new NameWorld({ brought: false, expiring: false }), steps)
  const changing = (steps: number) => {
    const world = registering(4)
    world.ask({ kind: 'change-offer', by: OWNER })
    return advance(world, steps)
  }
  const suspending = (steps: number) => {
    const world = registering(4)
    world.ask({ kind: 'suspend', by: 'operator' })
    return advance(world, steps)
  }
  const proposed = registering(4)
  proposed.ask({ kind: 'propose-transfer', by: OWNER, to: 'bob', until: 1_000 })
  const resuming = suspending(1)
  resuming.ask({ kind: 'resume', by: 'operator' })
  const renewing = new NameWorld({ brought: false, expiring: true })
  advance(renewing, 4).ask({ kind: 'suspend', by: 'operator' })
  advance(renewing, 1).now = YEAR_MS
  renewing.ask({ kind: 'resume', by: 'operator' })
  const resumingAnew = renewing.state
  renewing.jobs = renewing.jobs.filter(({ kind }) => kind === 'make-offer')
  renewing.beginEffect()
  renewing.finish(0, 'refused', 'now')
  const restoring = changing(2)
  restoring.ask({ kind: 'release', by: 'nobody' })
  restoring.beginEffect()
  restoring.finish(0, 'refused', 'now')
  const withdrawing = registering(4)
  withdrawing.ask({ kind: 'release', by: OWNER })
  const unhealthy = registering(4)
  unhealthy.record = 'a stranger’s'
  unhealthy.watch()
  const freed = advance(withdrawing, 0).state
  const ended = registering(4)
  ended.ask({ kind: 'release', by: OWNER })
  return [
    ['registering: requested', registering(0).state],
    ['registering: offer-ready', registering(1).state],
    ['registering: published', registering(2).state],
    ['registering: seen', registering(3).state],
    ['active', registering(4).state],
    ['active, transfer proposed', proposed.state],
    ['active, unhealthy, being mended', unhealthy.state],
    ['changing: requested', changing(0).state],
    ['changing: offer-ready', changing(1).state],
    ['changing: published', changing(2).state],
    ['changing: seen', changing(3).state],
    ['resuming: requested', resumingAnew],
    ['resuming: offer-ready', resuming.state],
    ['restoring', restoring.state],
    ['withdrawing, then suspended', suspending(0).state],
    ['suspended', suspending(1).state],
    ['suspended, without an offer', renewing.state],
    ['withdrawing, then freed', freed],
    ['freed', advance(ended, 2).state],
  ].map(([title, state]) => ({ title, state }) as Situation)
}

function advance(world: NameWorld, steps: number): NameWorld {
  for (let step = 0; step < steps; step++) {
    world.beginEffect()
    world.finish(0, 'none', 'now')
  }
  return world
}

/** Everything that a name can be told, as it would be told in this state. */
export function commandsFor(state: NameState): (readonly [title: string, command: NameCommand])[] {
  const job = { jobId: 'job', deadlineAt: START + 1_000 }
  const brought = { offer: 'brought' }
  return [
    ['change-offer', { kind: 'change-offer', by: OWNER, ...job }],
    ['change-offer, brought', { kind: 'change-offer', by: OWNER, ...job, offer: brought }],
    ['change-offer by another', { kind: 'change-offer', by: 'mallory', ...job }],
    ['propose-transfer', { kind: 'propose-transfer', by: OWNER, to: 'carol', until: 99 }],
    ['cancel-transfer', { kind: 'cancel-transfer', by: OWNER }],
    ['accept-transfer', { kind: 'accept-transfer', by: 'bob', ...job }],
    ['suspend', { kind: 'suspend', by: 'operator' }],
    ['resume', { kind: 'resume', by: 'operator', ...job }],
    ['release', { kind: 'release', by: OWNER }],
    ['release by another', { kind: 'release', by: 'mallory' }],
    ...reportsFor(state),
  ]
}

export function reportsFor(state: NameState): (readonly [title: string, report: NameReport])[] {
  return [
    ...pendingEffects(state).flatMap(awaitedReports),
    ...LATE_REPORTS,
    ...watcherReports(state),
    ['time-passed', { kind: 'time-passed' }],
    ['time-passed, at the deadline', { kind: 'time-passed' }],
  ]
}

/** What may be told of an effect that the name waits for. */
function awaitedReports(effect: PendingEffect): (readonly [string, NameReport])[] {
  const { serial } = effect
  const done = doneOf(effect)
  const failed = (kind: EffectFailure['kind']) =>
    [
      kind === 'unavailable' ? `${effect.kind} failed` : `${effect.kind}: ${kind}`,
      { kind: 'effect-failed', effect: done, failure: { code: 'DNS_UNAVAILABLE', kind } },
    ] as const
  switch (effect.kind) {
    case 'make-offer': {
      const { no, owner } = effect
      const made: NameReport = { kind: 'offer-made', serial, no, owner, ready: { offer: 'made' } }
      return [['offer-made', made], failed('unavailable'), failed('refused')]
    }
    case 'publish-record': {
      const published: NameReport = { kind: 'record-published', serial, offer: effect.offer }
      return [['record-published', published], failed('unavailable'), failed('refused'), failed('occupied')]
    }
    case 'check-authoritative':
      return [['record-seen', { kind: 'record-seen', serial }], failed('unavailable'), failed('refused')]
    case 'validate-chain':
      return [['chain-validated', { kind: 'chain-validated', serial }], failed('unavailable')]
    case 'settle-record': {
      const settled: NameReport = { kind: 'record-settled', serial, wanted: effect.wanted }
      return [['record-settled', settled], failed('unavailable'), failed('refused'), failed('occupied')]
    }
    case 'disable-offer':
      return [['offer-disabled', { kind: 'offer-disabled', serial, no: effect.no }], failed('unavailable')]
  }
}

function watcherReports(state: NameState): (readonly [string, NameReport])[] {
  const offer = 'live' in state && state.live ? state.live.offer : 'none'
  return [
    ['healthy', { kind: 'healthy', offer }],
    ['unhealthy: bogus', { kind: 'unhealthy', offer, reason: 'bogus' }],
    ['unhealthy: not-found', { kind: 'unhealthy', offer, reason: 'not-found' }],
    [
      'unhealthy: content-changed',
      { kind: 'unhealthy', offer, reason: 'content-changed', found: 'bitcoin:?lno=theirs' },
    ],
    ['record-found, of the live offer', { kind: 'record-found', offer }],
    ['record-found, of another offer', { kind: 'record-found', offer: 'stray' }],
    ['record-found, none', { kind: 'record-found', offer: null }],
    ['unhealthy, of another offer', { kind: 'unhealthy', offer: 'stray', reason: 'not-found' }],
  ]
}

/** Of effects that nobody waits for any more, of which it is unknown when they reached the world. */
const LATE_REPORTS: (readonly [string, NameReport])[] = (() => {
  const serial = 0.5
  const [no, owner, offer] = [99, OWNER, 'stray']
  const make = { kind: 'make-offer', serial, no, owner } as const
  const publish = { kind: 'publish-record', serial, offer } as const
  const withdraw = { kind: 'settle-record', serial, wanted: null } as const
  const occupied = { code: 'RECORD_OCCUPIED', kind: 'occupied' } as const
  const unavailable = { code: 'DNS_UNAVAILABLE', kind: 'unavailable' } as const
  return [
    ['late: offer-made', { kind: 'offer-made', serial, no, owner, ready: { offer } }],
    ['late: make-offer failed', { kind: 'effect-failed', effect: make, failure: unavailable }],
    ['late: record-published', { kind: 'record-published', serial, offer }],
    ['late: publish-record failed', { kind: 'effect-failed', effect: publish, failure: unavailable }],
    ['late: publish-record occupied', { kind: 'effect-failed', effect: publish, failure: occupied }],
    ['late: record-seen', { kind: 'record-seen', serial }],
    ['late: chain-validated', { kind: 'chain-validated', serial }],
    ['late: record withdrawn', { kind: 'record-settled', serial, wanted: null }],
    ['late: withdrawal failed', { kind: 'effect-failed', effect: withdraw, failure: unavailable }],
    ['late: offer-disabled', { kind: 'offer-disabled', serial, no }],
    ['outcome-unknown: make-offer', { kind: 'outcome-unknown', effect: make }],
    ['outcome-unknown: publish-record', { kind: 'outcome-unknown', effect: publish }],
    ['outcome-unknown: withdrawal', { kind: 'outcome-unknown', effect: withdraw }],
  ]
})()

/** When a command is given. */
function timeOf(title: string, { job }: NameState): number {
  return title.endsWith('at the deadline') ? job.deadlineAt : START
}

/** What a command leads to: a refusal's code, or the phase and the effects asked for; empty when nothing happens. */
export function outcomeOf(state: NameState, title: string, command: NameCommand): string {
  const decision = decideName(state, command, timeOf(title, state))
  if (isRefusal(decision)) return decision.refused
  const effects = decision.effects.map(({ kind }) => kind).join(', ')
  if (decision.state === state) return effects === '' ? '' : `again: ${effects}`
  return `**${phaseOf(decision.state)}**${effects === '' ? '' : `: ${effects}`}`
}

export function phaseOf(state: NameState): string {
  return state.phase === 'withdrawing' ? `withdrawing, then ${state.becomes}` : state.phase
}

/** `docs/state-machines/names.md`. */
export function stateTable(): string {
  const all = situations()
  const edges = new Set<string>()
  const sections = all.map(({ title, state }) => {
    const rows = commandsFor(state).flatMap(([name, command]) => {
      const decision = decideName(state, command, timeOf(name, state))
      if (!isRefusal(decision) && phaseOf(decision.state) !== phaseOf(state)) {
        edges.add(
          `  ${label(state)} --> ${label(decision.state)}: ${name.startsWith('time-passed') ? 'time-passed' : name.replace(':', '')}`,
        )
      }
      const outcome = outcomeOf(state, name, command)
      return outcome === '' ? [] : [`| ${name} | ${outcome} |`]
    })
    return [`## ${title}`, '', '| told | leads to |', '|---|---|', ...rows, ''].join('\n')
  })
  return [
    '# The life of a name',
    '',
    'Made from `packages/core/src/names` by running `decideName` over every state and command; `npm test` fails when',
    'this page says something else. `vitest run packages/core/src/names -u` writes it anew.',
    '',
    'A request may be refused: then only the code stands here. A report never is; what is not listed changes nothing.',
    '**Bold** is the phase that follows, then the effects that are asked for. "Late" is a report of an effect that',
    'nobody waits for any more; what it may have left behind is undone.',
    '',
    '```mermaid',
    'stateDiagram-v2',
    '  [*] --> requested: register',
    '  [*] --> offer_ready: register, offer brought',
    ...[...edges].sort(),
    '  freed --> [*]',
    '```',
    '',
    ...sections,
  ].join('\n')
}

function label(state: NameState): string {
  return phaseOf(state).replace(/[, -]+/g, '_')
}

/** Hears a report again. */
export function hearTwice(state: NameState, title: string, report: NameReport) {
  const once = hearName(state, report, timeOf(title, state))
  const twice = hearName(once.state, report, timeOf(title, state) + 1)
  return { once: once.state, twice: twice.state }
}
