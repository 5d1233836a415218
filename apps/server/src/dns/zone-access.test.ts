import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTestZone } from '../names/testing/test-zone.ts'
import { Secret } from '../platform/secret.ts'
import { makeCloudflareApi } from './cloudflare/cloudflare-client.ts'
import { makeCloudflareZone } from './cloudflare/cloudflare-zone.ts'
import { type CloudflareDouble, startCloudflareDouble } from './cloudflare/testing/cloudflare-double.ts'
import { zoneAccess } from './zone-access.ts'

const signal = AbortSignal.timeout(600_000)

test('a key that may change the zone is told once an hour, and leaves nothing', async () => {
  const zone = makeTestZone()
  let [now, changes] = [0, 0]
  const { publish } = zone
  zone.publish = async (...args) => {
    changes++
    return publish(...args)
  }
  const access = zoneAccess(zone, () => now)
  await Promise.all([access.check(signal), access.check(signal)])
  now = 3_599_000
  await access.check(signal)
  expect(changes).toBe(1)
  expect(zone.records.size).toBe(0)
  now = 3_600_000
  await access.check(signal)
  expect(changes).toBe(2)
})

test('one that may not is told each time, and tried again after a minute', async () => {
  const zone = makeTestZone()
  let now = 0
  zone.broken = 'not-authorized'
  const access = zoneAccess(zone, () => now)
  await expect(access.check(signal)).rejects.toThrow('as the test asked')
  zone.broken = null
  await expect(access.check(signal)).rejects.toThrow('as the test asked')
  now = 60_000
  await access.check(signal)
})

test('a fault of ours is thrown, and tried again at once', async () => {
  const zone = makeTestZone()
  const { publish } = zone
  zone.publish = async () => {
    throw new TypeError('a fault')
  }
  const access = zoneAccess(zone, Date.now)
  await expect(access.check(signal)).rejects.toThrow(TypeError)
  zone.publish = publish
  await access.check(signal)
})

let double: CloudflareDouble
beforeAll(async () => {
  double = await startCloudflareDouble('shop.test')
})
afterAll(() => double.stop())

test.each<[what: string, domain: string, token: (right: string) => string, why: RegExp | null]>([
  ['the right token', 'shop.test', (right) => right, null],
  ['another token', 'shop.test', () => 'x'.repeat(40), /Authentication error/],
  [
    'a token that does not see the zone',
    'other.test',
    (right) => right,
    /no zone that the Cloudflare token may see/,
  ],
])('Cloudflare: %s', async (_, domain, token, why) => {
  const zone = makeCloudflareZone({
    domain,
    api: makeCloudflareApi({ token: new Secret(token(double.token)), baseUrl: double.url, now: Date.now }),
    authoritativeServers: async () => [double.server],
  })
  const checked = zoneAccess(zone, Date.now).check(signal)
  if (why) await expect(checked).rejects.toThrow(why)
  else await checked
  expect(double.records).toEqual([])
})

test('Cloudflare: a token that may read and not write', async () => {
  const zone = makeCloudflareZone({
    domain: 'shop.test',
    api: makeCloudflareApi({ token: new Secret(double.token), baseUrl: double.url, now: Date.now }),
    authoritativeServers: async () => [double.server],
  })
  const refusal = {
    success: false,
    errors: [{ code: 10_000, message: 'Authentication error' }],
    result: null,
  }
  double.failNext(
    'POST',
    Object.assign(() => ({ status: 403, body: refusal }), { before: true }),
  )
  await expect(zoneAccess(zone, Date.now).check(signal)).rejects.toMatchObject({ code: 'not-authorized' })
})
