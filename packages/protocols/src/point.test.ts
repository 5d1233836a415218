import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPoint } from './point.ts'

const GENERATOR_X = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const PRIME = 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f'

test.each<[what: string, hex: string, expected: boolean]>([
  ['the generator', `02${GENERATOR_X}`, true],
  ['its negative', `03${GENERATOR_X}`, true],
  ['x = 1', `02${'1'.padStart(64, '0')}`, true],
  ['x = 0, where 7 is no square', `02${'0'.repeat(64)}`, false],
  ['x = 5, where 132 is no square', `02${'5'.padStart(64, '0')}`, false],
  ['x = p + 1, which is 1 but not written so', `02${PRIME.slice(0, -2)}30`, false],
  ['an uncompressed point’s prefix', `04${GENERATOR_X}`, false],
  ['the prefix of infinity', `00${GENERATOR_X}`, false],
  ['a byte too few', `02${GENERATOR_X.slice(2)}`, false],
  ['a byte too many', `02${GENERATOR_X}00`, false],
  ['nothing', '', false],
])('%s', (_what, hex, expected) => {
  expect(isPoint(hexToBytes(hex))).toBe(expected)
})

test('says of any bytes what noble-curves says', () => {
  const x = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(fc.constantFrom(2, 3), x, (prefix, bytes) => {
      const point = Uint8Array.of(prefix, ...bytes)
      expect(isPoint(point)).toBe(secp256k1.utils.isValidPublicKey(point, true))
    }),
    { numRuns: 500 },
  )
})

test('every public key is a point', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret) => {
      fc.pre(secp256k1.utils.isValidSecretKey(secret))
      expect(isPoint(secp256k1.getPublicKey(secret, true))).toBe(true)
    }),
  )
})
