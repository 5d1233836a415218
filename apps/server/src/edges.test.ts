import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuthoritativeAnswer, DnsZone } from '@holdfast/core/dns-zone'
import { type SignedDns, startSignedDns } from '@holdfast/devnet/dns/signed-dns'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CloudflareDouble, startCloudflareDouble } from './dns/cloudflare/testing/cloudflare-double.ts'
import { type ScriptedZoneServer, startScriptedZoneServer } from './dns/testing/scripted-zone-server.ts'
import { connectEdges, makeConfirmation, readTrustAnchors } from './edges.ts'
import { zoneReadiness } from './make-zones.ts'
import { readConfig } from './platform/config.ts'
import type { Dependency } from './platform/http/health.ts'
import { StartError } from './start-error.ts'

const SECRET = Buffer.alloc(32, 7)
const signal = new AbortController().signal
const nameIn = (domain: string) => `alice.user._bitcoin-payment.${domain}`
const recordIn = (domain: string) => ({
  name: nameIn(domain),
  value: `bitcoin:?lno=lno1${domain}`,
  ttlSeconds: 60,
})

let folder: string
/** Stands for the resolver: what it serves has its own root. */
let dns: SignedDns
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-edges-'))
  dns = await startSignedDns({ folder: join(folder, 'dns'), zones: ['shop.test'] })
})
afterAll(async () => {
  await dns.stop()
  rmSync(folder, { recursive: true })
})

function fileOf(content: unknown): string {
  const file = join(folder, 'file')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

function connect(domains: readonly object[], env: Record<string, string> = {}) {
  const config = readConfig({
    HOLDFAST_DEVNET: 'off',
    HOLDFAST_DOMAINS_FILE: fileOf(domains),
    HOLDFAST_DNS_RESOLVER: dns.address,
    HOLDFAST_DNS_ANCHOR: dns.anchorFile,
    ...env,
  })
  return connectEdges(config)
}

describe('domains at several providers', () => {
  let cloudflare: CloudflareDouble
  let other: CloudflareDouble
  let primary: ScriptedZoneServer
  beforeEach(async () => {
    cloudflare = await startCloudflareDouble('shop.example')
    other = await startCloudflareDouble('bazaar.example')
    primary = await startScriptedZoneServer('market.example', SECRET)
  })
  afterEach(() => Promise.all([cloudflare.stop(), other.stop(), primary.stop()]))

  const onCloudflare = (domain: string, double: CloudflareDouble) => ({
    domain,
    provider: 'cloudflare',
    token: double.token,
    api: double.url,
    authoritative: [double.server],
  })
  const onPrimary = () => ({
    domain: 'market.example',
    provider: 'rfc2136',
    server: primary.server,
    tsigKey: `holdfast:hmac-sha256:${SECRET.toString('base64')}`,
    authoritative: [primary.server],
  })

  test('are each published at their own', async () => {
    const domains = [
      onCloudflare('shop.example', cloudflare),
      onPrimary(),
      onCloudflare('bazaar.example', other),
    ]
    const { zones } = await connect(domains)
    expect([...zones.keys()]).toEqual(['shop.example', 'market.example', 'bazaar.example'])
    for (const zone of zones.values()) await zone.publish(recordIn(zone.domain))
    for (const zone of zones.values()) {
      expect(await zone.authoritative(nameIn(zone.domain))).toMatchObject([
        { values: [recordIn(zone.domain).value] },
      ])
    }
    expect([cloudflare.records, other.records].map((records) => records.map(({ name }) => name))).toEqual([
      [nameIn('shop.example')],
      [nameIn('bazaar.example')],
    ])
    expect(primary.records.size).toBe(1)
  })

  test('are named one by one by /ready, and one that is down does not stop the others', async () => {
    const { readiness } = await connect([onCloudflare('shop.example', cloudflare), onPrimary()])
    expect(readiness.map(({ name, essential = true }) => [name, essential])).toEqual([
      ['dns', true],
      ['zone shop.example', false],
      ['changes of zone shop.example', false],
      ['zone market.example', false],
      ['changes of zone market.example', false],
    ])
    const [resolver, shop, shopChanges, market] = readiness as [
      Dependency,
      Dependency,
      Dependency,
      Dependency,
    ]
    expect(await shopChanges.check(signal)).toBeUndefined()
    expect(await resolver.check(signal)).toBeUndefined()
    expect(await shop.check(signal)).toBe('1 of 1 servers answer')
    await expect(market.check(signal)).rejects.toThrow('the zone is not signed')
  })

  test('and those of merchants that are delegated to us are named, too, and found by their hosts before they are', async () => {
    const { authoritative: _given, ...merchants } = onCloudflare('merchant.example', other)
    const edges = await connect([onPrimary(), { ...merchants, delegatedTo: ['ns.shop.test'] }])
    const apex = 'user._bitcoin-payment.merchant.example'
    expect(edges.readiness.map(({ name }) => name)).toEqual([
      'dns',
      'zone market.example',
      'changes of zone market.example',
      `zone ${apex}`,
      `changes of zone ${apex}`,
    ])
    expect(edges.delegated?.get('merchant.example')).toMatchObject({ nameServers: ['ns.shop.test'] })
    expect(await edges.zoneServers(apex).zone()).toEqual(['127.0.0.1:53'])
    expect(await edges.zoneServers('market.example').zone()).toEqual([primary.server])
  })

  test('have done on their way into DNSSEC what their providers can do', async () => {
    const parent = { provider: 'cloudflare', token: cloudflare.token, api: cloudflare.url }
    const { actOnZone } = await connect([
      { ...onPrimary(), domain: 'pay.shop.example', parent },
      { ...onCloudflare('bazaar.example', other), parent: 'cds' },
    ])
    const ds = [{ keyTag: 1, algorithm: 13, digestType: 2, digest: 'aa'.repeat(32) }]
    const ask = (domain: string, action: 'sign' | 'publish-ds') => actOnZone({ domain, action, ds, signal })
    expect(await ask('pay.shop.example', 'sign')).toBe('by-person')
    expect(await ask('pay.shop.example', 'publish-ds')).toBe('done')
    expect(cloudflare.records).toMatchObject([{ name: 'pay.shop.example', type: 'DS' }])
    expect(await ask('bazaar.example', 'sign')).toBe('done')
    expect(other.dnssec.on).toBe(true)
    await expect(ask('bazaar.example', 'publish-ds')).rejects.toThrow('shows no CDS')
    expect(await ask('elsewhere.example', 'sign')).toBe('by-person')
  })

  test('of one token share its rate limit', async () => {
    const limited = [
      onCloudflare('shop.example', cloudflare),
      { ...onCloudflare('shop.example', cloudflare), domain: 'eu.shop.example' },
    ]
    const { zones } = await connect(limited)
    cloudflare.failNext('GET', () => ({ status: 429, body: '', headers: { 'retry-after': '60' } }))
    for (const zone of zones.values()) {
      await expect(zone.publish(recordIn(zone.domain))).rejects.toMatchObject({ code: 'unavailable' })
    }
    expect(cloudflare.calls).toHaveLength(1)
  })

  test('whose servers are not given are asked where their NS records say', async () => {
    const { authoritative: _given, ...found } = onCloudflare('nowhere.test', cloudflare)
    const { zones } = await connect([found])
    const asking = zones.get('nowhere.test')!.authoritative(nameIn('nowhere.test'))
    await expect(asking).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('NS'),
    })
  })
})

