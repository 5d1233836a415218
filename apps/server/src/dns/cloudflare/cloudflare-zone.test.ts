import { inspect } from 'node:util'
import { DnsZoneError, type DnsZoneErrorCode } from '@holdfast/core/dns-zone'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../../platform/secret.ts'
import { DnsUnavailableError } from '../dns-transport.ts'
import { describeDnsZone } from '../dns-zone.contract.ts'
import { makeCloudflareApi } from './cloudflare-client.ts'
import { makeCloudflareZone } from './cloudflare-zone.ts'
import {
  type CloudflareDouble,
  type Fault,
  replies,
  startCloudflareDouble,
} from './testing/cloudflare-double.ts'

const DOMAIN = 'shop.test'
/** Only what is silent takes so long; the machine may be busy. */
const PATIENCE_MS = 20_000
const NAME = `alice.user._bitcoin-payment.${DOMAIN}`
const RECORD = { name: NAME, value: 'bitcoin:?lno=lno1alice', ttlSeconds: 60 }

function zoneOn(
  double: CloudflareDouble,
  more: { token?: string; now?: () => number; domain?: string } = {},
) {
  const { token = double.token, now = Date.now, domain = DOMAIN } = more
  return makeCloudflareZone({
    domain,
    api: makeCloudflareApi({ token: new Secret(token), baseUrl: double.url, timeoutMs: PATIENCE_MS, now }),
    authoritativeServers: async () => [double.server],
  })
}

describeDnsZone("a double of Cloudflare's API", async () => {
  const double = await startCloudflareDouble(DOMAIN)
  return { zone: zoneOn(double), signed: true, stop: () => double.stop() }
})

let double: CloudflareDouble
beforeEach(async () => {
  double = await startCloudflareDouble(DOMAIN)
})
afterEach(() => double.stop())

const values = () => double.records.map(({ content }) => content)

async function failureOf(change: Promise<unknown>): Promise<DnsZoneError> {
  const error = await change.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error instanceof DnsZoneError) return error
  throw error ?? new Error('the change succeeded')
}
const codeOf = async (change: Promise<unknown>) => (await failureOf(change)).code

describe('a listing', () => {
  const list = async () => {
    const listed: [string, string][] = []
    for await (const { name, value } of zoneOn(double).list()) listed.push([name, value])
    return listed
  }

  test('goes over all pages, and holds TXT records only', async () => {
    double.largestPage = 2
    double.add({ name: DOMAIN, type: 'A', content: '192.0.2.1' })
    for (let i = 0; i < 5; i++) double.add({ name: `u${i}.${DOMAIN}`, type: 'TXT', content: `"a ${i}"` })
    double.calls.length = 0
    expect(await list()).toEqual(Array.from({ length: 5 }, (_, i) => [`u${i}.${DOMAIN}`, `a ${i}`]))
    expect(double.calls.filter((call) => call.endsWith('dns_records'))).toHaveLength(3)
  })

  test('during which records come or go is no whole one, because later pages have moved', async () => {
    for (const user of ['a', 'b', 'c', 'd'])
      double.add({ name: `${user}.${DOMAIN}`, type: 'TXT', content: `"of ${user}"` })
    double.largestPage = 2
    const listing = zoneOn(double).list()[Symbol.asyncIterator]()
    expect((await listing.next()).value).toMatchObject({ name: `a.${DOMAIN}` })
    double.records.splice(0, 1)
    const rest = async () => {
      while (!(await listing.next()).done);
    }
    expect(await codeOf(rest())).toBe('unavailable')
  })

  test('that fails on a later page fails as a whole', async () => {
    double.largestPage = 1
    for (let i = 0; i < 2; i++) double.add({ name: `u${i}.${DOMAIN}`, type: 'TXT', content: '"x"' })
    double.failNext('GET /zones/', () => replies.failure(500, 0, 'internal'))
    expect(await codeOf(list())).toBe('unavailable')
    double.failNext('GET /zones/', () => replies.failure(403, 10_000, 'Authentication error'))
    expect(await codeOf(list())).toBe('not-authorized')
    // An answer without its number of pages is no whole list.
    double.failNext('GET /zones/', () => replies.success([]))
    expect(await codeOf(list())).toBe('unavailable')
  })
})

