import { expect, test } from 'vitest'
import { median, percentile } from './statistics.ts'

const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index)

test.each([
  [0, 1],
  [0.5, 50],
  [0.95, 95],
  [0.99, 99],
  [1, 100],
])('the nearest rank at %s of 1 to 100 is %s', (share, expected) => {
  expect(percentile(oneToHundred, share)).toBe(expected)
})

test('the median of an odd number of samples is the one in the middle', () => {
  expect(median([30, 10, 20])).toBe(20)
})

test('no samples have no percentile', () => {
  expect(() => median([])).toThrow(RangeError)
})
