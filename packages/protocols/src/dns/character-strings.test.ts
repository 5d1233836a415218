import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinCharacterStrings } from '../bip353.ts'
import { cutIntoCharacterStrings } from './character-strings.ts'

test.each([
  [0, [0]],
  [1, [1]],
  [255, [255]],
  [256, [255, 1]],
  [600, [255, 255, 90]],
])('a value of %d characters is cut into strings of %j', (length, lengths) => {
  expect(cutIntoCharacterStrings('x'.repeat(length)).map((string) => string.length)).toEqual(lengths)
})

test('joined without separators it is the value again', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 1000 }), (value) => {
      expect(joinCharacterStrings(cutIntoCharacterStrings(value))).toBe(value)
    }),
  )
})
