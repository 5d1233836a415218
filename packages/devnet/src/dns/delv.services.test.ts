import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { formatBindTrustAnchors } from '@holdfast/protocols/dnssec'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SignedDns, startSignedDns } from './signed-dns.ts'

const NAME = 'alice.user._bitcoin-payment.shop.test'
const VALUE = `bitcoin:?lno=lno1${'q'.repeat(600)}`

let folder: string
let dns: SignedDns

/** What delv (Debian bind9-dnsutils) prints; HOLDFAST_DELV names the program when it is not on the PATH. */
async function delv(anchorFile: string, port: number, name: string, ...more: string[]): Promise<string> {
  const program = process.env.HOLDFAST_DELV ?? 'delv'
  const args = ['@127.0.0.1', '-p', String(port), '-a', anchorFile, '+root=.', name, 'TXT', ...more]
  const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: 15_000 })
  return stdout + stderr
}

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
    const output = await delv(dns.anchorFile, dns.port, NAME)
    expect(output).toContain('; fully validated')
    expect(output.replaceAll(/"\s*"/g, '')).toContain(VALUE)
  })

  test('says that the denial of an absent name is fully validated', async () => {
    expect(await delv(dns.anchorFile, dns.port, `nobody.${NAME}`)).toContain(
      '; negative response, fully validated',
    )
    expect(await delv(dns.anchorFile, dns.port, 'shop.test')).toContain(
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
    expect(await delv(wrong, dns.port, NAME)).not.toContain('fully validated')
  })

  test.each(['unsigned', 'expired', 'wrong-key'] as const)('rejects a zone that is %s', async (fault) => {
    dns.zone('shop.test').breakSigning(fault)
    expect(await delv(dns.anchorFile, dns.port, NAME)).not.toContain('fully validated')
    dns.zone('shop.test').mendSigning()
    expect(await delv(dns.anchorFile, dns.port, NAME)).toContain('; fully validated')
  })
})
