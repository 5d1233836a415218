import { beforeAll, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { findOpen, findSilent, type Silent } from './payment-store.ts'
import { makePaymentsWorld } from './testing/payments-world.ts'

const database = withDatabase()
const ids: string[] = []
let later = 0

beforeAll(async () => {
  const world = makePaymentsWorld(database)
  for (let count = 0; count < 5; count++) {
    // Two of them fall silent at the same moment.
    if (count % 2 === 0) world.time.now += 1_000
    ids.push((await world.start()).id)
  }
  later = world.time.now + 120_000
})

async function allPages<Row>(pageAfter: (after: Row | null) => Promise<Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for (let after: Row | null = null; ; ) {
    const page: Row[] = await pageAfter(after)
    if (page.length === 0) return rows
    rows.push(...page)
    after = page.at(-1) ?? null
  }
}

test('page by page every open payment is found once, in the order of ids', async () => {
  const found = await allPages<{ id: string }>((after) => findOpen(database.db, { limit: 2, after }))
  expect(found.map(({ id }) => id)).toEqual(ids.toSorted())
})

test('page by page every silent payment is found once, the longest silence first', async () => {
  const dueBefore = new Date(later)
  const found = await allPages<Silent>((after) => findSilent(database.db, { dueBefore, limit: 2, after }))
  const times = found.map(({ look_at }) => look_at?.getTime() ?? 0)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(found.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
})

test('none is silent before its time', async () => {
  expect(await findSilent(database.db, { dueBefore: new Date(0), limit: 9, after: null })).toEqual([])
})
