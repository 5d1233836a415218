import type { JsonObject } from '@holdfast/core'
import { replayName } from '@holdfast/core/names/name-machine'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newDevice } from '../identity/testing/identity-world.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const PERIOD_MS = 6 * HOUR_MS

const database = withDatabase()
const operator = newDevice()
let world: SlicesWorld

beforeEach(async () => {
  world = await startSlicesWorld(database, { operators: [operator.owner], rules: { quarantineMs: 0 } })
  await database.db
    .updateTable('name_registration')
    .set({ watch_at: new Date('2999-01-01') })
    .execute()
})
afterEach(() => world.stop())

const recordName = (user: string) => `${user}.user._bitcoin-payment.shop.test`
const nameOf = async (user: string) => (await world.get(`/v1/names/${user}@shop.test`)).json()

/** A live name, and the time at which it is looked at first. */
async function live(user: string) {
  const { device, node } = world.newUser()
  const { id } = (await world.register(device, user)).json()
  expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
  world.time.shiftMs += 11 * MINUTE_MS
  return { device, node, id }
}

async function watchTwice() {
  await world.names.watch()
  world.time.shiftMs += 66_000
  return world.names.watch()
}

const entriesOf = async (id: string) =>
  database.db.selectFrom('journal').selectAll().where('entity_id', '=', id).orderBy('seq').execute()
const kindsOf = async (id: string) => (await entriesOf(id)).map(({ kind }) => kind)

const answers: [reason: string, answer: TxtResolution][] = [
  ['zone-unsigned', { status: 'insecure', zone: 'shop.test', reason: 'no DS' }],
  ['bogus', { status: 'bogus', code: 'signature-wrong', reason: 'broken' }],
  ['signature-expired', { status: 'bogus', code: 'signature-expired', reason: 'old' }],
  [
    'second-record',
    {
      status: 'secure',
      values: ['bitcoin:?lno=a', 'bitcoin:?lno=b'].map((value) => new TextEncoder().encode(value)),
      ttlSeconds: 60,
      expiresAt: 0,
      chain: [],
    },
  ],
]

describe('a live name', () => {
  test.each(answers)(
    'that is %s is said so, to everybody and to operators, until it is well',
    async (reason, answer) => {
      const user = `x${reason.replaceAll('-', '')}`
      const { id, device } = await live(user)
      const before = world.zone.records.get(recordName(user))
      world.dns.answer = answer
      await world.names.watch()
      expect(await nameOf(user)).not.toHaveProperty('unhealthy')

      world.time.shiftMs += 66_000
      expect(await world.names.watch()).toMatchObject({ unhealthy: 1 })
      expect(await nameOf(user)).toMatchObject({
        state: 'active',
        unhealthy: { reason, title: expect.any(String), hint: expect.any(String), since: expect.any(Number) },
      })
      const listed = (await world.get('/v1/unhealthy-names', operator)).json()
      expect(listed).toMatchObject({
        names: [{ name: `${user}@shop.test`, unhealthy: { reason } }],
        next: null,
      })
      // A broken zone is nothing that a record could mend.
      expect(world.zone.records.get(recordName(user))).toBe(before)
      expect((await kindsOf(id)).slice(-1)).toEqual(['name.unhealthy'])

      world.time.shiftMs += 66_000
      await world.names.watch()
      expect((await kindsOf(id)).filter((kind) => kind === 'name.unhealthy')).toHaveLength(1)

      world.dns.answer = null
      world.time.shiftMs += 10 * MINUTE_MS
      expect(await world.names.watch()).toMatchObject({ healthy: 1 })
      expect(await nameOf(user)).not.toHaveProperty('unhealthy')
      expect((await kindsOf(id)).slice(-1)).toEqual(['name.healthy'])
      await expectReplayed(id)
      await world.send('DELETE', `/v1/names/${user}@shop.test`, device)
    },
  )

  test.each<[string, string | null, string]>([
    ['gone', null, 'not-found'],
    ['another', 'bitcoin:?lno=by-hand', 'content-changed'],
  ])('whose record is %s gets it back', async (user, value, reason) => {
    const { id, device } = await live(user)
    const ours = world.zone.records.get(recordName(user))
    if (value === null) world.zone.records.delete(recordName(user))
    else world.zone.records.set(recordName(user), value)
    await watchTwice()
    expect(await nameOf(user)).toMatchObject({ state: 'active', unhealthy: { reason } })
    await expect.poll(() => world.zone.records.get(recordName(user))).toBe(ours)
    await expect.poll(() => kindsOf(id)).toContain('name.record-settled')

    world.time.shiftMs += 2 * MINUTE_MS
    await world.names.watch()
    expect(await nameOf(user)).not.toHaveProperty('unhealthy')
    await expectReplayed(id)
    await world.send('DELETE', `/v1/names/${user}@shop.test`, device)
  })

  test('whose record is gone from a zone that does not take our key any more is in trouble as well', async () => {
    const { device } = await live('refused')
    world.zone.records.clear()
    world.zone.broken = 'not-authorized'
    await watchTwice()
    await expect
      .poll(() => nameOf('refused'))
      .toMatchObject({
        state: 'active',
        unhealthy: { reason: 'not-found' },
        trouble: { code: 'DNS_REFUSED' },
      })
    world.zone.broken = null
    await world.send('DELETE', '/v1/names/refused@shop.test', device)
  })

  test('is not unhealthy because the DNS is down, and what was found before is not forgotten', async () => {
    const { id, device } = await live('silent')
    world.dns.answer = { status: 'unavailable', reason: 'timeout' }
    expect(await watchTwice()).toEqual({ healthy: 0, unhealthy: 0, unknown: 0 })
    expect(await nameOf('silent')).not.toHaveProperty('unhealthy')
    expect(await kindsOf(id)).not.toContain('name.unhealthy')

    world.time.shiftMs += 10 * MINUTE_MS
    world.dns.answer = { status: 'nxdomain', ttlSeconds: 1, expiresAt: 0, chain: [] }
    expect(await world.names.watch()).toMatchObject({ unhealthy: 1 })
    world.time.shiftMs += 2 * MINUTE_MS
    world.dns.answer = { status: 'unavailable', reason: 'timeout' }
    expect(await world.names.watch()).toMatchObject({ unknown: 1 })
    world.time.shiftMs += 10 * MINUTE_MS
    world.dns.answer = { status: 'nxdomain', ttlSeconds: 1, expiresAt: 0, chain: [] }
    await world.names.watch()
    expect(await nameOf('silent')).toMatchObject({ unhealthy: { reason: 'not-found' } })
    await world.send('DELETE', '/v1/names/silent@shop.test', device)
  })

  test('that was released since its look was begun hears nothing', async () => {
    const { id, device } = await live('leaver')
    world.dns.answer = answers[0]![1]
    await world.names.watch()
    await world.send('DELETE', '/v1/names/leaver@shop.test', device)
    world.time.shiftMs += 66_000
    await world.names.watch()
    expect(await kindsOf(id)).not.toContain('name.unhealthy')
  })
})

