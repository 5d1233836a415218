import { DnsZoneError } from '@holdfast/core/dns-zone'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newDevice } from '../identity/testing/identity-world.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { isNoteworthy, type Reconciliation } from './reconciliation.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const DAY_MS = 86_400_000
const NONE = { count: 0, names: [] }

const database = withDatabase()
const operator = newDevice()
let world: SlicesWorld

beforeEach(async () => {
  world = await startSlicesWorld(database, { operators: [operator.owner], rules: { quarantineMs: 0 } })
})
afterEach(async () => {
  await world.stop()
  await database.queryAsOwner('truncate zone_reconciliation, name_job, name_registration')
})

const at = (user: string) => `${user}.user._bitcoin-payment.shop.test`

async function live(user: string) {
  const { device } = world.newUser()
  const { id } = (await world.register(device, user)).json()
  expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
  return { device, id, value: world.zone.records.get(at(user))! }
}

async function release(user: string, device: Parameters<SlicesWorld['send']>[2]) {
  await world.send('DELETE', `/v1/names/${user}@shop.test`, device)
  await expect.poll(() => world.zone.records.has(at(user))).toBe(false)
  await expect
    .poll(async () => (await world.get(`/v1/names/${user}@shop.test`)).statusCode, { timeout: 10_000 })
    .toBe(404)
}

/** Compares now, whatever was compared before. */
async function reconcile(): Promise<Reconciliation> {
  await database.db
    .updateTable('zone_reconciliation')
    .set({ due_at: new Date(0) })
    .execute()
  const [report] = await world.names.reconcileZones()
  if (!report) throw new Error('no zone was compared')
  return report
}

describe('a zone and the names in the database', () => {
  test('that agree are said to, and the journal has it', async () => {
    const { value, device } = await live('agree')
    const report = await reconcile()
    expect(report).toMatchObject({
      domain: 'shop.test',
      orphaned: NONE,
      foreign: NONE,
      missing: NONE,
      busy: 0,
    })
    expect(report.live).toBe(report.records)
    expect(isNoteworthy(report)).toBe(false)
    expect(world.zone.records.get(at('agree'))).toBe(value)
    const entry = await database.db
      .selectFrom('journal')
      .select(['kind', 'data'])
      .where('stream', '=', 'reconciliation')
      .orderBy('seq', 'desc')
      .executeTakeFirstOrThrow()
    expect(entry).toMatchObject({ kind: 'zone.reconciled', data: { domain: 'shop.test', live: report.live } })
    await release('agree', device)
  })

  test('what a look at a domain has left is withdrawn when nobody claims that domain any more', async () => {
    const left = at('_holdfast-1').replace('shop.test', 'd0123456789ab.shop.test')
    const notOurs = at('_holdfast-1')
    world.zone.records.set(left, 'holdfast-challenge=00 aliased')
    world.zone.records.set(notOurs, 'something else')
    const report = await reconcile()
    expect(report).toMatchObject({ orphaned: { count: 1, names: [left] }, foreign: NONE })
    expect([world.zone.records.has(left), world.zone.records.has(notOurs)]).toEqual([false, true])
    world.zone.records.delete(notOurs)
    expect(await reconcile()).toMatchObject({ orphaned: NONE })
  })

  test('a record that we published and nobody wants any more is withdrawn', async () => {
    const { value, device } = await live('leftover')
    await release('leftover', device)
    world.zone.records.set(at('leftover'), value)
    const report = await reconcile()
    expect(report).toMatchObject({ orphaned: { count: 1, names: [at('leftover')] }, foreign: NONE })
    expect(isNoteworthy(report)).toBe(true)
    await expect.poll(() => world.zone.records.has(at('leftover'))).toBe(false)
    expect(await reconcile()).toMatchObject({ orphaned: NONE })
  })

  test('a record of the last owner gives way to that of the present one', async () => {
    const first = await live('heirloom')
    await release('heirloom', first.device)
    const second = await live('heirloom')
    world.zone.records.set(at('heirloom'), first.value)
    expect(await reconcile()).toMatchObject({ orphaned: { count: 1 }, missing: { count: 1 } })
    await expect.poll(() => world.zone.records.get(at('heirloom'))).toBe(second.value)
    await release('heirloom', second.device)
  })

  test('an old record of the same name gives way to the present one', async () => {
    const { value, device } = await live('rotated')
    const changed = (await world.send('PUT', '/v1/names/rotated@shop.test', device, {})).json()
    expect(await world.jobEnds(changed.id)).toMatchObject({ state: 'succeeded' })
    const now = world.zone.records.get(at('rotated'))
    world.zone.records.set(at('rotated'), value)
    expect(await reconcile()).toMatchObject({ orphaned: { count: 1, names: [at('rotated')] } })
    await expect.poll(() => world.zone.records.get(at('rotated'))).toBe(now)
    await release('rotated', device)
  })

  test('a record that was never ours is told of and left alone, also where a name of ours would stand', async () => {
    const { device, value } = await live('mine')
    const elsewhere = await live('elsewhere')
    const records: [string, string][] = [
      [at('byhand'), 'bitcoin:?lno=lno1byhand'],
      [at('form'), 'bitcoin:bc1qxyz?lno=lno1byhand'],
      // Made by us, but never for this name.
      [at('copied'), elsewhere.value],
      [at('mine'), 'bitcoin:?lno=lno1theirs'],
      ['alice.user._bitcoin-payment.unknown.shop.test', 'bitcoin:?lno=lno1byhand'],
    ]
    for (const [name, value] of records) world.zone.records.set(name, value)
    world.zone.records.set(at('text'), 'v=spf1 -all')
    world.zone.records.set('shop.test', 'bitcoin:?lno=not-a-name')
    const report = await reconcile()
    expect(report).toMatchObject({ orphaned: NONE, missing: NONE, foreign: { count: 5 } })
    expect(report.foreign.names.sort()).toEqual(records.map(([name]) => name).sort())
    for (const [name, value] of records) expect(world.zone.records.get(name)).toBe(value)
    world.zone.records.clear()
    world.zone.records.set(at('mine'), value)
    world.zone.records.set(at('elsewhere'), elsewhere.value)
    await release('mine', device)
    await release('elsewhere', elsewhere.device)
  })

  test('a live name without its record gets it back', async () => {
    const { value, device } = await live('missing')
    world.zone.records.delete(at('missing'))
    expect(await reconcile()).toMatchObject({ missing: { count: 1, names: ['missing@shop.test'] } })
    await expect.poll(() => world.zone.records.get(at('missing'))).toBe(value)
    await release('missing', device)
  })

  test('what a change under way puts there is neither orphaned nor foreign', async () => {
    world.zone.signed = false
    const { device } = world.newUser()
    await world.register(device, 'underway')
    await expect.poll(() => world.zone.records.has(at('underway'))).toBe(true)
    expect(await reconcile()).toMatchObject({ busy: 1, orphaned: NONE, foreign: NONE, missing: NONE })
    world.zone.signed = true
    await world.send('DELETE', '/v1/names/underway@shop.test', device)
  })
})

