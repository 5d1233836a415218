import { DnsZoneError } from '@holdfast/core/dns-zone'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { decodeDnskey } from '@holdfast/protocols/dns/rdata'
import { resolveTxt, type TrustAnchor } from '@holdfast/protocols/dnssec'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../platform/secret.ts'
import { makeQuery } from './dns-transport.ts'
import { describeDnsZone } from './dns-zone.contract.ts'
import { makeRfc2136Zone, type Rfc2136ZoneOptions } from './rfc2136-zone.ts'
import { type RunningBind, startBindZone } from './testing/bind.ts'
import { type RunningKnot, startKnotZone } from './testing/knot.ts'
import { startPowerDnsZone } from './testing/powerdns.ts'
import type { TsigKey } from './tsig.ts'

const DOMAIN = 'shop.test'
const ALGORITHMS: TsigKey['algorithm'][] = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512']

type Running = RunningKnot | RunningBind

function zoneOn(dns: Running, options: Partial<Rfc2136ZoneOptions> = {}) {
  return makeRfc2136Zone({
    domain: DOMAIN,
    primary: dns.server,
    key: dns.key,
    authoritativeServers: async () => [dns.server],
    now: Date.now,
    ...options,
  })
}

for (const algorithm of ALGORITHMS) {
  describeDnsZone(`Knot with ${algorithm}`, async () => {
    const knot = await startKnotZone(DOMAIN, algorithm)
    return { zone: zoneOn(knot), signed: true, stop: () => knot.stop() }
  })
}

describeDnsZone('BIND', async () => {
  const bind = await startBindZone(DOMAIN)
  return { zone: zoneOn(bind), signed: true, stop: () => bind.stop() }
})

describeDnsZone('PowerDNS', async () => {
  const pdns = await startPowerDnsZone(DOMAIN)
  return { zone: zoneOn(pdns), signed: true, stop: () => pdns.stop() }
})

describe.each<[string, { start: () => Promise<Running>; tellsWhy: boolean }]>([
  ['Knot', { start: () => startKnotZone(DOMAIN, 'hmac-sha256'), tellsWhy: true }],
  ['BIND', { start: () => startBindZone(DOMAIN), tellsWhy: true }],
  // It refuses what is not well signed without a TSIG error.
  ['PowerDNS', { start: () => startPowerDnsZone(DOMAIN), tellsWhy: false }],
])('%s', (_name, { start, tellsWhy }) => {
  const name = `alice.user._bitcoin-payment.${DOMAIN}`
  let dns: Running

  beforeAll(async () => {
    dns = await start()
  })
  afterAll(() => dns.stop())

  test('serves what was published so that it validates at once', async () => {
    const query = makeQuery({ servers: [dns.server], timeoutMs: 1_000 })
    const anchors = decodeMessage(await query(DOMAIN, TYPE.DNSKEY))
      .answer.filter(({ type }) => type === TYPE.DNSKEY)
      .map(({ rdata }): TrustAnchor => ({ zone: `${DOMAIN}.`, kind: 'dnskey', key: decodeDnskey(rdata) }))
    const resolve = () => resolveTxt(name, { query, anchors, nowSeconds: Math.floor(Date.now() / 1000) })
    expect(await resolve()).toMatchObject({ status: 'nxdomain' })
    const value = `bitcoin:?lno=lno1${'qp0z'.repeat(150)}`
    await zoneOn(dns).publish({ name, value, ttlSeconds: 60 })
    expect(await resolve()).toMatchObject({ status: 'secure', values: [new TextEncoder().encode(value)] })
    await zoneOn(dns).withdraw({ name, value })
    expect(await resolve()).toMatchObject({ status: 'nxdomain' })
  })

  const refusals: [
    what: string,
    options: () => Partial<Rfc2136ZoneOptions>,
    code: string,
    message: RegExp,
  ][] = [
    [
      'a key that it does not know',
      () => ({ key: { ...dns.key, name: 'nobody' } }),
      'not-authorized',
      /not know/,
    ],
    [
      'another algorithm',
      () => ({ key: { ...dns.key, algorithm: 'hmac-sha512' } }),
      'not-authorized',
      /not know/,
    ],
    [
      'another secret',
      () => ({ key: { ...dns.key, secret: new Secret(new Uint8Array(64)) } }),
      'not-authorized',
      /secret/,
    ],
    ['a key without rights', () => ({ key: dns.idleKey }), 'not-authorized', /NOTAUTH|REFUSED/],
    ['a clock 1000 s behind', () => ({ now: () => Date.now() - 1_000_000 }), 'not-authorized', /by 1000 s/],
    ['another zone', () => ({ domain: 'other.test' }), 'not-this-zone', /NOTAUTH/],
  ]
  test('says clearly that a key may not list the zone', async () => {
    const list = async (options: Partial<Rfc2136ZoneOptions>) => {
      for await (const _ of zoneOn(dns, options).list());
    }
    for (const options of [{ key: dns.idleKey }, { key: { ...dns.key, name: 'nobody' } }]) {
      await expect(list(options)).rejects.toMatchObject({
        code: 'not-authorized',
        message: expect.stringMatching(/cannot be listed: .*(NOTAUTH|REFUSED|does not know)/),
      })
    }
  })

  for (const [what, options, code, message] of refusals) {
    test(`refuses ${what} in a way that we can tell`, async () => {
      const zone = zoneOn(dns, options())
      const error = await zone.withdraw({ name, value: 'x' }).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(DnsZoneError)
      expect(error).toMatchObject({
        code,
        message: expect.stringMatching(tellsWhy ? message : /REFUSED|NOTAUTH/),
      })
    })
  }
})
