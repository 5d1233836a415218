import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { expect, test } from 'vitest'
import { makeQuery } from '../dns/dns-transport.ts'
import { makeRfc2136Zone } from '../dns/rfc2136-zone.ts'
import { DOMAIN, recordOf, startLargeKnotZone, transferZone } from './testing/large-knot-zone.ts'

/** HOLDFAST_SCALE_NAMES=1000000 for the figures of docs/scale.md. */
const NAMES = Number(process.env.HOLDFAST_SCALE_NAMES ?? 2_000)
const UPDATES = 30

test(`a zone of ${NAMES} names on Knot is signed, changed and transferred whole`, async () => {
  const knot = await startLargeKnotZone(NAMES)
  try {
    const loadedAfter = await knot.loaded()
    const query = makeQuery({ servers: [knot.server], timeoutMs: 5_000 })
    const zone = makeRfc2136Zone({
      domain: DOMAIN,
      primary: knot.server,
      key: knot.key,
      authoritativeServers: async () => [knot.server],
      now: Date.now,
      timeoutMs: 60_000,
    })
    const afterLoad = knot.memory()
    const updates: number[] = []
    for (let n = NAMES; n < NAMES + UPDATES; n++) {
      const { name, value } = recordOf(n)
      const began = performance.now()
      await zone.publish({ name, value, ttlSeconds: 300 })
      updates.push(performance.now() - began)
      expect(await zone.authoritative(name)).toEqual([{ server: knot.server, values: [value], signed: true }])
    }
    const atOnceBegan = performance.now()
    const atOnce = Array.from({ length: UPDATES }, (_, i) => recordOf(NAMES + UPDATES + i))
    await Promise.all(atOnce.map((record) => zone.publish({ ...record, ttlSeconds: 300 })))
    const atOnceTook = performance.now() - atOnceBegan

    const [soa] = decodeMessage(await query(DOMAIN, TYPE.SOA)).answer.filter(({ type }) => type === TYPE.SOA)
    const transfer = await transferZone(knot.server, soa!.rdata.subarray(-20))
    const all = NAMES + 2 * UPDATES
    // Each name has at least its TXT, its NSEC and two signatures of 64 bytes.
    expect(transfer.bytes).toBeGreaterThan(all * 600)

    const afterTransfer = knot.memory()
    const onDisk = diskBytes(join(knot.folder, 'db'))
    await knot.restart()
    const loadedAgainAfter = await knot.loaded()
    const last = recordOf(all - 1)
    expect(await zone.authoritative(last.name)).toEqual([
      { server: knot.server, values: [last.value], signed: true },
    ])

    updates.sort((a, b) => a - b)
    const rows: [string, string][] = [
      ['loaded and signed', seconds(loadedAfter)],
      ['memory after loading', size(afterLoad)],
      ['memory after updates and transfer', size(afterTransfer)],
      ['update, median', `${updates[UPDATES >> 1]!.toFixed(0)} ms`],
      ['update, longest', `${updates.at(-1)!.toFixed(0)} ms`],
      [`${UPDATES} updates at once`, `${atOnceTook.toFixed(0)} ms`],
      ['transfer', `${size(transfer.bytes)} in ${transfer.messages} messages, ${seconds(transfer.ms)}`],
      ['transfer per name', `${(transfer.bytes / all).toFixed(0)} bytes`],
      ['zone file', size(statSync(join(knot.folder, 'zone')).size)],
      ['journal and keys on disk', size(onDisk)],
      ['loaded again after a restart', seconds(loadedAgainAfter)],
    ]
    console.log([`measured on Knot with ${NAMES} names`, ...rows.map((row) => row.join(': '))].join('\n  '))
  } finally {
    await knot.stop()
  }
}, 7_200_000)

function diskBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0)
}

function size(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
