import { expect, test } from 'vitest'
import { sweepRows } from './sweep-rows.ts'

const PAGE_SIZE = 3

/** Rows 1 … count, which a sweep finds page by page. */
function rows(count: number) {
  const all = Array.from({ length: count }, (_, index) => ({ id: `${index + 1}` }))
  return async (after: { id: string } | null) => {
    const from = after === null ? 0 : Number(after.id)
    return all.slice(from, from + PAGE_SIZE)
  }
}

test.each([0, 1, 3, 4, 7])('each of %i rows is looked at once, in order', async (count) => {
  const seen: string[] = []
  const swept = await sweepRows({
    what: 'rows',
    pageSize: PAGE_SIZE,
    pageAfter: rows(count),
    look: async ({ id }) => seen.push(id),
  })
  expect(swept).toBe(count)
  expect(seen).toEqual(Array.from({ length: count }, (_, index) => `${index + 1}`))
})

test('rows that fail keep no other waiting, a whole page of them neither, and are told at the end', async () => {
  const seen: string[] = []
  const sweep = sweepRows({
    what: 'rows',
    pageSize: PAGE_SIZE,
    pageAfter: rows(5),
    look: async ({ id }) => {
      if (Number(id) <= PAGE_SIZE) throw new Error(`broken ${id}`)
      seen.push(id)
    },
  })
  const fault = await sweep.catch((error: AggregateError) => error)
  expect(fault).toMatchObject({ message: '3 of 5 rows were passed over' })
  expect((fault as AggregateError).errors[2]).toMatchObject({
    message: '3 cannot be looked at',
    cause: { message: 'broken 3' },
  })
  expect(seen).toEqual(['4', '5'])
})