describe('the watcher', () => {
  test('looks at each name once in a period, spread over it, also with several at work', async () => {
    const devices = []
    for (let i = 0; i < 12; i++) devices.push((await live(`spread${i}`)).device)
    const rounds = await Promise.all([world.names.watch(), world.names.watch()])
    expect(rounds.reduce((sum, { healthy }) => sum + healthy, 0)).toBe(12)
    const due = async () => {
      const rows = await database.db
        .selectFrom('name_registration')
        .select('watch_at')
        .where('user_part', 'like', 'spread%')
        .execute()
      return rows.map((row) => row.watch_at.getTime() - Date.now() - world.time.shiftMs)
    }
    const first = await due()
    expect(Math.max(...first)).toBeLessThanOrEqual(1.1 * PERIOD_MS)
    expect(new Set(first.map((ms) => Math.floor(ms / (PERIOD_MS / 8)))).size).toBeGreaterThan(3)

    world.time.shiftMs += 1.1 * PERIOD_MS
    let looks = 0
    for (const { healthy } of [await world.names.watch(), await world.names.watch()]) looks += healthy
    expect(looks).toBe(12)
  })

  test('that dies leaves its name to the next one', async () => {
    const { id } = await live('orphan')
    const now = Date.now() + world.time.shiftMs
    const { takeDueName } = await import('./watch-store.ts')
    expect(await takeDueName(database.db, { now, until: now + 5 * MINUTE_MS })).toMatchObject({
      state: { id },
    })
    expect(await world.names.watch()).toMatchObject({ healthy: 0 })
    world.time.shiftMs += 5 * MINUTE_MS
    expect(await world.names.watch()).toMatchObject({ healthy: 1 })
  })

  test('begins no further name once the server stops', async () => {
    await live('late')
    world.closing.abort()
    expect(await world.names.watch()).toEqual({ healthy: 0, unhealthy: 0, unknown: 0 })
  })

  test('shows its list page by page, and to operators only', async () => {
    for (const user of ['zb', 'za', 'zc']) await live(user)
    world.dns.answer = answers[0]![1]
    await watchTwice()
    expect((await world.get('/v1/unhealthy-names')).json()).toMatchObject({ code: 'AUTH_REQUIRED' })
    expect((await world.get('/v1/unhealthy-names', newDevice())).json()).toMatchObject({ code: 'FORBIDDEN' })
    const first = (await world.get('/v1/unhealthy-names?limit=2&after=z@shop.test', operator)).json()
    expect(first.names.map((name: { name: string }) => name.name)).toEqual(['za@shop.test', 'zb@shop.test'])
    const second = (await world.get(`/v1/unhealthy-names?after=${first.next}`, operator)).json()
    expect(second).toMatchObject({ names: [{ name: 'zc@shop.test' }], next: null })
  })
})

async function expectReplayed(id: string): Promise<void> {
  const history = (await entriesOf(id)).map(({ data, at }) => ({
    command: (data as JsonObject).command as never,
    at: at.getTime(),
  }))
  const row = await database.db
    .selectFrom('name_registration')
    .select('state')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  expect(replayName(history)).toEqual(row.state)
}
