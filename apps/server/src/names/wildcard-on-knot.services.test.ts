import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { decodeDnskey } from '@holdfast/protocols/dns/rdata'
import type { TrustAnchor } from '@holdfast/protocols/dnssec'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeQuery } from '../dns/dns-transport.ts'
import { makeRfc2136Zone } from '../dns/rfc2136-zone.ts'
import { type RunningKnot, startKnotZone } from '../dns/testing/knot.ts'
import { makeResolveTxt } from '../edges.ts'
import { makeTestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import type { ResolveTxt } from '../resolve/validations.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const DOMAIN = 'shop.test'

const database = withDatabase()
let knot: RunningKnot
let world: SlicesWorld
let resolveTxt: ResolveTxt
let sole: string

beforeAll(async () => {
  knot = await startKnotZone(DOMAIN, 'hmac-sha256')
  const query = makeQuery({ servers: [knot.server], timeoutMs: 2_000 })
  const anchors = decodeMessage(await query(DOMAIN, TYPE.DNSKEY))
    .answer.filter(({ type }) => type === TYPE.DNSKEY)
    .map(({ rdata }): TrustAnchor => ({ zone: `${DOMAIN}.`, kind: 'dnskey', key: decodeDnskey(rdata) }))
  resolveTxt = makeResolveTxt(query, anchors)
  const zone = makeRfc2136Zone({
    domain: DOMAIN,
    primary: knot.server,
    key: knot.key,
    authoritativeServers: async () => [knot.server],
    now: Date.now,
  })
  world = await startSlicesWorld(database, { dns: { zone, resolveTxt }, soleOwnerOf: async () => sole })
})
afterAll(async () => {
  await world?.stop()
  await knot?.stop()
})

async function resolve(user: string): Promise<unknown> {
  const found = await resolveTxt(`${user}.user._bitcoin-payment.${DOMAIN}`, Math.floor(Date.now() / 1000))
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
