import { describe, expect, test } from 'vitest'
import { isMendedByRecord, isOfferExpiring, UNHEALTHY_REASONS, type UnhealthyReason } from './name-health.ts'
import type { NameOffer } from './name-states.ts'
import { NameWorld } from './testing/name-world.ts'

const DAY_MS = 86_400_000

function active(): NameWorld & { state: { live: NameOffer } } {
  const world = new NameWorld({ brought: false, expiring: false })
  for (let step = 0; step < 4; step++) {
    world.beginEffect()
    world.finish(0, 'none', 'now')
  }
  return world as never
}

describe('an offer is said to expire soon', () => {
  test.each([
    ['brought', 15.1, false],
    ['brought', 13.9, true],
    ['node', 6.5, false],
    ['node', 5.9, true],
    ['node', -1, true],
  ] as const)('%s, %d days before: %s', (source, days, expected) => {
    const offer: NameOffer = { no: 0, owner: 'a', source, offer: 'o', expiresAt: days * DAY_MS }
    expect(isOfferExpiring(offer, 0)).toBe(expected)
  })

  test('not when it never expires', () => {
    expect(isOfferExpiring({ no: 0, owner: 'a', source: 'brought', offer: 'o' }, 0)).toBe(false)
  })
})

describe('what the watcher finds', () => {
  test.each(Object.keys(UNHEALTHY_REASONS) as UnhealthyReason[])(
    '%s is kept with its time; the record is written only where that mends it',
    (reason) => {
      const world = active()
      const { offer } = world.state.live
      world.now = 5
      world.hear({ kind: 'unhealthy', offer, reason })
      expect(world.state).toMatchObject({ phase: 'active', unhealthy: { reason, since: 5 } })
      const effects = world.jobs.map(({ kind }) => kind).filter((kind) => kind !== 'wake')
      expect(effects).toEqual(isMendedByRecord(reason) ? ['settle-record'] : [])

      const before = world.state
      world.now = 9
      world.hear({ kind: 'unhealthy', offer, reason })
      expect(world.state).toBe(before)
      world.hear({ kind: 'healthy', offer })
      expect(world.state).toMatchObject({ unhealthy: null })
    },
  )

  test('another reason takes the place of the first, with its own time', () => {
    const world = active()
    const { offer } = world.state.live
    world.hear({ kind: 'unhealthy', offer, reason: 'bogus' })
    world.now = 7
    world.hear({ kind: 'unhealthy', offer, reason: 'zone-unsigned' })
    expect(world.state).toMatchObject({ unhealthy: { reason: 'zone-unsigned', since: 7 } })
  })

  test('a repair that waits for its next try is begun anew when yet another value stands there', () => {
    const world = active()
    world.record = 'one'
    world.watch()
    world.record = 'two'
    world.beginEffect()
    world.finish(0, 'none', 'now')
    expect(world.record).toBe('two')
    world.watch()
    expect(world.state.cleaning).toMatchObject({ strays: ['one', 'two'] })
    world.settle()
    expect(world.record).toBe(world.state.live.offer)
    expect(world.state.cleaning).toBeNull()
  })

  test('a change of the record ends what was said of the old one', () => {
    const world = active()
    world.hear({ kind: 'unhealthy', offer: world.state.live.offer, reason: 'bogus' })
    world.ask({ kind: 'change-offer', by: 'alice' })
    world.settle()
    expect(world.state).toMatchObject({ phase: 'active', unhealthy: null })
  })
})
