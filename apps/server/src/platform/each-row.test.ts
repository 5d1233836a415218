import { expect, test } from 'vitest'
import { eachRow } from './each-row.ts'

const rows = ['a', 'b', 'c', 'd'].map((id) => ({ id }))
const pageAfter = async (after: { id: string } | null) => {
  const from = after === null ? 0 : rows.findIndex(({ id }) => id === after.id) + 1
  return rows.slice(from, from + 2)
}

test('every row is worked on once, in order, page by page', async () => {
  const seen: string[] = []
  const work = async ({ id }: { id: string }) => seen.push(id)
  expect(await eachRow({ what: 'thing', limit: 2, pageAfter, work })).toBe(4)
  expect(seen).toEqual(['a', 'b', 'c', 'd'])
})

test('a row that fails keeps no other waiting, and is told of at the end', async () => {
  const seen: string[] = []
  const work = async ({ id }: { id: string }) => {
    if (id === 'b') throw new Error('broken')
    seen.push(id)
  }
  const passed = eachRow({ what: 'thing', limit: 2, pageAfter, work })
  await expect(passed).rejects.toMatchObject({
    message: '1 of 4 were passed over (thing)',
    errors: [expect.objectContaining({ message: 'thing b cannot be looked at' })],
  })
  expect(seen).toEqual(['a', 'c', 'd'])
})
