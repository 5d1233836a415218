import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { signedHash } from './bolt11/signature.ts'
import { decodeInvoice } from './bolt11.ts'
import { bytesToHex } from './hex.ts'
import { assemble, encodeInvoice, fieldOf, tagged, unsignedWords } from './testing/bolt11-encoder.ts'
import { publicKey, secretKey } from './testing/points.ts'

const HASH = 'aa'.repeat(32)
const SECRET = 'bb'.repeat(32)
const CREATED_AT = 1_800_000_000_000
const NO_POINT = `02${'00'.repeat(31)}05`

const p = fieldOf.hex('p', HASH)
const s = fieldOf.hex('s', SECRET)
const d = fieldOf.description('tea')
const features = fieldOf.features([9, 14])
const BASE = [p, s, d, features]
const HOP = {
  nodeId: publicKey(2),
  shortChannelId: 1n,
  feeBaseMsat: 1,
  feeProportionalMillionths: 2,
  cltvExpiryDelta: 3,
}

const signed = (fields: Uint8Array[], prefix?: string) =>
  encodeInvoice({ fields, secretKey: secretKey(1), createdAt: CREATED_AT }, prefix)

test('an invoice says what it was made of', () => {
  const text = signed(BASE)
  expect(decodeInvoice(text)).toEqual({
    text,
    network: 'regtest',
    createdAt: CREATED_AT,
    expiresAt: CREATED_AT + 3_600_000,
    paymentHash: HASH,
    paymentSecret: SECRET,
    payee: publicKey(1),
    description: { text: 'tea' },
    minFinalCltvExpiryDelta: 18,
    features: [9, 14],
    fallbacks: [],
    routeHints: [],
  })
})

describe('the prefix', () => {
  test.each([
    ['lnbc', 'bitcoin', undefined],
    ['lntb', 'testnet', undefined],
    ['lntbs', 'signet', undefined],
    ['lnbcrt', 'regtest', undefined],
    ['lnbc1', 'bitcoin', 100_000_000_000n],
    ['lnbcrt1m', 'regtest', 100_000_000n],
    ['lntbs1u', 'signet', 100_000n],
    ['lntb1n', 'testnet', 100n],
    ['lnbc10p', 'bitcoin', 1n],
    ['lnbc1000000u', 'bitcoin', 100_000_000_000n],
    ['lnbc21000000', 'bitcoin', 2_100_000_000_000_000_000n],
    ['lnbc20999999999999999990p', 'bitcoin', 2_099_999_999_999_999_999n],
  ])('%s is read', (prefix, network, amountMsat) => {
    const invoice = decodeInvoice(signed(BASE, prefix))
    expect([invoice.network, invoice.amountMsat]).toEqual([network, amountMsat])
  })

  test.each([
    ['lnltc', 'unknown-network'],
    ['lntx1u', 'unknown-network'],
    ['bc', 'unknown-network'],
    ['lno', 'unknown-network'],
    ['lnbc0', 'bad-amount'],
    ['lnbc0u', 'bad-amount'],
    ['lnbc01u', 'bad-amount'],
    ['lnbc-1u', 'bad-amount'],
    ['lnbc1.5u', 'bad-amount'],
    ['lnbc1x', 'bad-amount'],
    ['lnbcu', 'bad-amount'],
    ['lnbc1uu', 'bad-amount'],
    ['lnbc2500000001p', 'bad-amount'],
    ['lnbc21000001', 'bad-amount'],
    ['lnbc21000000000000000010p', 'bad-amount'],
    ['lnbc100000000000000000000p', 'bad-amount'],
  ])('%s is refused as %s', (prefix, code) => {
    expect(() => decodeInvoice(signed(BASE, prefix))).toThrow(
      expect.objectContaining({ name: 'Bolt11Error', code }),
    )
  })
})

