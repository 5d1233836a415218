import { bech32 } from '@scure/base'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BECH32_ALPHABET, bytesOfWords, textOfWords, wordsOfBytes, wordsOfText } from './bech32-words.ts'

test('bytes survive the way through words, which are those of @scure/base', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const words = wordsOfBytes(bytes)
      expect([...words]).toEqual(bech32.toWords(bytes))
      expect(bytesOfWords(words)).toEqual(bytes)
    }),
  )
})

test('words that are accepted are the only form of their bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ max: 31, maxLength: 20 }), (words) => {
      const bytes = bytesOfWords(words)
      if (bytes !== null) expect(wordsOfBytes(bytes)).toEqual(words)
    }),
  )
})

test.each([
  [[0], 'five bits left over'],
  [[0, 0, 0], 'seven bits left over'],
  [[0, 1], 'a bit set in the two left over'],
])('%j is refused: %s', (words) => {
  expect(bytesOfWords(Uint8Array.from(words))).toBeNull()
})

test('text and words correspond', () => {
  expect(wordsOfText(BECH32_ALPHABET)).toEqual({ words: Uint8Array.from({ length: 32 }, (_, at) => at) })
  expect(textOfWords(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(BECH32_ALPHABET)
  expect(wordsOfText('qpb')).toEqual({ badAt: 2 })
})
