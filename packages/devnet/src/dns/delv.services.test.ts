import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatBindTrustAnchors } from '@holdfast/protocols/dnssec'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SignedDns, startSignedDns } from './signed-dns.ts'
import { runDelv } from './testing/delv.ts'

const NAME = 'alice.user._bitcoin-payment.shop.test'
const VALUE = `bitcoin:?lno=lno1${'q'.repeat(600)}`

let folder: string
let dns: SignedDns

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-delv-'))
  dns = await startSignedDns({ folder, zones: ['shop.test'] })
  await dns.zone('shop.test').publish({ name: NAME, value: VALUE, ttlSeconds: 120 })
})

afterAll(async () => {
  await dns.stop()
  rmSync(folder, { recursive: true })
})

describe('delv', () => {
  test('says that a published name is fully validated', async () => {
    const output = await runDelv(dns.anchorFile, dns.port, NAME)
    expect(output).toContain('; fully validated')
    expect(output.replaceAll(/"\s*"/g, '')).toContain(VALUE)
  })

  test('says that the denial of an absent name is fully validated', async () => {
    expect(await runDelv(dns.anchorFile, dns.port, `nobody.${NAME}`)).toContain(
      '; negative response, fully validated',
    )
    expect(await runDelv(dns.anchorFile, dns.port, 'shop.test')).toContain(
      '; negative response, fully validated',
    )
  })

  test('rejects a wrong anchor', async () => {
    const wrong = join(folder, 'wrong-anchors.conf')
    const other = mkdtempSync(join(tmpdir(), 'holdfast-delv-'))
    const stranger = await startSignedDns({ folder: other, zones: [] })
    writeFileSync(wrong, formatBindTrustAnchors(stranger.anchors))
    await stranger.stop()
    rmSync(other, { recursive: true })
    expect(await runDelv(wrong, dns.port, NAME)).not.toContain('fully validated')
  })

  test.each(['unsigned', 'expired', 'wrong-key'] as const)('rejects a zone that is %s', async (fault) => {
    dns.zone('shop.test').breakSigning(fault)
    expect(await runDelv(dns.anchorFile, dns.port, NAME)).not.toContain('fully validated')
    dns.zone('shop.test').mendSigning()
    expect(await runDelv(dns.anchorFile, dns.port, NAME)).toContain('; fully validated')
  })
})
