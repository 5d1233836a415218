import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveTxt } from '@holdfast/protocols/dnssec'
import { expect, test } from 'vitest'
import { askOverTcp } from './ask-over-tcp.ts'
import { type SignedDns, startSignedDns } from './signed-dns.ts'

/** HOLDFAST_SCALE_NAMES=100000 for the figures of docs/scale.md. */
const NAMES = Number(process.env.HOLDFAST_SCALE_NAMES ?? 1_000)
const AT_ONCE = 1_000
const ALONE = 20

/** One record with an offer of about 500 characters, as LDK makes them with one blinded path. */
function recordOf(n: number) {
  const offer = `lno1${n.toString(36).padStart(8, 'q')}${'qp0zry9x8gf2tvdw'.repeat(31)}`
  // Not in the canonical order, as names are registered.
  const user = `${((n * 7_919) % 1_000_003).toString(36)}-${n}`
  return {
    name: `${user}.user._bitcoin-payment.shop.test`,
    value: `bitcoin:?lno=${offer}`,
    ttlSeconds: 60,
  }
}

test(`the embedded zone holds ${NAMES} names, and still does after a restart`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-large-dns-'))
  let dns = await startSignedDns({ folder, zones: ['shop.test'] })
  try {
    const memoryBefore = process.memoryUsage().rss
    const filled = await took(async () => {
      for (let n = 0; n < NAMES; n += AT_ONCE) await publishAll(dns, n, Math.min(NAMES, n + AT_ONCE))
    })
    const memory = process.memoryUsage().rss - memoryBefore
    const alone: number[] = []
    for (let n = NAMES; n < NAMES + ALONE; n++) alone.push(await took(() => publishAll(dns, n, n + 1)))
    alone.sort((a, b) => a - b)
    const onDisk = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
    await dns.stop()
    const loaded = await took(async () => {
      dns = await startSignedDns({ folder, zones: ['shop.test'] })
    })
    for (const n of [0, NAMES >> 1, NAMES + ALONE - 1])
      expect(await valuesAt(dns, n)).toEqual([recordOf(n).value])
    expect(await valuesAt(dns, NAMES + ALONE)).toBe('nxdomain')
    console.log(
      [
        `measured on the embedded zone with ${NAMES} names`,
        `published, ${AT_ONCE} at once: ${(filled / 1000).toFixed(2)} s, ${((filled * 1000) / NAMES).toFixed(0)} µs a name`,
        `published alone: ${alone[ALONE >> 1]!.toFixed(1)} ms (median), ${alone.at(-1)!.toFixed(1)} ms (longest of ${ALONE})`,
        `memory: ${(memory / NAMES / 1024).toFixed(2)} KiB a name`,
        `on disk: ${(onDisk / NAMES / 1024).toFixed(2)} KiB a name`,
        `loaded after a restart: ${(loaded / 1000).toFixed(2)} s`,
      ].join('\n  '),
    )
  } finally {
    await dns.stop()
    rmSync(folder, { recursive: true })
  }
}, 3_600_000)

async function publishAll(dns: SignedDns, from: number, to: number): Promise<void> {
  const zone = dns.zone('shop.test')
  await Promise.all(Array.from({ length: to - from }, (_, i) => zone.publish(recordOf(from + i))))
}

async function valuesAt(dns: SignedDns, n: number): Promise<string[] | string> {
  const found = await resolveTxt(recordOf(n).name, {
    query: (name, type) => askOverTcp(dns, name, type),
    anchors: dns.anchors,
    nowSeconds: Math.floor(Date.now() / 1000),
  })
  return 'values' in found ? found.values.map((value) => new TextDecoder().decode(value)) : found.status
}

async function took(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
