import { LANES } from '@holdfast/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeResumeToken, encodeResumeToken } from './resume-token.ts'

const positions = fc.array(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), {
  minLength: LANES,
  maxLength: LANES,
})

test('a token gives back its positions', () => {
  fc.assert(
    fc.property(positions, (given) => {
      expect(decodeResumeToken(encodeResumeToken(given))).toEqual(given)
    }),
  )
})

test('a token with any one character changed is refused', () => {
  fc.assert(
    fc.property(positions, fc.nat(), fc.constantFrom(...'AZaz09-_'), (given, at, character) => {
      const token = encodeResumeToken(given)
      // The last character may hold bits that do not count.
      const index = at % (token.length - 1)
      fc.pre(token[index] !== character)
      expect(decodeResumeToken(`${token.slice(0, index)}${character}${token.slice(index + 1)}`)).toBeNull()
    }),
  )
})

test.each(['', 'x', '!!!!', 'A'.repeat(151), 'AAAAAAAA', Buffer.alloc(20).toString('base64url')])(
  '%j is refused',
  (token) => {
    expect(decodeResumeToken(token)).toBeNull()
  },
)

test('anything at all is read without throwing', () => {
  fc.assert(fc.property(fc.string(), (text) => void decodeResumeToken(text)))
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => void decodeResumeToken(Buffer.from(bytes).toString('base64url'))),
  )
})

test('a fresh token is short', () => {
  expect(encodeResumeToken(Array<bigint>(LANES).fill(1_000n)).length).toBeLessThan(32)
})