describe('the fields', () => {
  test('of every known kind are read', () => {
    const fallbacks = [
      { version: 'p2pkh', program: '00'.repeat(20) },
      { version: 'p2sh', program: '11'.repeat(20) },
      { version: 16, program: 'abcd' },
    ] as const
    const invoice = decodeInvoice(
      signed([
        p,
        s,
        fieldOf.hex('h', HASH),
        fieldOf.hex('m', 'c0ffee'),
        fieldOf.hex('n', publicKey(1)),
        fieldOf.number('x', 86_400),
        fieldOf.number('c', 288),
        fieldOf.features([8, 14, 16, 25, 36, 48, 101]),
        ...fallbacks.map(fieldOf.fallback),
        fieldOf.routeHint([HOP]),
        fieldOf.routeHint([HOP, { ...HOP, nodeId: publicKey(3) }]),
      ]),
    )
    expect(invoice).toMatchObject({
      description: { hash: HASH },
      metadata: 'c0ffee',
      payee: publicKey(1),
      expiresAt: CREATED_AT + 86_400_000,
      minFinalCltvExpiryDelta: 288,
      features: [8, 14, 16, 25, 36, 48, 101],
      fallbacks,
      routeHints: [[HOP], [HOP, { ...HOP, nodeId: publicKey(3) }]],
    })
  })

  test.each([
    ['an unknown one', tagged(2, Uint8Array.of(1, 2, 3))],
    ['a fallback of an unknown version', tagged('f', Uint8Array.of(19, 1))],
    ['a payment hash of another length', tagged('p', new Uint8Array(51))],
    ['a payment secret of another length', tagged('s', new Uint8Array(53))],
    ['a description hash of another length', tagged('h', new Uint8Array(53))],
    ['a payee of another length', tagged('n', new Uint8Array(52))],
  ])('are skipped when they are %s', (_, extra) => {
    expect(decodeInvoice(signed([...BASE, extra])).payee).toBe(publicKey(1))
  })

  test.each([
    ['without a payment hash', [s, d, features], 'missing-payment-hash'],
    [
      'with a payment hash of another length alone',
      [tagged('p', new Uint8Array(51)), s, d],
      'missing-payment-hash',
    ],
    ['without a payment secret', [p, d, features], 'missing-payment-secret'],
    ['without a description', [p, s, features], 'missing-description'],
    ['with a description and its hash', [...BASE, fieldOf.hex('h', HASH)], 'two-descriptions'],
    ['with two payment hashes', [...BASE, p], 'duplicate-field'],
    ['with two payment secrets', [...BASE, s], 'duplicate-field'],
    ['with two descriptions', [...BASE, d], 'duplicate-field'],
    ['with two expiries', [...BASE, fieldOf.number('x', 1), fieldOf.number('x', 2)], 'duplicate-field'],
    ['with a description that is not UTF-8', [p, s, fieldOf.hex('d' as 'm', 'c3')], 'bad-utf8'],
    ['with a description of five bits', [p, s, tagged('d', Uint8Array.of(0))], 'bad-padding'],
    ['with bits after its payment hash', [s, d, tagged('p', new Uint8Array(52).fill(1, 51))], 'bad-padding'],
    ['with a payee that is not on the curve', [...BASE, fieldOf.hex('n', NO_POINT)], 'bad-payee'],
    ['with feature 100', [p, s, d, fieldOf.features([8, 14, 100])], 'unknown-even-feature'],
    ['with feature 0', [p, s, d, fieldOf.features([0, 14])], 'unknown-even-feature'],
    [
      'with basic_mpp but no payment_secret',
      [p, s, d, fieldOf.features([9, 17])],
      'missing-feature-dependency',
    ],
    ['with leading zeros in its features', [p, s, d, tagged('9', Uint8Array.of(0, 16, 8, 0))], 'not-minimal'],
    ['with leading zeros in its expiry', [...BASE, tagged('x', Uint8Array.of(0, 1))], 'not-minimal'],
    ['with leading zeros in its final CLTV', [...BASE, tagged('c', Uint8Array.of(0, 1))], 'not-minimal'],
    [
      'with an expiry beyond all clocks',
      [...BASE, tagged('x', new Uint8Array(20).fill(31))],
      'number-too-large',
    ],
    ['with an empty fallback', [...BASE, tagged('f', new Uint8Array())], 'bad-fallback'],
    [
      'with a P2WSH fallback of 31 bytes',
      [...BASE, fieldOf.fallback({ version: 0, program: '00'.repeat(31) })],
      'bad-fallback',
    ],
    [
      'with a P2PKH fallback of 21 bytes',
      [...BASE, fieldOf.fallback({ version: 'p2pkh', program: '00'.repeat(21) })],
      'bad-fallback',
    ],
    [
      'with a witness program of one byte',
      [...BASE, fieldOf.fallback({ version: 1, program: '00' })],
      'bad-fallback',
    ],
    [
      'with a witness program of 41 bytes',
      [...BASE, fieldOf.fallback({ version: 2, program: '00'.repeat(41) })],
      'bad-fallback',
    ],
    ['with bits after its fallback', [...BASE, tagged('f', Uint8Array.of(1, 0, 0, 0, 1))], 'bad-fallback'],
    ['with an empty route hint', [...BASE, tagged('r', new Uint8Array())], 'bad-route-hint'],
    ['with half a route hint', [...BASE, fieldOf.hex('r' as 'm', '00'.repeat(50))], 'bad-route-hint'],
    [
      'with a route hint off the curve',
      [...BASE, fieldOf.routeHint([{ ...HOP, nodeId: NO_POINT }])],
      'bad-route-hint',
    ],
    ['with a field beyond the end', [...BASE, Uint8Array.of(2, 0, 5, 1)], 'truncated'],
    ['with half a field head', [...BASE, Uint8Array.of(2, 0)], 'truncated'],
  ])('are refused %s', (_, fields, code) => {
    expect(() => decodeInvoice(signed(fields))).toThrow(
      expect.objectContaining({ name: 'Bolt11Error', code }),
    )
  })
})

