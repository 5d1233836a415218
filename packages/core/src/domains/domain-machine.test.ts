import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import {
  CHECK_AGAIN_MS,
  decideDomain,
  domainDueAt,
  hearDomain,
  LAPSE_AFTER_MS,
  PROVE_WITHIN_MS,
} from './domain-machine.ts'
import type { DomainCommand, DomainReport, DomainState } from './domain-states.ts'

const OWNER = 'aa'
const NOW = 1_000_000
const CLAIM: DomainCommand = {
  kind: 'claim',
  id: 'id',
  domain: 'merchant.example',
  owner: OWNER,
  challenge: 'cc',
  label: 'label',
  host: 'shop.example',
}

function tell(state: DomainState | null, command: DomainCommand, now = NOW): DomainState {
  const decided = decideDomain(state, command, now)
  if (isRefusal(decided)) throw new Error(decided.refused)
  return decided.state
}
const serialOf = (state: DomainState) => (state.phase === 'ended' ? -1 : state.check.serial)
const verified = (state: DomainState): DomainReport => ({
  kind: 'verified',
  serial: serialOf(state),
  aliases: 'all-names',
})
const missing = (state: DomainState): DomainReport => ({
  kind: 'not-verified',
  serial: serialOf(state),
  cause: 'DOMAIN_NOT_VERIFIED',
})

const pending = tell(null, CLAIM)
const active = tell(pending, verified(pending))
const lapsed = tell(active, missing(active), NOW + LAPSE_AFTER_MS)
const ended = tell(active, { kind: 'give-up', by: OWNER })
const STATES = { pending, active, lapsed, ended }

describe('a domain of one’s own', () => {
  test('is checked at once when it is claimed, and active when the check finds the challenge', () => {
    expect(decideDomain(null, CLAIM, NOW)).toMatchObject({
      state: { phase: 'pending', expiresAt: NOW + PROVE_WITHIN_MS },
      effects: [{ kind: 'check', serial: 0, at: NOW }],
    })
    expect(hearDomain(pending, verified(pending), NOW)).toMatchObject({
      state: { phase: 'active', aliases: 'all-names', verifiedAt: NOW },
      effects: [{ kind: 'check', serial: 1, at: NOW + CHECK_AGAIN_MS }],
    })
  })

  test('that is not proven is looked at again with growing pauses, and dropped after a week', () => {
    let state = pending
    const pauses: number[] = []
    let now = NOW
    while (state.phase === 'pending') {
      state = tell(state, missing(state), now)
      if (state.phase !== 'pending') break
      pauses.push(state.check.dueAt - now)
      now = state.check.dueAt
    }
    expect(pauses.slice(0, 8)).toEqual([10, 20, 40, 80, 160, 320, 640, 1280].map((s) => s * 1000))
    expect(Math.max(...pauses)).toBe(6 * 3_600_000)
    expect(pauses.length).toBeLessThan(50)
    expect(now).toBe(NOW + PROVE_WITHIN_MS)
    expect(state).toMatchObject({ phase: 'ended', cause: 'DOMAIN_NOT_VERIFIED' })
  })

  test('whose challenge goes missing lapses after three days, and is back when it is there again', () => {
    const soon = tell(active, missing(active), NOW + LAPSE_AFTER_MS - 1)
    expect(soon).toMatchObject({ phase: 'active', check: { tries: 1, lastFailure: 'DOMAIN_NOT_VERIFIED' } })
    expect(lapsed.phase).toBe('lapsed')
    expect(tell(lapsed, missing(lapsed), NOW + 9 * LAPSE_AFTER_MS).phase).toBe('lapsed')
    expect(tell(lapsed, verified(lapsed), NOW)).toMatchObject({
      phase: 'active',
      check: { tries: 0, lastFailure: null },
    })
  })

  test.each(['pending', 'active', 'lapsed'] as const)(
    'that is %s is checked at its owner’s wish, and by no other’s',
    (phase) => {
      const state = STATES[phase]
      const later = NOW + 5
      expect(decideDomain(state, { kind: 'check-now', by: OWNER }, later)).toMatchObject({
        effects: [{ kind: 'check', serial: serialOf(state) + 1, at: later }],
      })
      for (const kind of ['check-now', 'give-up'] as const) {
        expect(decideDomain(state, { kind, by: 'bb' }, later)).toMatchObject({ refused: 'FORBIDDEN' })
      }
      expect(tell(state, { kind: 'give-up', by: OWNER })).toMatchObject({ phase: 'ended', cause: null })
      expect(decideDomain(state, CLAIM, later)).toMatchObject({ refused: 'DOMAIN_TAKEN' })
    },
  )

  test('goes to another key only after it has lapsed', () => {
    for (const state of [pending, active, ended]) expect(tell(state, { kind: 'displaced' })).toBe(state)
    expect(tell(lapsed, { kind: 'displaced' })).toMatchObject({ phase: 'ended', cause: 'DOMAIN_TAKEN' })
  })

  test('that has ended, or never was, hears nothing any more', () => {
    for (const state of [ended, null]) {
      expect(decideDomain(state, { kind: 'check-now', by: OWNER }, NOW)).toMatchObject({
        refused: 'DOMAIN_NOT_FOUND',
      })
    }
    expect(decideDomain(null, { kind: 'time-passed' }, NOW)).toMatchObject({ refused: 'DOMAIN_NOT_FOUND' })
    for (const report of [verified(active), missing(active), { kind: 'time-passed' } as const]) {
      expect(hearDomain(ended, report, NOW)).toEqual({ state: ended, effects: [] })
    }
    expect(domainDueAt(ended)).toBeNull()
  })

  test('whose job was lost is asked for again once it is due', () => {
    const due = domainDueAt(active) ?? 0
    expect(hearDomain(active, { kind: 'time-passed' }, due - 1).effects).toEqual([])
    expect(hearDomain(active, { kind: 'time-passed' }, due)).toMatchObject({
      state: active,
      effects: [{ kind: 'check', serial: serialOf(active) }],
    })
    expect(tell(pending, { kind: 'time-passed' }, NOW + PROVE_WITHIN_MS)).toMatchObject({
      phase: 'ended',
      cause: 'DOMAIN_NOT_VERIFIED',
    })
  })

  test('leads twice where it led, whatever is reported and however late', () => {
    const report = fc.oneof(
      fc.record({
        kind: fc.constant('verified' as const),
        serial: fc.integer({ min: -1, max: 6 }),
        aliases: fc.constantFrom('all-names' as const, 'each-name' as const),
      }),
      fc.record({
        kind: fc.constant('not-verified' as const),
        serial: fc.integer({ min: -1, max: 6 }),
        cause: fc.constant('DNS_UNAVAILABLE' as const),
      }),
      fc.record({ kind: fc.constant('time-passed' as const) }),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(report, fc.nat(LAPSE_AFTER_MS)), { maxLength: 20 }), (reports) => {
        let state = pending
        let now = NOW
        for (const [heard, later] of reports) {
          now += later
          const once = hearDomain(state, heard, now).state
          expect(hearDomain(once, heard, now).state).toBe(once)
          expect(serialOf(once) === -1 || serialOf(once) >= serialOf(state)).toBe(true)
          state = once
        }
      }),
    )
  })
})
