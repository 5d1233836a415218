import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EventLog } from './node-events.ts'
import { Store } from './store.ts'

const DAY_MS = 24 * 3600_000
const START = Date.UTC(2026, 0, 1)

describe('EventLog', () => {
  let folder: string
  let store: Store
  let log: EventLog
  const open = () => {
    store = new Store(folder)
    log = new EventLog(store)
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-events-'))
    open()
  })
  afterEach(() => {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** One event a day, from `START` on. */
  const record = (days: number) => {
    for (let day = 0; day < days; day++)
      log.record({ kind: 'hold-cancelled', paymentHash: `${day}` }, START + day * DAY_MS)
    store.commit()
  }
  const cursors = async (since: number) => (await log.since(since)).map(({ kind, cursor }) => [kind, cursor])

  test('forgets nothing that is younger than 30 days, nor anything that the follower has not acknowledged', async () => {
    record(3)
    const all = await log.since(0)
    log.acknowledge(2)
    log.forgetOld(START + 30 * DAY_MS)
    expect(await log.since(0)).toEqual(all)
    log.forgetOld(START + 90 * DAY_MS)
    expect(await log.since(2)).toEqual(all.slice(2))
    log.acknowledge(1)
    log.acknowledge(3)
    log.forgetOld(START + 32 * DAY_MS)
    expect(await log.since(2)).toEqual(all.slice(2))
    log.forgetOld(START + 32 * DAY_MS + 1)
    expect(await log.since(3)).toEqual([])
  })

  test('a cursor before what is kept is told so first, and goes on from there; also after a restart', async () => {
    record(4)
    log.acknowledge(3)
    log.forgetOld(START + 32 * DAY_MS)
    store.commit()
    for (let start = 0; start < 2; start++) {
      for (const old of [0, 1]) expect(await cursors(old)).toEqual([['events-forgotten', 2]])
      expect(await cursors(2)).toEqual([
        ['hold-cancelled', 3],
        ['hold-cancelled', 4],
      ])
      store.close()
      open()
    }
  })

  test('with everything forgotten the numbers go on', async () => {
    record(2)
    log.forgetOld(START + 90 * DAY_MS)
    expect(log.latest()).toBe(2)
    expect(await cursors(0)).toEqual([['events-forgotten', 2]])
    expect(await cursors(2)).toEqual([])
    record(1)
    expect(await cursors(2)).toEqual([['hold-cancelled', 3]])
    expect(log.latest()).toBe(3)
  })

  test('a great many are forgotten in several turns', async () => {
    record(2_500)
    const now = START + 9_000 * DAY_MS
    const left = () => store.get<{ count: number }>('SELECT count(*) AS count FROM node_events')?.count
    for (const expected of [1_500, 500, 0, 0]) {
      log.forgetOld(now)
      expect(left()).toBe(expected)
    }
  })

  test('what has not happened yet is not acknowledged', async () => {
    record(1)
    log.acknowledge(1_000)
    record(1)
    log.forgetOld(START + 90 * DAY_MS)
    expect(await cursors(1)).toEqual([['hold-cancelled', 2]])
    for (const cursor of [-1, 0.5])
      expect(() => log.acknowledge(cursor)).toThrow(expect.objectContaining({ code: 'invalid' }))
  })
})
