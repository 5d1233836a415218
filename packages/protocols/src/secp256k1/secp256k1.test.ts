import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesToHex, hexToBytes } from '../hex.ts'
import { publicKey, secretKey } from '../testing/points.ts'
import * as wasm from './libsecp256k1.ts'
import * as noble from './noble.ts'

const { ORDER } = secp256k1.Point.Fn
const GENERATOR_X = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const PRIME = 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f'
const HASH = new Uint8Array(32).fill(7)
const KEY = hexToBytes(publicKey(1))
const compactOf = (r: bigint, s: bigint) =>
  hexToBytes([r, s].map((part) => part.toString(16).padStart(64, '0')).join(''))
const signed = (hash: Uint8Array) =>
  secp256k1.Signature.fromBytes(
    secp256k1.sign(hash, secretKey(1), { prehash: false, format: 'recovered' }),
    'recovered',
  )

describe.each([
  ['noble', noble],
  ['libsecp256k1', wasm],
])('by %s', (_, { isPoint, recover, verify }) => {
  test.each<[what: string, hex: string, expected: boolean]>([
    ['the generator', `02${GENERATOR_X}`, true],
    ['its negative', `03${GENERATOR_X}`, true],
    ['x = 1', `02${'1'.padStart(64, '0')}`, true],
    ['x = 0, where 7 is no square', `02${'0'.repeat(64)}`, false],
    ['x = 5, where 132 is no square', `02${'5'.padStart(64, '0')}`, false],
    ['x = p + 1, which is 1 but not written so', `02${PRIME.slice(0, -2)}30`, false],
    ['an uncompressed point’s prefix', `04${GENERATOR_X}`, false],
    ['an uncompressed point', bytesToHex(secp256k1.Point.BASE.toBytes(false)), false],
    ['the prefix of infinity', `00${GENERATOR_X}`, false],
    ['a byte too few', `02${GENERATOR_X.slice(2)}`, false],
    ['a byte too many', `02${GENERATOR_X}00`, false],
    ['nothing', '', false],
  ])('a point or not: %s', (_what, hex, expected) => {
    expect(isPoint(hexToBytes(hex))).toBe(expected)
  })

  const { r, s, recovery } = signed(HASH)

  test('a signature leads to its key, with a low S and with a high one', () => {
    expect(recover(HASH, compactOf(r, s), recovery!)).toEqual(KEY)
    expect(recover(HASH, compactOf(r, ORDER - s), recovery! ^ 1)).toEqual(KEY)
  })

  test('a signature is good for its key and its hash only, and with a low S only', () => {
    expect(verify(HASH, compactOf(r, s), KEY)).toBe(true)
    expect(verify(HASH, compactOf(r, s), hexToBytes(publicKey(2)))).toBe(false)
    expect(verify(new Uint8Array(32), compactOf(r, s), KEY)).toBe(false)
    expect(verify(HASH, compactOf(r, ORDER - s), KEY)).toBe(false)
  })

  test('R plus the order may be on the curve where R is not', () => {
    const found = [...Array(100).keys()].map((x) => BigInt(x + 1)).find((x) => isX(x + ORDER) && !isX(x))!
    const key = recover(HASH, compactOf(found, 1n), 2)
    expect(secp256k1.Point.fromBytes(key).toBytes()).toEqual(key)
  })
})

test('both say the same of any bytes that may be a point, and that every public key is one', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(fc.constantFrom(2, 3), bytes, (prefix, x) => {
      const point = Uint8Array.of(prefix, ...x)
      expect(wasm.isPoint(point)).toBe(noble.isPoint(point))
    }),
    { numRuns: 500 },
  )
  fc.assert(
    fc.property(bytes.filter(secp256k1.utils.isValidSecretKey), (secret) => {
      const key = secp256k1.getPublicKey(secret, true)
      expect([wasm.isPoint(key), noble.isPoint(key)]).toEqual([true, true])
    }),
  )
})

test('both say the same of whatever may stand in an invoice', () => {
  const near = (at: bigint) => fc.bigInt({ min: -3n, max: 3n }).map((off) => (at + off) & ((1n << 256n) - 1n))
  const part = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
    ...[0n, 1n << 128n, ORDER >> 1n, ORDER, secp256k1.Point.Fp.ORDER, secp256k1.Point.Fp.ORDER - ORDER].map(
      near,
    ),
  )
  const hash = fc.oneof(
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
    fc.constantFrom(new Uint8Array(32), new Uint8Array(32).fill(0xff)),
  )
  fc.assert(
    fc.property(hash, part, part, fc.nat(3), (hash, r, s, recoveryId) => {
      const given = [hash, compactOf(r, s)] as const
      expect(outcome(() => wasm.recover(...given, recoveryId))).toEqual(
        outcome(() => noble.recover(...given, recoveryId)),
      )
      expect(outcome(() => wasm.verify(...given, KEY)) ?? false).toEqual(
        outcome(() => noble.verify(...given, KEY)) ?? false,
      )
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(hash, fc.boolean(), (hash, high) => {
      const { r, s } = signed(hash)
      const given = [hash, compactOf(r, high ? ORDER - s : s), KEY] as const
      expect([wasm.verify(...given), noble.verify(...given)]).toEqual([!high, !high])
    }),
    { numRuns: 30 },
  )
})

function isX(x: bigint): boolean {
  return outcome(() => secp256k1.Point.fromHex(`02${x.toString(16).padStart(64, '0')}`)) !== null
}

function outcome<T>(ask: () => T): T | null {
  try {
    return ask()
  } catch {
    return null
  }
}
