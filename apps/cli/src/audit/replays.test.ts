import { startDomainsWorld } from '@holdfast/server/domains/testing/domains-world'
import type { Identity } from '@holdfast/server/identity/identity'
import { makePaymentsWorld } from '@holdfast/server/payments/testing/payments-world'
import { withDatabase } from '@holdfast/server/platform/testing/with-database'
import { makeZonesSlice } from '@holdfast/server/zones/zones-slice'
import { beforeAll, expect, test, vi } from 'vitest'
import { runHoldfast } from '../testing/run-holdfast.ts'
import { REPLAYS } from './replays.ts'

const database = withDatabase()

/** One entity of each kind, as their own slices made it; escrows have tests of their own. */
beforeAll(async () => {
  vi.stubEnv('DATABASE_URL', database.connectionString.reveal())
  // First, because this world asks the slice itself: nobody signs.
  const payments = makePaymentsWorld(database)
  await payments.start()
  await payments.runNext(3)
  const domains = await startDomainsWorld(database)
  const device = domains.newDevice()
  const claimed = (await domains.claim(device)).json()
  domains.prove(claimed)
  await domains.checkNow(device)
  const isActive = async () => expect((await domains.own(device)).state).toBe('active')
  await vi.waitFor(isActive, { timeout: 10_000 })
  domains.merchant.dname = claimed.instructions.allNames.value
  await domains.jobEnds((await domains.register(device, 'alice')).json().id)
  await domains.stop()
  const zones = makeZonesSlice({
    transact: database.transact,
    database: database.database,
    identity: {} as Identity,
    observe: () => Promise.reject(new Error('nobody looks')),
    operators: [],
    clock: Date.now,
  })
  await zones.adopt(['shop.test'])
  return () => vi.unstubAllEnvs()
})

const TABLES = ['name_registration', 'domain_claim', 'payment', 'zone']

test('every kind of entity is rebuilt from its entries, and is what its table says', async () => {
  const { code, out } = await runHoldfast('audit', 'verify', '--json')
  expect(JSON.parse(out)).toMatchObject({
    agrees: true,
    compared: { name: 1, domain: 1, payment: 1, zone: 1 },
    // The claim, the look at it and the name, in one session.
    signatures: { signed: 3, before: 1, events: 1 },
  })
  expect(code).toBe(0)
  expect(await runHoldfast('audit', 'verify', 'zone:shop.test')).toMatchObject({ code: 0 })
})

test.each(TABLES)('a state in %s that its entries do not lead to is found', async (table) => {
  const [stream] = [...REPLAYS].find(([, replay]) => replay.table === table) ?? []
  await database.queryAsOwner(`alter table ${table} disable trigger user`)
  await database.queryAsOwner(`update ${table} set state = state || '{"forged": true}'`)
  const { code, out } = await runHoldfast('audit', 'verify')
  await database.queryAsOwner(`update ${table} set state = state - 'forged'`)
  await database.queryAsOwner(`alter table ${table} enable trigger user`)
  expect(out).toMatch(new RegExp(`^! ${stream}:\\S+  state-differs$`, 'm'))
  expect(code).toBe(1)
})
