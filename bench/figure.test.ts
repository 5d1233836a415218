import { expect, test } from 'vitest'
import { type Figure, figureTable, isMet } from './figure.ts'

const figure = (value: number, atMost?: number): Figure => ({
  of: 'names',
  what: 'accepted, p99',
  value,
  unit: 'ms',
  ...(atMost !== undefined && { atMost }),
})

test.each([
  [9.9, 10, true],
  [10, 10, true],
  [10.1, 10, false],
  [10.1, undefined, null],
])('%s against a target of %s is met: %s', (value, atMost, met) => {
  expect(isMet(figure(value, atMost))).toBe(met)
})

test.each([
  [10.1, true],
  [10, true],
  [9.9, false],
])('%s a second against at least 10 is met: %s', (value, met) => {
  expect(isMet({ of: 'escrow', what: 'cycles', value, unit: '/s', atLeast: 10 })).toBe(met)
})

test('the table says ok, missed, or nothing where there is no target', () => {
  const lines = figureTable([figure(9.876, 10), figure(123.4, 10), figure(55)]).split('\n')
  expect(lines).toEqual([
    'of     figure         measured     target',
    'names  accepted, p99   9.88 ms  ≤ 10.0 ms  ok',
    'names  accepted, p99    123 ms  ≤ 10.0 ms  missed',
    'names  accepted, p99   55.0 ms',
  ])
  const atLeast = figureTable([{ of: 'escrow', what: 'cycles', value: 12, unit: '/s', atLeast: 10 }])
  expect(atLeast.split('\n')[1]).toBe('escrow  cycles   12.0 /s  ≥ 10.0 /s  ok')
})
