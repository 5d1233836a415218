import { describe, expect, test } from 'vitest'
import { isRefusal, type RefusalCode } from '../refusals.ts'
import {
  decideName,
  effectOf,
  hearName,
  type NameDecision,
  replayName,
  retryDelayMs,
  undoDelayMs,
  WITHDRAW_BEFORE_EXPIRY_MS,
} from './name-machine.ts'
import { nameProgress } from './name-progress.ts'
import {
  NAME_PHASES,
  type NameCommand,
  type NameEffectKind,
  type NamePhase,
  type NameReport,
  type NameRequest,
  type NameState,
} from './name-states.ts'

const OWNER = 'aa'.repeat(32)
const NOW = 1_000_000
const DEADLINE = NOW + 600_000
const OFFER = { offer: 'lno1example' }
type Phase = NamePhase['phase']

const registration: Extract<NameRequest, { kind: 'register' }> = {
  kind: 'register',
  id: 'id-1',
  user: 'alice',
  domain: 'shop.test',
  skeleton: 'alice',
  owner: OWNER,
  deadlineAt: DEADLINE,
}

function register(more: Partial<typeof registration> = {}): NameDecision {
  return accepted(decideName(null, { ...registration, ...more }, NOW))
}

function accepted(decision: ReturnType<typeof decideName>): NameDecision {
  if (isRefusal(decision)) throw new Error(`refused: ${decision.refused}`)
  return decision
}

function hearAll(state: NameState, ...reports: NameReport[]): NameState {
  return reports.reduce((at, report) => hearName(at, report, NOW).state, state)
}

/** A name in each phase, reached the way it is reached in life. */
function reach(phase: Phase): NameState {
  const requested = register().state
  const forward: NameReport[] = [
    { kind: 'offer-made', offer: OFFER },
    { kind: 'record-published' },
    { kind: 'record-seen' },
    { kind: 'chain-validated' },
  ]
  const steps: Record<Phase, NameReport[]> = {
    requested: [],
    'offer-ready': forward.slice(0, 1),
    published: forward.slice(0, 2),
    seen: forward.slice(0, 3),
    active: forward,
    withdrawing: [...forward.slice(0, 2), refusal('check-authoritative')],
    disabling: [
      ...forward.slice(0, 2),
      refusal('check-authoritative'),
      { kind: 'record-withdrawn', attempt: 0 },
    ],
    freed: [
      ...forward.slice(0, 2),
      refusal('check-authoritative'),
      { kind: 'record-withdrawn', attempt: 0 },
      { kind: 'offer-disabled', attempt: 0 },
    ],
  }
  const state = hearAll(requested, ...steps[phase])
  expect(state.phase).toBe(phase)
  return state
}

function failure(
  effect: NameEffectKind,
  kind: 'unavailable' | 'refused' | 'occupied',
  attempt = 0,
): NameReport {
  return { kind: 'effect-failed', effect, attempt, failure: { code: 'DNS_UNAVAILABLE', kind } }
}
const refusal = (effect: NameEffectKind) => failure(effect, 'refused')