describe('the string', () => {
  const text = signed(BASE)
  const last = text.at(-1) === 'q' ? 'p' : 'q'
  test.each([
    ['with a wrong checksum', text.slice(0, -1) + last, 'bad-bech32'],
    ['in mixed case', `L${text.slice(1)}`, 'bad-bech32'],
    ['without a separator', text.replaceAll('1', 'q'), 'bad-bech32'],
    ['with whitespace around', ` ${text}`, 'bad-bech32'],
    ['that is empty', '', 'bad-bech32'],
    [
      'too short for a signature',
      assemble('lnbcrt', unsignedWords({ fields: [], secretKey: secretKey(1) }), new Uint8Array(64)),
      'truncated',
    ],
    ['of 7090 characters', 'q'.repeat(7090), 'too-long'],
  ])('%s is refused', (_, wrong, code) => {
    expect(() => decodeInvoice(wrong)).toThrow(expect.objectContaining({ name: 'Bolt11Error', code }))
  })

  test('in upper case is the same invoice', () => {
    expect(decodeInvoice(text.toUpperCase())).toEqual(decodeInvoice(text))
  })
})

const hash32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex)

test('what was signed is read back the same', () => {
  fc.assert(
    fc.property(
      fc.record({
        network: fc.constantFrom('bitcoin', 'testnet', 'signet', 'regtest'),
        amountMsat: fc.bigInt(1n, 2_100_000_000_000_000_000n),
        createdAt: fc.nat(2 ** 31).map((seconds) => seconds * 1000),
        paymentHash: hash32,
        paymentSecret: hash32,
        text: fc.string({ unit: 'binary', maxLength: 100 }),
        expirySeconds: fc.nat(),
        cltv: fc.nat(10_000),
        key: fc.integer({ min: 1, max: 200 }),
      }),
      ({ network, amountMsat, createdAt, paymentHash, paymentSecret, text, expirySeconds, cltv, key }) => {
        const fields = [
          fieldOf.hex('p', paymentHash),
          fieldOf.hex('s', paymentSecret),
          fieldOf.description(text),
          fieldOf.number('x', expirySeconds),
          fieldOf.number('c', cltv),
        ]
        expect(
          decodeInvoice(encodeInvoice({ network, amountMsat, createdAt, fields, secretKey: secretKey(key) })),
        ).toMatchObject({
          network,
          amountMsat,
          createdAt,
          expiresAt: createdAt + expirySeconds * 1000,
          paymentHash,
          paymentSecret,
          description: { text },
          minFinalCltvExpiryDelta: cltv,
          payee: publicKey(key),
        })
      },
    ),
    { numRuns: 50 },
  )
})

test('a changed invoice with a right checksum is refused with a code, or has another payee', () => {
  const words = unsignedWords({ fields: [...BASE, fieldOf.routeHint([HOP])], secretKey: secretKey(1) })
  const signature = secp256k1.sign(signedHash('lnbcrt', words), secretKey(1), {
    prehash: false,
    format: 'recovered',
  })
  fc.assert(
    fc.property(fc.nat(words.length - 1), fc.integer({ min: 1, max: 31 }), (at, flip) => {
      const changed = words.map((word, index) => (index === at ? word ^ flip : word))
      try {
        const invoice = decodeInvoice(
          assemble('lnbcrt', changed, Uint8Array.of(...signature.subarray(1), signature[0]!)),
        )
        expect(invoice.payee).not.toBe(publicKey(1))
      } catch (error) {
        expect(error).toMatchObject({ name: 'Bolt11Error', code: expect.any(String) })
      }
    }),
    { numRuns: 300 },
  )
})

test('any text at all is refused with a code', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string().map((tail) => `lnbc1${tail}`),
      ),
      (garbage) => {
        expect(() => decodeInvoice(garbage)).toThrow(expect.objectContaining({ name: 'Bolt11Error' }))
      },
    ),
  )
})