describe('a zone that cannot be listed', () => {
  test.each([
    ['not-authorized', 'DNS_REFUSED', DAY_MS],
    ['unavailable', 'DNS_UNAVAILABLE', 10 * 60_000],
  ] as const)('because it is %s is said so, and nothing is called missing', async (broken, code, again) => {
    await reconcile()
    world.zone.broken = broken
    const report = await reconcile()
    expect(report).toMatchObject({ problem: { code, detail: 'as the test asked' }, missing: NONE })
    expect(isNoteworthy(report)).toBe(true)
    world.zone.broken = null
    world.time.shiftMs += again - 1_000
    expect(await world.names.reconcileZones()).toEqual([])
    world.time.shiftMs += 1_001
    expect(await world.names.reconcileZones()).toHaveLength(1)
  })

  test('to its end withdraws what was found before', async () => {
    const { value, device } = await live('partial')
    const { device: other } = await live('unseen')
    await release('partial', device)
    const { list } = world.zone
    world.zone.list = async function* () {
      yield { name: at('partial'), value }
      throw new DnsZoneError('unavailable', 'in the middle')
    }
    world.zone.records.set(at('partial'), value)
    expect(await reconcile()).toMatchObject({
      orphaned: { count: 1 },
      missing: NONE,
      problem: { detail: 'in the middle' },
    })
    await expect.poll(() => world.zone.records.has(at('partial'))).toBe(false)
    world.zone.list = list
    await release('unseen', other)
  })
})

describe('zones are compared', () => {
  test('at the first start, then daily, and when an operator asks; each once', async () => {
    expect(await Promise.all([world.names.reconcileZones(), world.names.reconcileZones()])).toEqual(
      expect.arrayContaining([[expect.anything()], []]),
    )
    world.time.shiftMs += DAY_MS - 60_000
    expect(await world.names.reconcileZones()).toEqual([])
    const asked = await world.send('POST', '/v1/reconciliations', operator)
    expect(asked.statusCode).toBe(202)
    expect(await world.names.reconcileZones()).toHaveLength(1)
    const shown = await world.get('/v1/reconciliations', operator)
    expect(shown.json()).toMatchObject({ reconciliations: [{ domain: 'shop.test', missing: NONE }] })
  })

  test('only for operators', async () => {
    expect((await world.get('/v1/reconciliations')).json()).toMatchObject({ code: 'AUTH_REQUIRED' })
    expect((await world.get('/v1/reconciliations', newDevice())).json()).toMatchObject({ code: 'FORBIDDEN' })
    const asked = await world.send('POST', '/v1/reconciliations', newDevice())
    expect(asked.json()).toMatchObject({ code: 'FORBIDDEN' })
  })
})
