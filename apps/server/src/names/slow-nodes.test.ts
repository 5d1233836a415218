import type { LightningNode } from '@holdfast/lightning'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Device } from '../identity/testing/identity-world.ts'
import { makeTestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const database = withDatabase()
let world: SlicesWorld

beforeEach(async () => {
  world = await startSlicesWorld(database)
})
afterEach(() => world.stop())

const inTransaction = async () => {
  const { rows } = await sql`
    select from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`.execute(database.db)
  return rows.length
}

/** A live name of its own. */
async function live(device: Device, user: string): Promise<string> {
  const { id } = (await world.register(device, user)).json()
  expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
  return `/v1/names/${user}@shop.test`
}

const ASKED: [what: string, ask: (device: Device) => Promise<() => ReturnType<SlicesWorld['send']>>][] = [
  ['a registration', async (device) => () => world.register(device, 'alice')],
  [
    'another offer',
    async (device) => {
      const name = await live(device, 'changing')
      return () => world.send('PUT', name, device, {})
    },
  ],
  [
    'the acceptance of a transfer',
    async (device) => {
      const { device: seller } = world.newUser()
      const name = await live(seller, 'leaving')
      await world.send('PUT', `${name}/transfer`, seller, { to: device.owner })
      return () => world.send('POST', `${name}/transfer/accept`, device, {})
    },
  ],
  [
    'a payment',
    async (device) => () =>
      world.send('POST', '/v1/payments', device, { to: 'bob@elsewhere.test', amountMsat: '1000' }),
  ],
]

test.each(ASKED)('%s holds no connection while it waits for a slow node', async (_, ask) => {
  const { device } = world.newUser()
  const send = await ask(device)
  await world.get('/v1/node', device)
  const slow = Promise.withResolvers<LightningNode>()
  const asked = Promise.withResolvers<void>()
  world.connect(device.owner, () => {
    asked.resolve()
    return slow.promise
  })
  const sending = send()
  await asked.promise
  await expect.poll(inTransaction).toBe(0)
  slow.resolve(makeTestNode())
  expect((await sending).statusCode).toBe(202)
})
