import { ed25519 } from '@noble/curves/ed25519.js'
import { p256, p384 } from '@noble/curves/nist.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isOnCurve, P256, P384, verifyEcdsaDigest } from './ecdsa.ts'
import { verifyEd25519 } from './ed25519.ts'
import { inverse, modulo, power, toBigInt } from './modular.ts'

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe.each([
  ['P-256', P256, p256, sha256],
  ['P-384', P384, p384, sha384],
] as const)('ECDSA over %s agrees with noble-curves', (_, curve, noble, hash) => {
  const { fieldBytes, n, g } = curve
  const secret = fc
    .uint8Array({ minLength: fieldBytes, maxLength: fieldBytes })
    .map((bytes) => Uint8Array.of(0, ...bytes.subarray(1)))
    .filter((bytes) => noble.utils.isValidSecretKey(bytes))
  const keyOf = (secretKey: Uint8Array) => {
    const point = noble.getPublicKey(secretKey, false)
    return { x: toBigInt(point.subarray(1, 1 + fieldBytes)), y: toBigInt(point.subarray(1 + fieldBytes)) }
  }
  /** Those at which additions degenerate, among any others. */
  const scalar = fc.oneof(
    fc.constantFrom(0n, 1n, 2n, n - 2n, n - 1n, n, n + 1n),
    fc.bigInt({ min: 1n, max: n - 1n }),
  )
  const toBytes = (value: bigint) => hex(value.toString(16).padStart(2 * fieldBytes, '0'))
  const judgedByNoble = (key: { x: bigint; y: bigint }, digest: bigint, r: bigint, s: bigint) => {
    const point = Uint8Array.of(4, ...toBytes(key.x), ...toBytes(key.y))
    const signature = Uint8Array.of(...toBytes(r), ...toBytes(s))
    return noble.verify(signature, toBytes(digest), point, { prehash: false, lowS: false })
  }

  test('true signatures are right, of another message or key they are wrong', () => {
    fc.assert(
      fc.property(secret, secret, bytes32, (secretKey, otherKey, message) => {
        const digest = hash(message)
        const signature = noble.sign(digest, secretKey, { prehash: false })
        const r = toBigInt(signature.subarray(0, fieldBytes))
        const s = toBigInt(signature.subarray(fieldBytes))
        const verify = (key: Uint8Array, of = toBigInt(digest)) =>
          verifyEcdsaDigest(curve, keyOf(key), of, r, s)
        expect(isOnCurve(curve, keyOf(secretKey))).toBe(true)
        expect(verify(secretKey)).toBe(true)
        expect(verify(secretKey, toBigInt(digest) ^ 1n)).toBe(false)
        expect(verify(otherKey)).toBe(toBigInt(otherKey) === toBigInt(secretKey))
      }),
      { numRuns: 10 },
    )
  })

  test('any numbers at all are judged alike, also those that meet the point at infinity or double a point', () => {
    const small = fc.constantFrom(1n, 2n, 3n, n - 1n, n - 2n).map(toBytes)
    fc.assert(
      fc.property(fc.oneof(small, secret), scalar, scalar, scalar, (secretKey, digest, r, s) => {
        const key = keyOf(secretKey)
        expect(verifyEcdsaDigest(curve, key, digest % n, r, s)).toBe(judgedByNoble(key, digest % n, r, s))
      }),
      { numRuns: 40 },
    )
  })

  test('signatures made to meet every case of an addition are right', () => {
    // With key = d·G a signature (r, s) of e is right when the x of ((e + r·d) / s)·G is r.
    for (const d of [1n, 2n, 3n, n - 1n, n - 2n]) {
      const key = keyOf(toBytes(d))
      for (const k of [1n, 2n, 3n, n - 1n]) {
        const r = keyOf(toBytes(k)).x % n
        for (const s of [1n, 2n, n - 1n]) {
          const digest = modulo(s * k - r * d, n)
          expect({ d, k, s, right: verifyEcdsaDigest(curve, key, digest, r, s) }).toEqual({
            d,
            k,
            s,
            right: true,
          })
        }
        // The sum is the point at infinity.
        expect(verifyEcdsaDigest(curve, key, modulo(-r * d, n), r, 1n)).toBe(false)
      }
    }
  })

  test('points beside the curve are found', () => {
    expect(isOnCurve(curve, g)).toBe(true)
    expect(isOnCurve(curve, { x: g.x, y: g.y + 1n })).toBe(false)
    expect(isOnCurve(curve, { x: g.x + curve.p, y: g.y })).toBe(false)
    expect(isOnCurve(curve, { x: g.x, y: g.y + curve.p })).toBe(false)
    expect(isOnCurve(curve, { x: 0n, y: 0n })).toBe(false)
  })
})

