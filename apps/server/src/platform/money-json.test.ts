import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { moneyFromJson, moneyToJson, moneyToText } from './money-json.ts'

/** Members as states and commands have them: bigints only where their names say so. */
const { tree } = fc.letrec((tie) => ({
  tree: fc.dictionary(
    fc.constantFrom('phase', 'count', 'owed', 'parts', 'inner', 'none'),
    fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree')),
      tie('tree'),
      fc.record({ amountMsat: fc.bigInt(), ppm: fc.bigInt(), heldMsat: fc.constantFrom(null, 7n) }),
    ),
  ),
}))

describe('amounts in JSON', () => {
  test('come back as what they were, however deep, and whatever else there is', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const object = value as object
        expect(moneyFromJson(moneyToJson(object))).toEqual(object)
        expect(JSON.parse(moneyToText(object))).toEqual(moneyToJson(object))
      }),
    )
  })

  test('are decimal strings of any size', () => {
    expect(moneyToJson({ amountMsat: 2_100_000_000_000_000_000n, payouts: [{ feeMsat: 1n }] })).toEqual({
      amountMsat: '2100000000000000000',
      payouts: [{ feeMsat: '1' }],
    })
  })

  test('a bigint that would come back as a string is not written', () => {
    expect(() => moneyToJson({ inner: [{ amount: 1n }] })).toThrow(/amount/)
  })

  test('a string that happens to stand elsewhere stays one', () => {
    expect(moneyFromJson({ title: '12', amountMsat: null })).toEqual({ title: '12', amountMsat: null })
  })
})
