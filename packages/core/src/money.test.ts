import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMsat, proportionalFee, SUPPLY_MSAT } from './money.ts'

test.each([
  ['1', 1n],
  ['21000', 21_000n],
  ['007', 7n],
  [`${SUPPLY_MSAT}`, SUPPLY_MSAT],
])('the amount %s is read', (text, amount) => expect(parseMsat(text)).toBe(amount))

test.each([
  '',
  '0',
  '00',
  '-1',
  '+1',
  '1.0',
  '1e3',
  '0x10',
  ' 1',
  '1 ',
  '１',
  `${SUPPLY_MSAT + 1n}`,
  '9'.repeat(1000),
])('the amount %j is refused', (text) => {
  const refused = parseMsat(text)
  expect(refused).toMatchObject({ refused: 'AMOUNT_INVALID' })
  expect(JSON.stringify(refused).length).toBeLessThan(120)
})

test.each([
  [0n, 10_000n, 0n],
  [1n, 1n, 1n],
  [1_000_000n, 10_000n, 10_000n],
  [1_000_001n, 10_000n, 10_001n],
  [SUPPLY_MSAT, 1_000_000n, SUPPLY_MSAT],
])('the fee of %s at %s ppm is %s', (amount, ppm, fee) => expect(proportionalFee(amount, { ppm })).toBe(fee))

test('a fee is never rounded down, and by less than 1 up', () => {
  const amounts = fc.bigInt({ min: 0n, max: SUPPLY_MSAT })
  const rates = fc.bigInt({ min: 0n, max: 1_000_000n })
  fc.assert(
    fc.property(amounts, rates, (amount, ppm) => {
      const excess = proportionalFee(amount, { ppm }) * 1_000_000n - amount * ppm
      return excess >= 0n && excess < 1_000_000n
    }),
  )
})