describe('a provider that fails', () => {
  const after = (fault: Fault) => fault
  const before = (fault: Fault) =>
    Object.assign((honest: Parameters<Fault>[0]) => fault(honest), { before: true })
  const writes: [what: string, when: string, run: () => Promise<void>, done: string[]][] = [
    ['publishing', 'POST', () => zoneOn(double).publish(RECORD), ['"bitcoin:?lno=lno1alice"']],
    [
      'replacing',
      'PATCH',
      () => zoneOn(double).publish({ ...RECORD, value: 'new' }, { replaces: 'old' }),
      ['"new"'],
    ],
    ['withdrawing', 'DELETE', () => zoneOn(double).withdraw({ name: NAME, value: 'old' }), []],
  ]
  const faults: [what: string, fault: Fault][] = [
    ['says 500', () => replies.failure(500, 0, 'internal')],
    ['says 502 with a page', () => ({ status: 502, body: '<html>bad gateway' })],
    ['says 524', () => ({ status: 524, body: '' })],
    ['closes the connection', () => 'drop'],
    ['answers no JSON', () => ({ status: 200, body: '<html>' })],
    ['answers success without a result', () => ({ status: 200, body: { success: true, result: null } })],
  ]
  for (const [doing, when, run, done] of writes) {
    for (const [what, fault] of faults) {
      test(`${what} after ${doing}: unavailable; the next try finds it done`, async () => {
        if (when !== 'POST') double.add({ name: NAME, type: 'TXT', content: '"old"' })
        double.failNext(when, after(fault))
        expect(await codeOf(run())).toBe('unavailable')
        await run()
        expect(values()).toEqual(done)
      })

      test(`${what} instead of ${doing}: unavailable; the next try does it`, async () => {
        if (when !== 'POST') double.add({ name: NAME, type: 'TXT', content: '"old"' })
        double.failNext(when, before(fault))
        expect(await codeOf(run())).toBe('unavailable')
        await run()
        expect(values()).toEqual(done)
      })
    }
  }

  test('with a list that breaks off is never taken for an empty one', async () => {
    double.add({ name: NAME, type: 'TXT', content: '"old"' })
    const lists = `GET /zones/${double.zoneId}/dns_records`
    const broken: Fault[] = [
      () => ({ status: 200, body: { success: false, errors: [], result: null } }),
      () => ({ status: 200, body: {} }),
      () => ({ status: 200, body: { success: true, result: [{ id: '../..', name: NAME }] } }),
    ]
    for (const fault of broken) {
      double.failNext(lists, fault)
      expect(await codeOf(zoneOn(double).withdraw({ name: NAME, value: 'old' }))).toBe('unavailable')
      double.failNext(lists, fault)
      expect(await codeOf(zoneOn(double).publish(RECORD))).toBe('unavailable')
    }
    expect(values()).toEqual(['"old"'])
  })

  test('with silence is unavailable in time', async () => {
    const zone = makeCloudflareZone({
      domain: DOMAIN,
      api: makeCloudflareApi({
        token: new Secret(double.token),
        baseUrl: double.url,
        timeoutMs: 100,
        now: Date.now,
      }),
      authoritativeServers: async () => [double.server],
    })
    double.failNext('GET', () => 'silence')
    const failure = await failureOf(zone.publish(RECORD))
    expect(failure).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no answer in time'),
    })
  })

  test('that is gone is unavailable and says why', async () => {
    const zone = zoneOn(double)
    await double.stop()
    expect((await failureOf(zone.publish(RECORD))).message).toMatch(/ECONNREFUSED/)
    double = await startCloudflareDouble(DOMAIN)
  })
})

describe('the rate limit', () => {
  const limited =
    (headers: Record<string, string>): Fault =>
    () => ({ status: 429, body: '', headers })
  const soon = (ms: number) => new Date(1_700_000_000_000 + ms).toUTCString()

  test.each([
    ['30', 30],
    [soon(60_000), 60],
    ['nonsense', 300],
    ['-5', 300],
    ['999999999', 3600],
  ])('with Retry-After %j is unavailable, and nobody asks again before', async (header, seconds) => {
    let now = 1_700_000_000_000
    const zone = zoneOn(double, { now: () => now })
    double.failNext('GET', limited({ 'retry-after': header }))
    const failure = await failureOf(zone.publish(RECORD))
    expect(failure).toMatchObject({ code: 'unavailable', retryAfterMs: seconds * 1000 })
    now += seconds * 1000 - 1
    expect(await codeOf(zone.publish(RECORD))).toBe('unavailable')
    expect(double.calls).toHaveLength(1)
    now += 1
    await zone.publish(RECORD)
    expect(values()).toEqual(['"bitcoin:?lno=lno1alice"'])
  })
})

describe('what a person must mend', () => {
  test('a token that is wrong', async () => {
    const failure = await failureOf(zoneOn(double, { token: 'hunter2' }).publish(RECORD))
    expect(failure).toMatchObject({ code: 'not-authorized', message: expect.stringContaining('10000') })
    expect(inspect(failure, { depth: 9 })).not.toContain('hunter2')
  })

  test('a domain that the token may not see', async () => {
    const zone = zoneOn(double, { domain: 'other.test' })
    expect(await codeOf(zone.publish({ ...RECORD, name: 'x.other.test' }))).toBe('not-this-zone')
  })

  test('a TTL that Cloudflare does not take', async () => {
    const failure = await failureOf(zoneOn(double).publish({ ...RECORD, ttlSeconds: 30 }))
    expect(failure).toMatchObject({ code: 'not-authorized', message: expect.stringContaining('Invalid TTL') })
  })
})