describe('Ed25519', () => {
  // RFC 8032 §7.1: test 1, 2 and 3.
  test.each([
    [
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ])('the example of RFC 8032 with the key %s', (key, message, signature) => {
    expect(verifyEd25519(hex(key), hex(message), hex(signature))).toBe(true)
    expect(verifyEd25519(hex(key), hex(`${message}00`), hex(signature))).toBe(false)
  })

  /** Encodings of the points whose order divides 8, canonical and not, and others on the edge of the field. */
  const EDGES = [
    `01${'00'.repeat(31)}`,
    `ec${'ff'.repeat(30)}7f`,
    `00${'00'.repeat(31)}`,
    `${'00'.repeat(31)}80`,
    `01${'00'.repeat(30)}80`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}ff`,
    'ff'.repeat(32),
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  ].map(hex)
  const judgedByNoble = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
    ed25519.verify(signature, message, key, { zip215: false })

  test('agrees with noble-curves on true and changed signatures', () => {
    fc.assert(
      fc.property(
        bytes32,
        bytes32,
        fc.nat(63),
        fc.integer({ min: 1, max: 255 }),
        (secret, message, at, mask) => {
          const key = ed25519.getPublicKey(secret)
          const signature = ed25519.sign(message, secret)
          expect(verifyEd25519(key, message, signature)).toBe(true)
          const changed = Uint8Array.from(signature)
          changed[at]! ^= mask
          expect(verifyEd25519(key, message, changed)).toBe(judgedByNoble(key, message, changed))
        },
      ),
      { numRuns: 15 },
    )
  })

  test('agrees with noble-curves on keys and points of small order and in other encodings', () => {
    const zeroS = new Uint8Array(32)
    for (const key of EDGES) {
      for (const r of EDGES) {
        const signature = Uint8Array.of(...r, ...zeroS)
        const message = Uint8Array.of(1)
        expect(verifyEd25519(key, message, signature)).toBe(judgedByNoble(key, message, signature))
      }
    }
  })

  test('agrees with noble-curves on R with a part of small order, which the cofactor lets pass', () => {
    const secret = new Uint8Array(32).fill(7)
    const key = ed25519.getPublicKey(secret)
    const message = Uint8Array.of(1, 2, 3)
    const { Fn, BASE } = ed25519.Point
    const torsion = ed25519.Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
    const r = BASE.multiply(5n).add(torsion).toBytes()
    const { scalar } = ed25519.utils.getExtendedPublicKey(secret)
    const little = (from: Uint8Array) => toBigInt(from.toReversed())
    const k = Fn.create(little(ed25519HashOf(r, key, message)))
    const s = Fn.create(5n + k * scalar)
    const signature = Uint8Array.of(...r, ...hex(s.toString(16).padStart(64, '0')).toReversed())
    expect(judgedByNoble(key, message, signature)).toBe(true)
    expect(verifyEd25519(key, message, signature)).toBe(true)
  })

  test('lengths are checked', () => {
    expect(verifyEd25519(new Uint8Array(31), hex(''), new Uint8Array(64))).toBe(false)
    expect(verifyEd25519(new Uint8Array(32), hex(''), new Uint8Array(65))).toBe(false)
  })
})

function ed25519HashOf(...parts: Uint8Array[]): Uint8Array {
  return sha512(Uint8Array.from(parts.flatMap((part) => [...part])))
}

describe('modular arithmetic', () => {
  const prime = 2n ** 255n - 19n
  test('an inverse times its number is 1, a power is what repeated multiplication gives', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -prime + 1n, max: prime - 1n }),
        fc.integer({ min: 0, max: 40 }),
        (value, exponent) => {
          if (value !== 0n) expect(modulo(inverse(value, prime) * value, prime)).toBe(1n)
          expect(power(value, BigInt(exponent), prime)).toBe(modulo(value ** BigInt(exponent), prime))
        },
      ),
    )
  })

  test('bytes are read from the most significant one on', () => {
    expect(toBigInt(new Uint8Array())).toBe(0n)
    expect(toBigInt(Uint8Array.of(1, 0))).toBe(256n)
  })
})
