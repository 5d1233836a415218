import { describe, expect, test } from 'vitest'
import { isRefusal, REFUSALS } from '../refusals.ts'
import type { NameReport, NameRequest } from './name-commands.ts'
import {
  disableDelayMs,
  RENEW_BEFORE_EXPIRY_MS,
  RETIRE_AFTER_MS,
  retryDelayMs,
  settleDelayMs,
  WITHDRAW_BEFORE_EXPIRY_MS,
} from './name-delays.ts'
import { decideName, hearName, replayName } from './name-machine.ts'
import { jobProgress, nameTrouble } from './name-progress.ts'
import { MOST_RETIRING } from './name-requests.ts'
import type { NameIn, NameState } from './name-states.ts'
import { doneOf, dueAt, pendingEffects } from './pending-effects.ts'
import {
  commandsFor,
  hearTwice,
  outcomeOf,
  phaseOf,
  reportsFor,
  situations,
  stateTable,
} from './testing/name-table.ts'
import { NameWorld, YEAR_MS } from './testing/name-world.ts'

const OWNER = 'alice'
const OTHER = 'bob'

const situation = (title: string): NameState => {
  const found = situations().find((each) => each.title === title)
  if (!found) throw new Error(`no situation ${title}`)
  return found.state
}

/** A world in which so many effects have gone well. */
function reach(steps: number, options = { brought: false, expiring: false }): NameWorld {
  return go(new NameWorld(options), steps)
}

function go(world: NameWorld, steps: number): NameWorld {
  for (let step = 0; step < steps; step++) {
    world.beginEffect()
    world.finish(0, 'none', 'now')
  }
  return world
}

function failNext(world: NameWorld, fault: 'before' | 'refused' = 'refused'): NameWorld {
  world.beginEffect()
  world.finish(0, fault, 'now')
  return world
}

describe('every state and every command', () => {
  test('lead where docs/state-machines/names.md says', async () => {
    await expect(stateTable()).toMatchFileSnapshot('../../../../docs/state-machines/names.md')
  })

  test.each(situations())('$title: a report is never refused, and leads twice where it led', ({ state }) => {
    for (const [title, report] of reportsFor(state)) {
      const { once, twice } = hearTwice(state, title, report)
      expect([title, phaseOf(twice)]).toEqual([title, phaseOf(once)])
      expect(twice.job.stepsDone).toEqual(once.job.stepsDone)
    }
  })

  test.each(situations())('$title: a refused request changes nothing; register is refused', ({ state }) => {
    const before = structuredClone(state)
    for (const [title, command] of commandsFor(state)) outcomeOf(state, title, command)
    expect(state).toEqual(before)
    expect(outcomeOf(state, 'register', registration)).toBe('NAME_TAKEN')
  })

  test('a name that was never requested hears nothing', () => {
    for (const command of [{ kind: 'time-passed' }, { kind: 'release', by: OWNER }] as const) {
      expect(decideName(null, command, 0)).toMatchObject({ refused: 'NAME_NOT_FOUND' })
    }
  })
})

const registration: NameRequest = {
  kind: 'register',
  jobId: 'id',
  by: OWNER,
  user: 'shop',
  domain: 'shop.test',
  skeleton: 'shop',
  quarantineMs: 1_000,
  deadlineAt: 1_000,
}

