import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type NamesOnKnot, startNamesOnKnot } from './testing/names-on-knot.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const DOMAIN = 'shop.test'

const database = withDatabase()
let knot: NamesOnKnot
let world: SlicesWorld
let sole: string

beforeAll(async () => {
  knot = await startNamesOnKnot(DOMAIN)
  world = await startSlicesWorld(database, { dns: knot, soleOwnerOf: async () => sole })
})
afterAll(async () => {
  await world?.stop()
  await knot?.stop()
})

async function resolve(user: string): Promise<unknown> {
  const found = await knot.resolveTxt(
    `${user}.user._bitcoin-payment.${DOMAIN}`,
    Math.floor(Date.now() / 1000),
  )
  return found.status === 'secure'
    ? found.values.map((value) => new TextDecoder().decode(value).replace('bitcoin:?lno=', ''))
    : found.status
}

test('on Knot a wildcard answers for every name that has no record, is rotated and withdrawn in one step, and breaks no name', async () => {
  const { device } = world.newUser(
    makeTestNode({ capabilities: new Set(['offers', 'payees', 'pay', 'funds'] as const) }),
  )
  sole = device.owner
  const begin = async (answer: { json(): { id: string } }) =>
    expect(await world.jobEnds(answer.json().id)).toMatchObject({ state: 'succeeded' })
  const offerOf = async (name: string) => (await world.get(`/v1/names/${name}@${DOMAIN}`)).json().offer

  await begin(await world.register(device, 'old'))
  const old = await offerOf('old')
  expect(await resolve('anybody')).toBe('nxdomain')
  await begin(await world.register(device, '*'))
  const first = await offerOf('*')
  expect([await resolve('anybody'), await resolve('with.dots'), await resolve('old')]).toEqual([
    [first],
    [first],
    [old],
  ])

  await begin(await world.send('PUT', `/v1/names/*@${DOMAIN}`, device, {}))
  const second = await offerOf('*')
  expect(second).not.toBe(first)
  expect([await resolve('anybody'), await resolve('old')]).toEqual([[second], [old]])
  const [report] = await world.names.reconcileZones()
  expect(report).toMatchObject({ records: 2, live: 2, orphaned: { count: 0 }, foreign: { count: 0 } })

  await world.send('DELETE', `/v1/names/*@${DOMAIN}`, device)
  await expect.poll(() => resolve('anybody'), { timeout: 20_000 }).toBe('nxdomain')
  expect(await resolve('old')).toEqual([old])
}, 120_000)
