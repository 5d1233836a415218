import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SignedDns, type SignedDnsSettings, startSignedDns } from '@holdfast/devnet/dns/signed-dns'
import { resolveTxt } from '@holdfast/protocols/dnssec'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authoritativeAnswer } from './authoritative-answer.ts'
import { makeQuery } from './dns-transport.ts'
import { describeDnsZone } from './dns-zone.contract.ts'
import { embeddedZone } from './embedded-zone.ts'

const DOMAIN = 'shop.test'

async function start(settings: Partial<SignedDnsSettings> = {}): Promise<SignedDns> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-dns-'))
  const dns = await startSignedDns({ folder, zones: [DOMAIN], ...settings })
  return {
    ...dns,
    async stop() {
      await dns.stop()
      await rm(folder, { recursive: true })
    },
  }
}

describeDnsZone('the embedded zone', async () => {
  const dns = await start()
  return { zone: embeddedZone(dns.zone(DOMAIN)), signed: true, stop: () => dns.stop() }
})

describe('the embedded DNS, asked over our transport', () => {
  const name = `alice.user._bitcoin-payment.${DOMAIN}`
  const value = `bitcoin:?lno=lno1${'qp0z'.repeat(150)}`
  let dns: SignedDns

  beforeAll(async () => {
    dns = await start()
  })
  afterAll(() => dns.stop())

  const resolve = () => {
    const query = makeQuery({ servers: [dns.address], timeoutMs: 500, rounds: 1 })
    return resolveTxt(name, { query, anchors: dns.anchors, nowSeconds: Math.floor(Date.now() / 1000) })
  }

  test('proves that a name is absent, then its record as soon as it is published, then its absence', async () => {
    const zone = embeddedZone(dns.zone(DOMAIN))
    expect(await resolve()).toMatchObject({ status: 'nxdomain' })
    await zone.publish({ name, value, ttlSeconds: 60 })
    expect(await resolve()).toMatchObject({ status: 'secure', values: [new TextEncoder().encode(value)] })
    expect(await authoritativeAnswer(dns.address, name, { timeoutMs: 500 })).toEqual({
      server: dns.address,
      values: [value],
      signed: true,
    })
    await zone.withdraw({ name, value })
    expect(await resolve()).toMatchObject({ status: 'nxdomain' })
  })

  for (const fault of ['unsigned', 'expired', 'wrong-key'] as const) {
    test(`is not believed while its zone signs ${fault}`, async () => {
      const zone = dns.zone(DOMAIN)
      await embeddedZone(zone).publish({ name, value, ttlSeconds: 60 })
      zone.breakSigning(fault)
      expect(await resolve()).toMatchObject({ status: 'bogus' })
      zone.mendSigning()
      expect(await resolve()).toMatchObject({ status: 'secure' })
    })
  }

  test('is unavailable when it has stopped', async () => {
    const stopped = await start()
    await stopped.stop()
    const query = makeQuery({ servers: [stopped.address], timeoutMs: 300, rounds: 1 })
    const nowSeconds = Math.floor(Date.now() / 1000)
    const resolution = await resolveTxt(name, { query, anchors: stopped.anchors, nowSeconds })
    expect(resolution).toMatchObject({ status: 'unavailable' })
  })
})

test('an error that is not the zone’s own stays what it is', async () => {
  const fault = Object.assign(new Error('disk'), { code: 'ENOSPC' })
  const broken = { domain: DOMAIN, publish: async () => Promise.reject(fault) }
  const zone = embeddedZone(broken as never)
  await expect(zone.publish({ name: 'x', value: 'x', ttlSeconds: 1 })).rejects.toBe(fault)
})
