import { describe, expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import { zonePlanPage } from './testing/zone-plan-page.ts'
import { MARGIN_MS, type ZoneDecision } from './zone-moves.ts'
import { actionDelayMs, decideZone, hearZone } from './zone-plan.ts'
import type { ZoneCommand, ZoneState } from './zone-states.ts'

const ADOPT = {
  kind: 'adopt',
  domain: 'shop.test',
  maxTtlSeconds: 300,
  assumedDsTtlSeconds: 86_400,
} as const
const NOW = 1_000_000

function accepted(decision: ReturnType<typeof decideZone>): ZoneDecision {
  if (isRefusal(decision)) throw new Error(`refused: ${decision.refused}`)
  return decision
}

function reach(...commands: ZoneCommand[]): ZoneState {
  return commands.reduce(
    (state, command) => accepted(decideZone(state, command, NOW)).state,
    accepted(decideZone(null, ADOPT, NOW)).state,
  )
}

test('docs/state-machines/zones.md says what the plan does; else run vitest with -u', async () => {
  await expect(zonePlanPage()).toMatchFileSnapshot('../../../../docs/state-machines/zones.md')
})

test('a zone is adopted once; what is asked of no zone is refused', () => {
  const state = reach()
  expect(decideZone(state, ADOPT, NOW)).toEqual({ state, effects: [] })
  expect(decideZone(null, { kind: 'sign' }, NOW)).toMatchObject({ refused: 'ZONE_NOT_FOUND' })
})

describe('what somebody must do to the world', () => {
  const signing = reach({ kind: 'sign' })

  test('is asked for at once, and again with more patience when it failed', () => {
    expect(accepted(decideZone(reach(), { kind: 'sign' }, NOW)).effects).toContainEqual({
      kind: 'act',
      action: 'sign',
      attempt: 0,
      at: NOW,
      ds: [],
    })
    const failed = hearZone(
      signing,
      { kind: 'action-failed', action: 'sign', attempt: 0, reason: 'HTTP 500' },
      NOW,
    )
    expect(failed.state).toMatchObject({ attempt: 1, problem: { code: 'ACTION_FAILED', reason: 'HTTP 500' } })
    expect(failed.effects).toEqual([
      { kind: 'act', action: 'sign', attempt: 1, at: NOW + actionDelayMs(0), ds: [] },
    ])
    expect([0, 1, 5, 60].map(actionDelayMs)).toEqual([1_000, 2_000, 32_000, 600_000])
  })

  test('is looked at when it is said to be done: that alone changes nothing', () => {
    expect(hearZone(signing, { kind: 'acted', action: 'sign', attempt: 0 }, NOW)).toEqual({
      state: signing,
      effects: [{ kind: 'observe', at: NOW, looks: 0 }],
    })
  })

  test('is left to the person who was asked, and the plan goes on looking', () => {
    const asked = hearZone(signing, { kind: 'person-asked', action: 'sign', attempt: 0 }, NOW).state
    expect(asked.problem).toEqual({ code: 'PERSON_NEEDED', action: 'sign' })
    expect(hearZone(asked, { kind: 'time-passed' }, NOW).effects).toEqual([
      { kind: 'observe', at: NOW, looks: 0 },
    ])
  })

  test.each<[string, ZoneCommand]>([
    ['of another action', { kind: 'acted', action: 'unsign', attempt: 0 }],
    ['of an earlier attempt', { kind: 'action-failed', action: 'sign', attempt: 7, reason: 'late' }],
    [
      'that a person was asked for something else',
      { kind: 'person-asked', action: 'publish-ds', attempt: 0 },
    ],
  ])('a report %s changes nothing', (_what, report) => {
    expect(decideZone(signing, report, NOW)).toEqual({ state: signing, effects: [] })
  })

  test('is asked for again by the clock, and after twenty looks without effect', () => {
    expect(hearZone(signing, { kind: 'time-passed' }, NOW).effects.map(({ kind }) => kind)).toEqual([
      'observe',
      'act',
    ])
    const observation = { zone: [], parent: [], maxTtlSeconds: 0, fromRoot: 'unavailable' } as const
    const acts = Array.from({ length: 41 }, (_, looks) => {
      const heard = hearZone(signing, { kind: 'observed', observation, looks }, NOW)
      expect(heard.state.phase).toBe('signing')
      return heard.effects.filter(({ kind }) => kind === 'act').length
    })
    expect(acts.reduce((sum, count) => sum + count)).toBe(2)
  })
})

test('a DS that was seen counts with its own TTL; one that nobody saw with the assumed one', () => {
  const ds = { keyTag: 1, algorithm: 13, digestType: 2, digest: 'aa'.repeat(32) }
  const seen = (set: readonly (typeof ds)[], ttlSeconds: number): ZoneCommand => ({
    kind: 'observed',
    observation: {
      zone: [{ server: 'z', keys: [], signedBy: [] }],
      parent: [{ server: 'p', ds: set, ttlSeconds }],
      maxTtlSeconds: 300,
      fromRoot: 'insecure',
    },
    looks: 0,
  })
  expect(reach({ kind: 'sign' }, { kind: 'unsign' }, seen([], 0))).toMatchObject({
    phase: 'ds-expiring',
    until: NOW + 86_400_000 + MARGIN_MS,
  })
  expect(reach(seen([ds], 3_600), { kind: 'sign' }, { kind: 'unsign' }, seen([], 0))).toMatchObject({
    phase: 'ds-expiring',
    until: NOW + 3_600_000 + MARGIN_MS,
  })
})