const commands: Record<string, NameCommand> = {
  register: registration,
  release: { kind: 'release', owner: OWNER },
  'release by another': { kind: 'release', owner: 'bb'.repeat(32) },
  'offer-made': { kind: 'offer-made', offer: OFFER },
  'record-published': { kind: 'record-published' },
  'record-seen': { kind: 'record-seen' },
  'chain-validated': { kind: 'chain-validated' },
  'record-withdrawn': { kind: 'record-withdrawn', attempt: 0 },
  'record-withdrawn of before': { kind: 'record-withdrawn', attempt: 7 },
  'offer-disabled': { kind: 'offer-disabled', attempt: 0 },
  'offer-disabled of before': { kind: 'offer-disabled', attempt: 7 },
  'make-offer unavailable': failure('make-offer', 'unavailable'),
  'make-offer refused': failure('make-offer', 'refused'),
  'publish unavailable': failure('publish-record', 'unavailable'),
  'publish refused': failure('publish-record', 'refused'),
  'publish occupied': failure('publish-record', 'occupied'),
  'check unavailable': failure('check-authoritative', 'unavailable'),
  'validate unavailable': failure('validate-chain', 'unavailable'),
  'validate refused': failure('validate-chain', 'refused'),
  'withdraw unavailable': failure('withdraw-record', 'unavailable'),
  'disable unavailable': failure('disable-offer', 'unavailable'),
  'an old failure': failure('publish-record', 'unavailable', 7),
  'make-offer unknown': { kind: 'outcome-unknown', effect: 'make-offer' },
  'publish unknown': { kind: 'outcome-unknown', effect: 'publish-record' },
  'check unknown': { kind: 'outcome-unknown', effect: 'check-authoritative' },
  'time-passed': { kind: 'time-passed' },
}

/** `phase effect`: what every command leads to; `=`: nothing changes. */
const TABLE: Record<Phase, Record<string, string>> = {
  requested: {
    release: 'disabling disable-offer',
    'offer-made': 'offer-ready publish-record',
    'make-offer unavailable': 'requested make-offer',
    'make-offer refused': 'disabling disable-offer',
    'time-passed': '= make-offer',
  },
  'offer-ready': {
    release: 'withdrawing withdraw-record',
    'record-published': 'published check-authoritative',
    'publish unavailable': 'offer-ready publish-record',
    'publish refused': 'withdrawing withdraw-record',
    'publish occupied': 'disabling disable-offer',
    'time-passed': '= publish-record',
  },
  published: {
    release: 'withdrawing withdraw-record',
    'record-seen': 'seen validate-chain',
    'check unavailable': 'published check-authoritative',
    'time-passed': '= check-authoritative',
  },
  seen: {
    release: 'withdrawing withdraw-record',
    'chain-validated': 'active',
    'validate unavailable': 'seen validate-chain',
    'validate refused': 'withdrawing withdraw-record',
    'time-passed': '= validate-chain',
  },
  active: { release: 'withdrawing withdraw-record' },
  withdrawing: {
    release: 'NAME_NOT_ACTIVE',
    'record-published': 'withdrawing',
    'publish unknown': 'withdrawing',
    'publish unavailable': 'withdrawing',
    'publish refused': 'withdrawing',
    'an old failure': 'withdrawing',
    'record-withdrawn': 'disabling disable-offer',
    'withdraw unavailable': 'withdrawing withdraw-record',
    'time-passed': '= withdraw-record',
  },
  disabling: {
    release: 'NAME_NOT_ACTIVE',
    'offer-made': 'disabling',
    'make-offer unknown': 'disabling',
    'make-offer unavailable': 'disabling',
    'make-offer refused': 'disabling',
    'record-published': '= withdraw-record',
    'publish unknown': '= withdraw-record',
    'publish unavailable': '= withdraw-record',
    'publish refused': '= withdraw-record',
    'an old failure': '= withdraw-record',
    'offer-disabled': 'freed',
    'withdraw unavailable': '= withdraw-record',
    'disable unavailable': 'disabling disable-offer',
    'time-passed': '= disable-offer',
  },
  freed: {
    release: 'NAME_NOT_ACTIVE',
    'offer-made': '= disable-offer',
    'make-offer unknown': '= disable-offer',
    'make-offer unavailable': '= disable-offer',
    'make-offer refused': '= disable-offer',
    'record-published': '= withdraw-record',
    'publish unknown': '= withdraw-record',
    'publish unavailable': '= withdraw-record',
    'publish refused': '= withdraw-record',
    'an old failure': '= withdraw-record',
    'withdraw unavailable': '= withdraw-record',
    'disable unavailable': '= disable-offer',
  },
}

