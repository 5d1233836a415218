import { resolveTxt } from '@holdfast/protocols/dnssec'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Secret } from '../../platform/secret.ts'
import { makeQuery } from '../dns-transport.ts'
import { makeAskResolvers } from '../resolvers/ask-resolvers.ts'
import { parseResolverEndpoint } from '../resolvers/resolver-endpoint.ts'
import { type RunningUnbound, startUnbound } from '../resolvers/testing/unbound.ts'
import { makeCloudflareApi } from './cloudflare-client.ts'
import { makeCloudflareZone } from './cloudflare-zone.ts'
import { type CloudflareDouble, startCloudflareDouble } from './testing/cloudflare-double.ts'

const DOMAIN = 'shop.test'
const NAME = `alice.user._bitcoin-payment.${DOMAIN}`
const [OLD, NEW] = ['p', 'q'].map((letter) => `bitcoin:?lno=lno1${letter.repeat(600)}`) as [string, string]

let double: CloudflareDouble
let unbound: RunningUnbound
beforeAll(async () => {
  double = await startCloudflareDouble(DOMAIN)
  unbound = await startUnbound(double.zone, { validates: true })
})
afterAll(async () => {
  await unbound.stop()
  await double.stop()
})

test('what is published through the API is seen by Unbound, and validates; a change follows when caches forget', async () => {
  const api = makeCloudflareApi({ token: new Secret(double.token), baseUrl: double.url, now: Date.now })
  const zone = makeCloudflareZone({ domain: DOMAIN, api, authoritativeServers: async () => [double.server] })
  const resolvers = [unbound.server, `tcp://${unbound.server}`, unbound.doh].map(parseResolverEndpoint)
  const { ask, close } = makeAskResolvers({ resolvers, quorum: 3, timeoutMs: 20_000 })
  const query = makeQuery({ servers: [double.server], timeoutMs: 20_000 })
  const resolve = () =>
    resolveTxt(NAME, { query, anchors: double.zone.anchors, nowSeconds: Math.floor(Date.now() / 1000) })

  await zone.publish({ name: NAME, value: OLD, ttlSeconds: 60 })
  expect(await zone.authoritative(NAME)).toMatchObject([{ values: [OLD], signed: true }])
  expect(await ask({ name: NAME, value: OLD })).toMatchObject({ decision: 'confirmed', seen: 3 })
  expect(await resolve()).toMatchObject({ status: 'secure', values: [new TextEncoder().encode(OLD)] })

  await zone.publish({ name: NAME, value: NEW, ttlSeconds: 60 }, { replaces: OLD })
  expect(await resolve()).toMatchObject({ status: 'secure', values: [new TextEncoder().encode(NEW)] })
  const stale = await ask({ name: NAME, value: NEW, previous: [OLD] })
  expect(stale).toMatchObject({ decision: 'waiting', seen: 0 })
  expect(stale.retryAfterMs).toBeGreaterThan(0)
  expect(stale.retryAfterMs).toBeLessThanOrEqual(60_000)

  await zone.withdraw({ name: NAME, value: NEW })
  expect(await resolve()).toMatchObject({ status: 'nxdomain' })
  expect(double.records).toEqual([])
  close()
})