describe('a zone', () => {
  test('is looked up once, and again when it was removed and added anew', async () => {
    const zone = zoneOn(double)
    await zone.publish(RECORD)
    await zone.publish({ ...RECORD, ttlSeconds: 120 })
    expect(double.calls.filter((call) => call === 'GET /zones')).toHaveLength(1)
    double.failNext(`GET /zones/${double.zoneId}`, () => replies.failure(404, 7_003, 'Could not route'))
    expect(await codeOf(zone.publish(RECORD))).toBe('not-this-zone')
    await zone.publish(RECORD)
    expect(double.calls.filter((call) => call === 'GET /zones')).toHaveLength(2)
  })

  test('that several accounts have begun is the active one', async () => {
    const pending = { id: 'f'.repeat(32), name: DOMAIN, status: 'pending' }
    const active = { id: double.zoneId, name: DOMAIN, status: 'active' }
    double.failNext('GET /zones', () => replies.success([pending, active]))
    await zoneOn(double).publish(RECORD)
    expect(values()).toHaveLength(1)
  })

  test('never takes a name that is not below it: Cloudflare would put its own behind', async () => {
    const zone = zoneOn(double)
    for (const name of ['alice.elsewhere.test', `not${DOMAIN}`, '', 'a..b'])
      expect(await codeOf(zone.publish({ ...RECORD, name }))).toBe('not-this-zone')
    expect(double.calls).toEqual([])
  })

  test('cannot be asked where its servers are not known', async () => {
    const api = makeCloudflareApi({ token: new Secret('x'), baseUrl: double.url, now: Date.now })
    const asking = (error: Error) =>
      makeCloudflareZone({ domain: DOMAIN, api, authoritativeServers: () => Promise.reject(error) })
    const down = asking(new DnsUnavailableError('shop.test NS', ['no answer']))
    expect(await codeOf(down.authoritative(NAME))).toBe('unavailable')
    await expect(asking(new Error('a fault')).authoritative(NAME)).rejects.toThrow('a fault')
  })
})

describe('somebody else at the same name', () => {
  const slipIn =
    (type: string, content: string): Fault =>
    (honest) => {
      double.add({ name: NAME, type, content })
      return honest
    }

  test('who writes between our look and our writing keeps the name, and our record is taken back', async () => {
    double.failNext(`GET /zones/${double.zoneId}`, slipIn('TXT', '"theirs"'))
    expect(await codeOf(zoneOn(double).publish(RECORD))).toBe('conflict')
    expect(values()).toEqual(['"theirs"'])
  })

  test('who writes the very same between is us', async () => {
    double.failNext(`GET /zones/${double.zoneId}`, slipIn('TXT', '"bitcoin:?lno=lno1alice"'))
    await zoneOn(double).publish(RECORD)
    expect(values()).toEqual(['"bitcoin:?lno=lno1alice"'])
  })

  test.each<[type: string, content: string, code: DnsZoneErrorCode]>([
    ['TXT', 'v=spf1 -all', 'conflict'],
    ['TXT', '"never ends', 'conflict'],
    ['CNAME', 'elsewhere.test', 'conflict'],
  ])('with a %s of %j is a conflict', async (type, content, code) => {
    double.zone.serve([])
    double.records.push({ id: 'e'.repeat(32), name: NAME, type, content, ttl: 60, created_on: '' })
    expect(await codeOf(zoneOn(double).publish(RECORD))).toBe(code)
    await zoneOn(double).withdraw(RECORD)
    expect(values()).toEqual([content])
  })

  test('does not stop the withdrawal of what is ours', async () => {
    for (const content of ['"theirs"', '"bitcoin:?lno=lno1alice"'])
      double.add({ name: NAME, type: 'TXT', content })
    await zoneOn(double).withdraw(RECORD)
    expect(values()).toEqual(['"theirs"'])
  })

  test('who withdraws at the same time makes no difference', async () => {
    const record = double.add({ name: NAME, type: 'TXT', content: '"bitcoin:?lno=lno1alice"' })
    double.failNext(`GET /zones/${double.zoneId}`, (honest) => {
      const copy = structuredClone(honest)
      double.records.splice(double.records.indexOf(record), 1)
      return copy
    })
    await zoneOn(double).withdraw(RECORD)
    expect(values()).toEqual([])
  })
})

test("Cloudflare's own variables do not change what is used", async () => {
  const variables = {
    CLOUDFLARE_API_KEY: 'k'.repeat(37),
    CLOUDFLARE_EMAIL: 'somebody@elsewhere.test',
    CLOUDFLARE_BASE_URL: 'http://127.0.0.1:1',
    CLOUDFLARE_LOG: 'debug',
  }
  const before = { ...process.env }
  Object.assign(process.env, variables)
  try {
    await zoneOn(double).publish(RECORD)
    expect(values()).toHaveLength(1)
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  }
})
