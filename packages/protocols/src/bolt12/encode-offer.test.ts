import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_U64 } from '../bigsize.ts'
import { bytesToHex } from '../hex.ts'
import { publicKey } from '../testing/points.ts'
import type { BlindedPath } from './blinded-path.ts'
import { encodeOffer } from './encode-offer.ts'
import { type OfferFields, parseOffer } from './offer.ts'

const point = fc.constantFrom(...[1, 2, 3, 0x41, 0x42].map(publicKey))
const u64 = fc.bigInt(0n, MAX_U64)
const hex = (bytes: object) => fc.uint8Array(bytes).map(bytesToHex)
/** Scalar values only: a lone surrogate has no UTF-8. */
const text = fc.string({ unit: 'binary', maxLength: 40 })
const blindedPath: fc.Arbitrary<BlindedPath> = fc.record({
  introductionNode: fc.oneof(
    fc.record({ nodeId: point }),
    fc.record({ shortChannelId: u64, direction: fc.constantFrom(0 as const, 1 as const) }),
  ),
  pathKey: point,
  hops: fc.array(fc.record({ blindedNodeId: point, encryptedData: hex({ maxLength: 60 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
})
const unknownTypes = fc
  .oneof(fc.bigInt(0n, 39n), fc.bigInt(500_000_000n, 999_999_999n))
  .map((half) => half * 2n + 1n)

const offerFields: fc.Arbitrary<OfferFields> = fc.record(
  {
    chains: fc.array(hex({ minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: 3 }),
    metadata: hex({ maxLength: 40 }),
    amount: fc.oneof(
      fc.record({ msat: fc.bigInt(1n, MAX_U64) }),
      fc.record({ currency: fc.stringMatching(/^[A-Z]{3}$/), minorUnits: fc.bigInt(1n, MAX_U64) }),
    ),
    features: fc.uint8Array({ maxLength: 20 }).map((bytes) => bytesToHex(bytes.map((byte) => byte & 0xaa))),
    absoluteExpirySeconds: u64,
    paths: fc.array(blindedPath, { minLength: 1, maxLength: 3 }),
    issuer: text,
    quantityMax: u64,
    unknown: fc
      .uniqueArray(fc.record({ type: unknownTypes, value: hex({ maxLength: 10 }) }), {
        minLength: 1,
        maxLength: 4,
        selector: ({ type }) => type,
      })
      .map((records) => records.sort((a, b) => (a.type < b.type ? -1 : 1))),
    description: text,
    issuerId: point,
  },
  { requiredKeys: ['description', 'issuerId'] },
)

test('what was written is read back the same', () => {
  fc.assert(
    fc.property(offerFields, (fields) => {
      const offer = encodeOffer(fields)
      expect(offer).toEqual({ ...fields, text: offer.text })
      expect(parseOffer(offer.text.toUpperCase())).toEqual(offer)
    }),
  )
})

test('a changed offer is refused with a code, or is another offer in its only form', () => {
  const base = encodeOffer({
    amount: { msat: 1n },
    description: 'tea',
    issuerId: publicKey(1),
    paths: [
      {
        introductionNode: { nodeId: publicKey(2) },
        pathKey: publicKey(3),
        hops: [{ blindedNodeId: publicKey(1), encryptedData: 'abcd' }],
      },
    ],
  }).text
  fc.assert(
    fc.property(
      fc.nat(base.length - 1),
      fc.nat(4),
      fc.string({ unit: fc.constantFrom(...'qpzry9x8gf2tvdw0s3jn54khce6mua7l1+ Q\u00e9'), maxLength: 4 }),
      (at, removed, added) => {
        const changed = base.slice(0, at) + added + base.slice(at + removed)
        try {
          const { text, ...fields } = parseOffer(changed)
          expect(encodeOffer(fields).text).toBe(text)
        } catch (error) {
          expect(error).toMatchObject({ name: 'Bolt12Error', code: expect.any(String) })
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('any text at all is refused with a code', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string().map((tail) => `lno1${tail}`),
      ),
      (garbage) => {
        expect(() => parseOffer(garbage)).toThrow(expect.objectContaining({ name: 'Bolt12Error' }))
      },
    ),
  )
})

describe('not written is', () => {
  test.each<[string, OfferFields, string]>([
    [
      'what a reader would refuse',
      { amount: { msat: 1n }, issuerId: publicKey(1) },
      'amount-without-description',
    ],
    ['the amount 0', { amount: { msat: 0n }, description: '', issuerId: publicKey(1) }, 'zero-amount'],
    [
      'an amount above 64 bits',
      { amount: { msat: MAX_U64 + 1n }, description: '', issuerId: publicKey(1) },
      'bad-value',
    ],
    ['malformed hex', { metadata: 'xy', issuerId: publicKey(1) }, 'bad-value'],
    [
      'a field twice',
      {
        issuerId: publicKey(1),
        unknown: [
          { type: 33n, value: '' },
          { type: 33n, value: '' },
        ],
      },
      'not-ascending',
    ],
    [
      'a short channel id above 64 bits',
      {
        paths: [
          {
            introductionNode: { shortChannelId: MAX_U64 + 1n, direction: 0 },
            pathKey: publicKey(1),
            hops: [],
          },
        ],
      },
      'bad-value',
    ],
  ])('%s', (_, fields, code) => {
    expect(() => encodeOffer(fields)).toThrow(expect.objectContaining({ name: 'Bolt12Error', code }))
  })
})