const cases = NAME_PHASES.flatMap((phase) =>
  Object.entries(commands).map(([name, command]) => {
    const standard = name === 'register' ? 'NAME_TAKEN' : name === 'release by another' ? 'FORBIDDEN' : '='
    return [phase, name, command, TABLE[phase][name] ?? standard] as const
  }),
)

describe('every phase hears every command', () => {
  test.each(cases)('%s: %s', (phase, _name, command, expected) => {
    const before = reach(phase)
    const decision = decideName(before, command, NOW + 1)
    if (isRefusal(decision)) {
      expect(decision.refused).toBe(expected)
      expect(['register', 'release']).toContain(command.kind)
      return
    }
    const effects = decision.effects.map(({ kind }) => kind)
    expect([decision.state === before ? '=' : decision.state.phase, ...effects].join(' ')).toBe(expected)
  })

  test.each(cases.filter(([, , command]) => command.kind !== 'register' && command.kind !== 'release'))(
    '%s: %s, heard twice, leads where it led',
    (phase, _name, command) => {
      const report = command as NameReport
      const once = hearName(reach(phase), report, NOW + 1)
      const twice = hearName(once.state, report, NOW + 2)
      const undoing = ['withdrawing', 'disabling', 'freed'].includes(once.state.phase)
      // What may have left something behind is undone again; all else changes nothing.
      if (!undoing && report.kind !== 'time-passed') expect(twice).toEqual({ state: once.state, effects: [] })
      expect(twice.state.stepsDone).toEqual(once.state.stepsDone)
    },
  )

  test('a name that was never requested hears nothing', () => {
    expect(decideName(null, { kind: 'time-passed' }, NOW)).toMatchObject({ refused: 'NAME_NOT_FOUND' })
    expect(decideName(null, { kind: 'release', owner: OWNER }, NOW)).toMatchObject({
      refused: 'NAME_NOT_FOUND',
    })
  })
})

