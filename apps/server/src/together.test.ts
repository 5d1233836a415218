import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { together } from './together.ts'

test('gives all values', async () => {
  expect(await together(sleep(5, 'a'), Promise.resolve(2))).toEqual(['a', 2])
})

test('throws the first failure, and not before everything else has settled', async () => {
  let up = false
  const slow = sleep(30).then(() => {
    up = true
  })
  const failed = together(
    slow,
    Promise.reject(new Error('the second')),
    Promise.reject(new Error('the third')),
  )
  await expect(failed).rejects.toThrow('the second')
  expect(up).toBe(true)
})
