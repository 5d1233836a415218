import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeRfc2136Zone } from '../dns/rfc2136-zone.ts'
import { DOMAIN, recordOf, startLargeKnotZone } from './testing/large-knot-zone.ts'

/** HOLDFAST_SCALE_NAMES=1000000 for the figures of docs/scale.md. */
const NAMES = Number(process.env.HOLDFAST_SCALE_NAMES ?? 2_000)
const UPDATES = 30

test(`a zone of ${NAMES} names on Knot is signed, changed, listed and started again`, async () => {
  const knot = await startLargeKnotZone(NAMES)
  try {
    const loadedAfter = await knot.loaded()
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

    const all = NAMES + 2 * UPDATES
    const listed = new Set<string>()
    const listingBegan = performance.now()
    for await (const { name } of zone.list()) listed.add(name)
    const listedIn = performance.now() - listingBegan
    expect(listed.size).toBe(all)
    const transfer = knot.lastTransfer()

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
      ['memory after updates and listing', size(afterTransfer)],
      ['update, median', `${updates[UPDATES >> 1]!.toFixed(0)} ms`],
      ['update, longest', `${updates.at(-1)!.toFixed(0)} ms`],
      [`${UPDATES} updates at once`, `${atOnceTook.toFixed(0)} ms`],
      ['listed over a transfer', seconds(listedIn)],
      ['transfer', `${size(transfer.bytes)} in ${transfer.messages} messages`],
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