describe('a registration', () => {
  test('with a brought offer skips making one, and never disables it', () => {
    const { state, effects } = register({ offer: OFFER })
    expect(state).toMatchObject({ phase: 'offer-ready', offerSource: 'brought', offer: OFFER })
    expect(effects.map(({ kind }) => kind)).toEqual(['publish-record', 'wake'])
    const freed = hearName(state, failure('publish-record', 'occupied'), NOW)
    expect(freed.state.phase).toBe('freed')
    expect(hearName(freed.state, { kind: 'offer-made', offer: OFFER }, NOW).effects).toEqual([])
  })

  test.each(['requested', 'offer-ready', 'published', 'seen'] as const)(
    'that is still %s at its deadline is undone',
    (phase) => {
      const state = reach(phase)
      const { state: undone } = hearName(state, { kind: 'time-passed' }, DEADLINE)
      expect(undone).toMatchObject({
        phase: phase === 'requested' ? 'disabling' : 'withdrawing',
        cause: 'NAME_TIMED_OUT',
      })
    },
  )

  test('that fails at its deadline says what failed last', () => {
    const tried = hearName(reach('seen'), failure('validate-chain', 'unavailable'), NOW).state
    expect(hearName(tried, { kind: 'time-passed' }, DEADLINE).state).toMatchObject({
      cause: 'DNS_UNAVAILABLE',
    })
    expect(hearName(tried, failure('validate-chain', 'unavailable', 1), DEADLINE).state).toMatchObject({
      phase: 'withdrawing',
      cause: 'DNS_UNAVAILABLE',
    })
  })

  test('tries again with growing pauses', () => {
    let state = reach('offer-ready')
    const pauses = Array.from({ length: 10 }, (_, attempt) => {
      const decision = hearName(state, failure('publish-record', 'unavailable', attempt), NOW)
      state = decision.state
      return decision.effects[0]!.at - NOW
    })
    expect(pauses).toEqual([50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
    expect([retryDelayMs(10_000), undoDelayMs(0), undoDelayMs(10_000)]).toEqual([10_000, 250, 60_000])
  })
})

describe('what is left behind', () => {
  test('a record published while it was withdrawn is withdrawn once more', () => {
    const state = hearAll(reach('withdrawing'), { kind: 'record-published' })
    const again = hearName(state, { kind: 'record-withdrawn', attempt: 0 }, NOW)
    expect(again.effects).toEqual([{ kind: 'withdraw-record', attempt: 1, at: NOW }])
    expect(hearName(again.state, { kind: 'record-withdrawn', attempt: 0 }, NOW).state).toBe(again.state)
    expect(hearName(again.state, { kind: 'record-withdrawn', attempt: 1 }, NOW).state.phase).toBe('disabling')
  })

  test('an offer made while it was disabled is disabled once more', () => {
    const state = hearAll(reach('disabling'), { kind: 'offer-made', offer: OFFER })
    const again = hearName(state, { kind: 'offer-disabled', attempt: 0 }, NOW)
    expect(again.effects).toEqual([{ kind: 'disable-offer', attempt: 1, at: NOW }])
    expect(hearName(again.state, { kind: 'offer-disabled', attempt: 1 }, NOW).state.phase).toBe('freed')
  })

  test('without an offer there never was a record', () => {
    const freed = hearAll(reach('requested'), refusal('make-offer'), { kind: 'offer-disabled', attempt: 0 })
    expect(hearName(freed, { kind: 'record-published' }, NOW).effects).toEqual([])
  })
})

describe('an active name', () => {
  const expiresAt = NOW + 100 * WITHDRAW_BEFORE_EXPIRY_MS
  const active = () =>
    hearAll(
      register({ offer: { ...OFFER, expiresAt } }).state,
      { kind: 'record-published' },
      { kind: 'record-seen' },
    )

  test('is looked at again before its offer expires, and withdrawn then', () => {
    const { state, effects } = hearName(active(), { kind: 'chain-validated' }, NOW)
    const withdrawAt = expiresAt - WITHDRAW_BEFORE_EXPIRY_MS
    expect(effects).toEqual([{ kind: 'wake', at: withdrawAt }])
    expect(hearName(state, { kind: 'time-passed' }, withdrawAt - 1).state).toBe(state)
    expect(hearName(state, { kind: 'time-passed' }, withdrawAt).state).toMatchObject({
      phase: 'withdrawing',
      cause: 'OFFER_EXPIRED',
    })
  })
})

test.each([
  ['requested', 'running', 20, 'make-offer'],
  ['offer-ready', 'running', 40, 'publish-record'],
  ['published', 'running', 60, 'check-authoritative'],
  ['seen', 'running', 80, 'validate-chain'],
  ['active', 'succeeded', 100, 'done'],
  ['withdrawing', 'running', 60, 'withdraw-record'],
  ['disabling', 'failed', 60, 'disable-offer'],
  ['freed', 'failed', 60, 'undone'],
] as const)('the job of a name that is %s is %s, %i %%, at %s', (phase, state, percent, step) => {
  const progress = nameProgress(reach(phase))
  expect(progress).toMatchObject({ state, percent, step })
  const code: RefusalCode = 'DNS_UNAVAILABLE'
  expect(progress.error?.code).toBe(['withdrawing', 'disabling', 'freed'].includes(phase) ? code : undefined)
})

test('the job of a released name has succeeded', () => {
  const released = accepted(decideName(reach('active'), { kind: 'release', owner: OWNER }, NOW)).state
  expect(nameProgress(released)).toMatchObject({ state: 'succeeded', percent: 100 })
})

test('replaying its commands gives the name again', () => {
  const reports: NameReport[] = [{ kind: 'offer-made', offer: OFFER }, { kind: 'record-published' }]
  const history = [registration, ...reports].map((command) => ({ command, at: NOW }))
  expect(replayName(history)).toEqual(reach('published'))
  expect(replayName([])).toBeNull()
  expect(effectOf(reach('published') as never)).toBe('check-authoritative')
})