describe('a registration', () => {
  test('with a brought offer skips making one, and never disables it', () => {
    const world = new NameWorld({ brought: true, expiring: false })
    expect(world.state).toMatchObject({ phase: 'offer-ready', next: { source: 'brought' } })
    world.record = 'somebody else’s'
    go(world, 1)
    expect(world.state).toMatchObject({ phase: 'freed', cause: 'DNS_UNAVAILABLE', retiring: [] })
    expect(world.record).toBe('somebody else’s')
  })

  test.each([0, 1, 2, 3])(
    'that is still at step %i at its deadline is undone, and says what failed last',
    (steps) => {
      const silent = reach(steps)
      silent.now = 1_000
      silent.hear({ kind: 'time-passed' })
      expect(silent.state).toMatchObject({ cause: 'NAME_TIMED_OUT', job: { cause: 'NAME_TIMED_OUT' } })

      const tried = failNext(reach(steps), 'before')
      tried.now = 1_000
      failNext(tried, 'before')
      expect(tried.state).toMatchObject({ cause: 'DNS_UNAVAILABLE' })
      tried.settle()
      expect(tried.state).toMatchObject({ phase: 'freed', quarantineUntil: null, job: { outcome: 'failed' } })
    },
  )

  test('leaves a provider alone for as long as it asks, while it runs and while it is undone', () => {
    const world = reach(1)
    const told = (retryAfterMs: number) => {
      const [effect] = pendingEffects(world.state)
      const failure = { code: 'DNS_UNAVAILABLE', kind: 'unavailable', retryAfterMs } as const
      world.hear({ kind: 'effect-failed', effect: doneOf(effect!), failure })
      return pendingEffects(world.state)[0]!.at - world.now
    }
    expect(told(0)).toBe(retryDelayMs(0))
    expect(told(300)).toBe(300)
    world.ask({ kind: 'release', by: OWNER })
    expect(told(300_000)).toBe(300_000)
    expect(told(0)).toBe(settleDelayMs(1, 'unavailable'))
  })

  test('is tried again with growing pauses; what is undone is tried for ever, in the end now and then', () => {
    const tries = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    expect(tries.map(retryDelayMs)).toEqual([50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
    expect([0, 1, 10_000].map((at) => settleDelayMs(at, 'unavailable'))).toEqual([250, 500, 3_600_000])
    expect([0, 1, 10_000].map((at) => settleDelayMs(at, 'refused'))).toEqual([60_000, 120_000, 21_600_000])
    expect([0, 1, 10_000].map(disableDelayMs)).toEqual([250, 500, 86_400_000])
    expect(retryDelayMs(10_000)).toBe(10_000)
  })

  test.each([
    [undefined, ['record-seen', 'chain-validated']],
    [2, ['record-seen', 'resolvers-confirmed', 'chain-validated']],
  ])('that %s resolvers have confirmed says so only if some were asked', (confirmedBy, steps) => {
    const seen = reach(3).state as NameIn<'offer-ready' | 'published' | 'seen'>
    const report = { kind: 'chain-validated', serial: seen.wait.serial } as const
    const { state } = hearName(seen, confirmedBy === undefined ? report : { ...report, confirmedBy }, 0)
    expect(state.job.stepsDone.map(({ step }) => step).slice(-steps.length)).toEqual(steps)
    expect(jobProgress(state.job)).toMatchObject({ state: 'succeeded', percent: 100, step: 'done' })
  })

  test('whose job was lost is asked for again once it was due', () => {
    const { state } = failNext(reach(1), 'before')
    expect(hearName(state, { kind: 'time-passed' }, 49).effects).toEqual([])
    expect(hearName(state, { kind: 'time-passed' }, 50)).toEqual({ state, effects: pendingEffects(state) })
    expect(dueAt(state)).toBe(50)
  })
})

describe('a withdrawal that is refused for ever', () => {
  test('is tried every few hours, and the name says what a person must do', () => {
    const world = reach(4)
    world.ask({ kind: 'release', by: OWNER })
    const times = Array.from({ length: 12 }, () => {
      failNext(world)
      return (dueAt(world.state) ?? 0) - world.now
    })
    expect(times.at(-1)).toBe(6 * 3_600_000)
    expect(nameTrouble(world.state)).toMatchObject({ code: 'DNS_UNAVAILABLE', hint: 'Try again later.' })
    const again = hearName(world.state, { kind: 'try-again' }, world.now)
    expect(again).toMatchObject({
      state: world.state,
      effects: [{ kind: 'settle-record', at: world.now }],
    })
    world.settle()
    expect(nameTrouble(world.state)).toBeNull()
    expect(world.state.phase).toBe('freed')
    expect(hearName(world.state, { kind: 'try-again' }, world.now).effects).toEqual([])
  })

  test('and so is an offer that its node does not disable', () => {
    const world = reach(4)
    world.ask({ kind: 'release', by: OWNER })
    failNext(go(world, 1))
    expect(world.state).toMatchObject({ phase: 'freed', retiring: [{ no: 0, wait: { tries: 1 } }] })
    expect(nameTrouble(world.state)).not.toBeNull()
    expect(hearName(world.state, { kind: 'try-again' }, world.now).effects).toMatchObject([
      { kind: 'disable-offer', no: 0 },
    ])
  })
})

describe('a record that the reconciler finds', () => {
  const found = (state: NameState, offer: string) => hearName(state, { kind: 'record-found', offer }, 1).state

  test('while another one is being withdrawn is withdrawn as well, and each but once', () => {
    const one = found(situation('freed'), 'left here')
    const both = found(one, 'left there')
    expect(pendingEffects(both)).toMatchObject([
      { kind: 'settle-record', wanted: null, unwanted: ['left here', 'left there'] },
    ])
    expect(found(both, 'left here')).toBe(both)
  })
})

describe('another offer', () => {
  test('is no reason to disable the old one sooner when a late report says that it was made', () => {
    const world = reach(4)
    world.ask({ kind: 'change-offer', by: OWNER })
    go(world, 4)
    const { at } = pendingEffects(world.state)[0]!
    expect(at).toBe(world.now + RETIRE_AFTER_MS)
    const made = { kind: 'make-offer', serial: 1, no: 0, owner: OWNER } as const
    const late: NameReport[] = [
      { ...made, kind: 'offer-made', ready: { offer: 'made' } },
      { kind: 'effect-failed', effect: made, failure: { code: 'NODE_OFFLINE', kind: 'unavailable' } },
      { kind: 'outcome-unknown', effect: made },
    ]
    for (const report of late) {
      const { state } = hearName(world.state, report, world.now)
      expect(pendingEffects(state)).toMatchObject([{ kind: 'disable-offer', no: 0, at }])
      expect(state.retiring).toMatchObject([{ offer: 'made 0' }])
      // A disabling that is under way may have come before the making.
      const disabled = {
        kind: 'offer-disabled',
        no: 0,
        serial: world.state.retiring[0]!.wait.serial,
      } as const
      expect(pendingEffects(hearName(state, disabled, at).state)).toMatchObject([{ kind: 'disable-offer' }])
    }
  })

  test('is refused while too many former ones wait to be disabled; those of a former owner do not count', () => {
    const world = reach(4)
    for (let i = 0; i < MOST_RETIRING; i++) {
      world.ask({ kind: 'change-offer', by: OWNER })
      go(world, 4)
      world.jobs = world.jobs.filter(({ kind }) => kind !== 'disable-offer')
    }
    expect(world.state.retiring).toHaveLength(MOST_RETIRING)
    const change = { kind: 'change-offer', by: OWNER, jobId: 'more', deadlineAt: world.now + 1 } as const
    expect(decideName(world.state, change, world.now)).toMatchObject({ refused: 'NAME_CHANGED_TOO_OFTEN' })
    world.ask({ kind: 'propose-transfer', by: OWNER, to: OTHER, until: world.now + 1 })
    const accept = { ...change, kind: 'accept-transfer', by: OTHER } as const
    expect(decideName(world.state, accept, world.now)).toMatchObject({ state: { phase: 'requested' } })
  })

  test('is live before the old one is disabled, and caches have time to forget the old one', () => {
    const world = reach(4)
    world.ask({ kind: 'change-offer', by: OWNER })
    const seen: (readonly [record: string | null, enabled: string[]])[] = []
    for (let step = 0; step < 4; step++) {
      go(world, 1)
      seen.push([world.record, [...world.enabled]])
    }
    const [before, no] = ['made 0', world.state.phase === 'active' ? world.state.live.no : -1]
    const both = [`${OWNER} 0`, `${OWNER} ${no}`]
    const after = `made ${no}`
    expect(seen).toEqual([
      [before, both],
      [after, both],
      [after, both],
      [after, both],
    ])
    expect(pendingEffects(world.state)).toMatchObject([{ kind: 'disable-offer', no: 0, at: RETIRE_AFTER_MS }])
    world.settle()
    expect([...world.enabled]).toEqual([`${OWNER} ${no}`])
  })

  test.each([1, 2, 3])('that fails after %i steps leaves the old one, in the zone and enabled', (steps) => {
    const world = reach(4)
    world.ask({ kind: 'change-offer', by: OWNER })
    failNext(go(world, steps))
    world.settle()
    expect(world.state).toMatchObject({ phase: 'active', live: { no: 0 }, job: { outcome: 'failed' } })
    expect([world.record, [...world.enabled]]).toEqual(['made 0', [`${OWNER} 0`]])
  })

  test('that is in use already, or was just now, is refused', () => {
    const world = reach(4, { brought: true, expiring: false })
    expect(world.ask({ kind: 'change-offer', by: OWNER, offer: { offer: 'brought 0' } })).toBe(false)
    const made = reach(4)
    made.ask({ kind: 'change-offer', by: OWNER, offer: { offer: 'mine' } })
    go(made, 3)
    expect(made.state.phase).toBe('active')
    expect(made.ask({ kind: 'change-offer', by: OWNER, offer: { offer: 'made 0' } })).toBe(false)
  })

  test('is not begun over a record that a stranger put there; the old one returns when that is gone', () => {
    const world = reach(4)
    world.record = 'somebody else’s'
    world.ask({ kind: 'change-offer', by: OWNER })
    go(world, 2)
    expect(world.state).toMatchObject({ phase: 'active', live: { no: 0 }, job: { outcome: 'failed' } })
    go(world, 1)
    expect(nameTrouble(world.state)).not.toBeNull()
    world.record = null
    world.settle()
    expect(world.record).toBe('made 0')
  })
})

describe('a transfer', () => {
  const propose = (world: NameWorld) =>
    world.ask({ kind: 'propose-transfer', by: OWNER, to: 'bob', until: 500 })

  test('needs both; the name is the new owner’s once their offer is live', () => {
    const world = reach(4)
    expect(world.ask({ kind: 'accept-transfer', by: 'bob' })).toBe(false)
    propose(world)
    expect(world.ask({ kind: 'accept-transfer', by: 'carol' })).toBe(false)
    expect(world.ask({ kind: 'accept-transfer', by: 'bob' })).toBe(true)
    go(world, 3)
    expect(world.state.owner).toBe(OWNER)
    go(world, 1)
    expect(world.state).toMatchObject({ owner: 'bob', transfer: null })
    world.settle()
    expect([...world.enabled]).toEqual([expect.stringMatching(/^bob /)])
    expect(world.ask({ kind: 'release', by: OWNER })).toBe(false)
  })

  test('that fails leaves the name with its owner, who can also take the proposal back', () => {
    const world = reach(4)
    propose(world)
    world.ask({ kind: 'accept-transfer', by: 'bob' })
    failNext(world)
    expect(world.state).toMatchObject({ phase: 'active', owner: OWNER, transfer: { to: 'bob' } })
    expect(world.ask({ kind: 'cancel-transfer', by: OWNER })).toBe(true)
    expect(world.ask({ kind: 'accept-transfer', by: 'bob' })).toBe(false)
    propose(world)
    world.now = 501
    const late = { kind: 'accept-transfer', by: 'bob', jobId: 'x', deadlineAt: 9_999 } as const
    expect(decideName(world.state, late, world.now)).toMatchObject({ refused: 'TRANSFER_EXPIRED' })
    expect(world.ask({ kind: 'propose-transfer', by: OWNER, to: OWNER, until: 999 })).toBe(false)
  })
})

describe('a suspended name', () => {
  test('has no record, keeps its offer and its claim, and is published again when resumed', () => {
    const world = reach(4)
    world.ask({ kind: 'suspend', by: 'operator' })
    go(world, 1)
    expect([world.state.phase, world.record, [...world.enabled]]).toEqual(['suspended', null, [`${OWNER} 0`]])
    world.ask({ kind: 'resume', by: 'operator' })
    go(world, 3)
    expect([world.state.phase, world.record]).toEqual(['active', 'made 0'])
    world.settle()
    expect([...world.enabled]).toEqual([`${OWNER} 0`])
  })

  test('whose resumption fails is suspended again', () => {
    const world = reach(4)
    world.ask({ kind: 'suspend', by: 'operator' })
    go(world, 1)
    world.ask({ kind: 'resume', by: 'operator' })
    failNext(go(world, 1))
    world.settle()
    expect([world.state.phase, world.record]).toEqual(['suspended', null])
  })

  /** Suspended, and its offer has expired meanwhile. */
  const outlived = (options = { brought: false, expiring: true }) => {
    const world = reach(options.brought ? 3 : 4, options)
    world.ask({ kind: 'suspend', by: 'operator' })
    go(world, 1)
    world.now = YEAR_MS - WITHDRAW_BEFORE_EXPIRY_MS
    return world
  }

  test('whose offer has expired meanwhile is resumed with another that its owner’s node makes', () => {
    const world = outlived()
    expect(world.ask({ kind: 'resume', by: 'operator' })).toBe(true)
    expect(world.state).toMatchObject({ phase: 'requested', retiring: [{ no: 0 }], job: { kind: 'resume' } })
    world.settle()
    const no = world.state.phase === 'active' ? world.state.live.no : 0
    expect(no).toBeGreaterThan(0)
    expect([world.record, [...world.enabled]]).toEqual([`made ${no}`, [`${OWNER} ${no}`]])
  })

  test('gets another offer, too, when the kept one would take the name with it before another could be made', () => {
    const world = outlived()
    world.now -= 3_600_000
    world.ask({ kind: 'resume', by: 'operator' })
    expect(world.state.phase).toBe('requested')
    const early = outlived()
    early.now -= 4_000_000
    early.ask({ kind: 'resume', by: 'operator' })
    expect(early.state).toMatchObject({ phase: 'offer-ready', next: { no: 0 } })
  })

  test.each(['refused', 'deadline', 'suspend'])(
    'whose node makes no other (%s) is suspended again, with nothing left, and can be resumed later',
    (why) => {
      const world = outlived()
      world.ask({ kind: 'resume', by: 'operator' })
      if (why === 'refused') failNext(world)
      if (why === 'suspend') expect(world.ask({ kind: 'suspend', by: 'operator' })).toBe(true)
      if (why === 'deadline') {
        world.now += 1_000
        world.hear({ kind: 'time-passed' })
      }
      expect(world.state).toMatchObject({ phase: 'suspended', keep: null, cause: 'NAME_SUSPENDED' })
      expect(world.state.job.outcome).toBe('failed')
      world.settle()
      expect([world.record, world.enabled.size, world.state.retiring]).toEqual([null, 0, []])
      expect(world.ask({ kind: 'resume', by: 'operator' })).toBe(true)
      world.settle()
      expect(world.state.phase).toBe('active')
      expect([...world.enabled]).toEqual([expect.stringMatching(/^alice [1-9]/)])
    },
  )

  test('whose other offer cannot be published keeps that one', () => {
    const world = outlived()
    world.ask({ kind: 'resume', by: 'operator' })
    failNext(go(world, 2))
    world.settle()
    expect(world.state).toMatchObject({
      phase: 'suspended',
      keep: { offer: expect.stringMatching(/^made [1-9]/) },
    })
    expect([world.record, world.enabled.size]).toEqual([null, 1])
  })

  test('can be released while another offer is being made, and while there is none', () => {
    for (const fails of [false, true]) {
      const world = outlived()
      world.ask({ kind: 'resume', by: 'operator' })
      if (fails) failNext(world)
      expect(world.ask({ kind: 'release', by: OWNER })).toBe(true)
      world.settle()
      expect([world.state.phase, world.record, world.enabled.size]).toEqual(['freed', null, 0])
    }
  })

  test('whose record is found while another offer is being made has it withdrawn, whatever becomes of that', () => {
    const world = outlived()
    world.ask({ kind: 'resume', by: 'operator' })
    world.record = 'made 0'
    world.hear({ kind: 'record-found', offer: 'made 0' })
    failNext(world)
    world.settle()
    expect([world.state.phase, world.record, world.state.cleaning]).toEqual(['suspended', null, null])
  })

  test('is not resumed while too many offers wait for a node that never disables them', () => {
    const world = outlived()
    for (let retiring = 1; retiring < MOST_RETIRING; retiring++) {
      expect(world.ask({ kind: 'resume', by: 'operator' })).toBe(true)
      world.jobs = world.jobs.filter(({ kind }) => kind !== 'disable-offer')
      failNext(world)
      world.jobs = world.jobs.filter(({ kind }) => kind !== 'disable-offer')
    }
    const resume = { kind: 'resume', by: 'operator', jobId: 'more', deadlineAt: world.now + 1 } as const
    expect(decideName(world.state, resume, world.now)).toMatchObject({ refused: 'NAME_CHANGED_TOO_OFTEN' })
  })

  test('whose brought offer has expired meanwhile is not resumed', () => {
    const world = outlived({ brought: true, expiring: true })
    expect(world.state).toMatchObject({ phase: 'suspended', keep: { source: 'brought' } })
    const resume = { kind: 'resume', by: 'operator', jobId: 'job', deadlineAt: world.now + 1 } as const
    expect(decideName(world.state, resume, world.now)).toMatchObject({ refused: 'OFFER_EXPIRED' })
    expect(decideName(world.state, resume, world.now - 1)).toMatchObject({ state: { phase: 'offer-ready' } })
    expect(REFUSALS.OFFER_EXPIRED.hint).toMatch(/released/)
  })
})

describe('an offer that expires', () => {
  test('is made anew by the owner’s node in time', () => {
    const world = reach(4, { brought: false, expiring: true })
    const { state } = world
    expect(state).toMatchObject({ phase: 'active', wakeAt: YEAR_MS - RENEW_BEFORE_EXPIRY_MS })
    world.settle()
    expect(world.now).toBeLessThan(YEAR_MS - WITHDRAW_BEFORE_EXPIRY_MS)
    expect(world.state).toMatchObject({ phase: 'active', wakeAt: null, job: { kind: 'renew', id: null } })
    expect(world.record).toMatch(/^made [1-9]/)
  })

  test('is tried to be made anew every hour, and withdrawn before it expires when that is in vain', () => {
    const world = reach(4, { brought: false, expiring: true })
    world.now = YEAR_MS - RENEW_BEFORE_EXPIRY_MS
    world.hear({ kind: 'time-passed' })
    expect(world.state).toMatchObject({ phase: 'requested', job: { kind: 'renew' } })
    failNext(world)
    expect(world.state).toMatchObject({ phase: 'active', wakeAt: world.now + 3_600_000 })
    world.now = YEAR_MS - WITHDRAW_BEFORE_EXPIRY_MS
    world.hear({ kind: 'time-passed' })
    expect(world.state).toMatchObject({ phase: 'withdrawing', cause: 'OFFER_EXPIRED' })
  })

  test('that was brought is withdrawn before it expires', () => {
    const offer = { offer: 'mine', expiresAt: YEAR_MS }
    const decided = decideName(null, { ...registration, offer }, 0)
    if (isRefusal(decided)) throw new Error(decided.refused)
    const { wait } = decided.state as NameIn<'offer-ready' | 'published' | 'seen'>
    const active = (
      [
        { kind: 'record-published', serial: wait.serial, offer: 'mine' },
        { kind: 'record-seen', serial: wait.serial + 1 },
        { kind: 'chain-validated', serial: wait.serial + 2 },
      ] satisfies NameReport[]
    ).reduce((at, report) => hearName(at, report, 0).state, decided.state)
    const withdrawAt = YEAR_MS - WITHDRAW_BEFORE_EXPIRY_MS
    expect(active).toMatchObject({ phase: 'active', wakeAt: withdrawAt })
    expect(hearName(active, { kind: 'time-passed' }, withdrawAt - 1).state).toBe(active)
    expect(hearName(active, { kind: 'time-passed' }, withdrawAt).state).toMatchObject({
      phase: 'withdrawing',
      becomes: 'freed',
    })
  })
})

describe('a released name', () => {
  test('is held for its last owner for a while, if it was ever live', () => {
    const world = reach(4)
    world.now = 5
    world.ask({ kind: 'release', by: OWNER })
    go(world, 1)
    expect(world.state).toMatchObject({ phase: 'freed', freedAt: 5, quarantineUntil: 1_005 })
    const never = reach(2)
    never.ask({ kind: 'release', by: OWNER })
    never.settle()
    expect(never.state).toMatchObject({ phase: 'freed', quarantineUntil: null })
  })

  test('while it is being suspended ends free', () => {
    const world = reach(4)
    world.ask({ kind: 'suspend', by: 'operator' })
    expect(world.ask({ kind: 'release', by: OWNER })).toBe(true)
    expect(world.state).toMatchObject({ becomes: 'freed', cause: 'NAME_SUSPENDED' })
    world.settle()
    expect([world.state.phase, world.record, world.enabled.size]).toEqual(['freed', null, 0])
  })
})

test.each([
  ['registering: requested', 'running', 20, 'make-offer'],
  ['registering: offer-ready', 'running', 40, 'publish-record'],
  ['registering: published', 'running', 60, 'check-authoritative'],
  ['registering: seen', 'running', 80, 'validate-chain'],
  ['active', 'succeeded', 100, 'done'],
  ['changing: requested', 'running', 20, 'make-offer'],
  ['restoring', 'running', 60, 'undo'],
  ['suspended', 'succeeded', 100, 'done'],
  ['freed', 'succeeded', 100, 'done'],
] as const)('the job of a name that is %s is %s, %i percent, at %s', (title, state, percent, step) => {
  const progress = jobProgress(situation(title).job)
  expect(progress).toMatchObject({ state, percent, step })
  expect(progress.error?.code).toBe(title === 'restoring' ? 'DNS_UNAVAILABLE' : undefined)
})

test('the job of a registration that failed says why', () => {
  const world = failNext(reach(0))
  world.settle()
  expect(jobProgress(world.state.job)).toMatchObject({
    state: 'failed',
    step: 'undone',
    error: { code: 'DNS_UNAVAILABLE' },
  })
})

test('replaying its commands gives the name again', () => {
  const history = [registration, { kind: 'time-passed' } as const].map((command) => ({ command, at: 0 }))
  expect(replayName(history)).toMatchObject({ phase: 'requested', serial: 0 })
  expect(replayName([])).toBeNull()
})