describe('without the devnet', () => {
  const domains = [
    { domain: 'shop.example', provider: 'cloudflare', token: 'x'.repeat(40), authoritative: ['192.0.2.1'] },
  ]

  test('no bitcoind is needed, because nothing uses one', async () => {
    const edges = await connect(domains)
    expect(edges.network).toBe('regtest')
    expect(await edges.nodes.nodeOf('ab'.repeat(32))).toBeNull()
  })

  test('names are validated from the anchor that was set', async () => {
    const { resolveTxt } = await connect(domains)
    await dns.zone('shop.test').publish(recordIn('shop.test'))
    const now = Math.floor(Date.now() / 1000)
    expect(await resolveTxt(nameIn('shop.test'), now)).toMatchObject({ status: 'secure' })
  })

  test("and without an anchor from the real root's, under which another root is not believed", async () => {
    const { resolveTxt } = await connect(domains, { HOLDFAST_DNS_ANCHOR: '' })
    await dns.zone('shop.test').publish(recordIn('shop.test'))
    const now = Math.floor(Date.now() / 1000)
    expect(await resolveTxt(nameIn('shop.test'), now)).toMatchObject({ status: 'bogus' })
  })
})

describe('a trust anchor', () => {
  test.each([
    ['is missing', () => join(folder, 'nowhere'), /ENOENT/],
    ['is a folder', () => folder, /EISDIR/],
    ['holds something else', () => fileOf('hello\n'), /is no DS or DNSKEY record/],
    ['is empty', () => fileOf(''), /holds no trust anchor/],
  ])('whose file %s is told in one line that names the variable', async (_what, file, why) => {
    const error = await readTrustAnchors(file()).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(StartError)
    const { message } = error as StartError
    expect(message).toMatch(why)
    expect(message).toMatch(/HOLDFAST_DNS_ANCHOR\.$/)
    expect(message).not.toContain('\n')
  })
})

test('where no resolvers are configured, a record counts as confirmed', async () => {
  const ask = makeConfirmation(readConfig({}))
  expect(await ask(recordIn('shop.test'))).toMatchObject({ decision: 'confirmed', results: [] })
})

describe('the readiness of a zone', () => {
  const zoneOf = (answers: readonly AuthoritativeAnswer[]) =>
    zoneReadiness({ domain: 'shop.test', authoritative: async () => answers } as unknown as DnsZone)
  const good = { server: '192.0.2.1:53', values: [], signed: true }
  const down = { server: '192.0.2.2:53', failure: '192.0.2.2:53: no answer within 2000 ms' }

  test.each([
    ['all answer', [good, good], '2 of 2 servers answer'],
    ['one is down', [good, down], `1 of 2 servers answer; ${down.failure}`],
  ])('of which %s is told', async (_what, answers, detail) => {
    expect(await zoneOf(answers).check(signal)).toBe(detail)
  })

  test.each([
    ['all are down', [down, down], down.failure],
    ['no server is known', [], 'the zone has no server'],
    ['one does not sign', [good, { ...good, signed: false }], 'the zone is not signed'],
  ])('of which %s is none', async (_what, answers, why) => {
    await expect(zoneOf(answers).check(signal)).rejects.toThrow(why)
  })
})
