import { concatBytes } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'
import { hexToBytes } from '../hex.ts'
import { chainHashOf } from '../network.ts'
import { publicKey } from '../testing/points.ts'
import { encodeUtf8 } from '../utf8.ts'
import { OFFER_TYPE, offerChains, parseOffer } from './offer.ts'
import { encodeBolt12String } from './string-format.ts'
import { type TlvRecord, writeTlvStream } from './tlv.ts'

const T = OFFER_TYPE
const ALICE = publicKey(0x41)
const BOB = publicKey(0x42)
const NO_POINT = `02${'00'.repeat(31)}05`

const field = (type: bigint, value: string | Uint8Array): TlvRecord => ({
  type,
  value: typeof value === 'string' ? hexToBytes(value) : value,
})
const issuerId = field(T.issuerId, ALICE)
const description = field(T.description, encodeUtf8('tea'))

/** An offer of exactly these fields, in ascending order, right or wrong. */
function offerOf(...records: TlvRecord[]): string {
  return encodeBolt12String('lno', writeTlvStream(records.sort((a, b) => (a.type < b.type ? -1 : 1))))
}

const path = (first: string, hops = `01${BOB}0002abcd`) =>
  concatBytes(...[first, ALICE, hops].map(hexToBytes))
const BY_CHANNEL = '010000010000020003'

describe('an offer says', () => {
  test('no more than its issuer id', () => {
    const text = offerOf(issuerId)
    expect(parseOffer(text)).toEqual({ text, issuerId: ALICE })
  })

  test.each([
    [
      'its chains',
      [field(T.chains, chainHashOf('regtest') + chainHashOf('signet'))],
      { chains: [chainHashOf('regtest'), chainHashOf('signet')] },
    ],
    ['metadata', [field(T.metadata, '00ff')], { metadata: '00ff' }],
    ['an amount', [field(T.amount, '2710'), description], { amount: { msat: 10_000n }, description: 'tea' }],
    [
      'a price in a currency',
      [field(T.currency, encodeUtf8('USD')), field(T.amount, '64'), description],
      { amount: { currency: 'USD', minorUnits: 100n }, description: 'tea' },
    ],
    ['an empty description', [field(T.description, '')], { description: '' }],
    [
      'a description that begins with a byte order mark',
      [field(T.description, encodeUtf8('\ufefftea'))],
      { description: '\ufefftea' },
    ],
    [
      'odd features',
      [field(T.features, '0800000000000000000000000000')],
      { features: '0800000000000000000000000000' },
    ],
    ['its expiry', [field(T.absoluteExpiry, '7a4a7800')], { absoluteExpirySeconds: 0x7a4a7800n }],
    ['who issues it', [field(T.issuer, encodeUtf8('shop.test'))], { issuer: 'shop.test' }],
    ['that the quantity has no limit', [field(T.quantityMax, '')], { quantityMax: 0n }],
    ['the largest quantity', [field(T.quantityMax, '05')], { quantityMax: 5n }],
    [
      'unknown odd fields',
      [field(33n, '01'), field(1_000_000_033n, '')],
      {
        unknown: [
          { type: 33n, value: '01' },
          { type: 1_000_000_033n, value: '' },
        ],
      },
    ],
    [
      'a path from a node',
      [field(T.paths, path(BOB))],
      {
        paths: [
          {
            introductionNode: { nodeId: BOB },
            pathKey: ALICE,
            hops: [{ blindedNodeId: BOB, encryptedData: 'abcd' }],
          },
        ],
      },
    ],
    [
      'a path from an end of a channel',
      [field(T.paths, path(BY_CHANNEL))],
      {
        paths: [
          {
            introductionNode: { shortChannelId: 0x0000010000020003n, direction: 1 },
            pathKey: ALICE,
            hops: [{ blindedNodeId: BOB, encryptedData: 'abcd' }],
          },
        ],
      },
    ],
  ])('%s', (_, fields, said) => {
    const text = offerOf(...fields, issuerId)
    expect(parseOffer(text)).toEqual({ text, issuerId: ALICE, ...said })
  })

  test('a path instead of its issuer id', () => {
    expect(parseOffer(offerOf(field(T.paths, path(BOB))))).not.toHaveProperty('issuerId')
  })

  test('two paths, of several hops', () => {
    const twoHops = `02${BOB}0000${ALICE}0001ff`
    const { paths } = parseOffer(offerOf(field(T.paths, concatBytes(path(BOB, twoHops), path(BY_CHANNEL)))))
    expect(paths?.map(({ hops }) => hops.map(({ encryptedData }) => encryptedData))).toEqual([
      ['', 'ff'],
      ['abcd'],
    ])
  })
})

describe('refused is', () => {
  test.each([
    ['no field at all', [], 'empty-offer'],
    ['type 0', [field(0n, ''), issuerId], 'type-out-of-range'],
    ['type 80, of invoice requests', [issuerId, field(80n, chainHashOf('bitcoin'))], 'type-out-of-range'],
    ['type 240, a signature', [issuerId, field(240n, '')], 'type-out-of-range'],
    ['type 999999999', [issuerId, field(999_999_999n, '')], 'type-out-of-range'],
    ['type 2000000001', [issuerId, field(2_000_000_001n, '')], 'type-out-of-range'],
    ['unknown even type 78', [issuerId, field(78n, '')], 'unknown-even-type'],
    ['unknown even type 1000000002', [issuerId, field(1_000_000_002n, '')], 'unknown-even-type'],
    ['an empty list of chains', [field(T.chains, ''), issuerId], 'empty-chains'],
    ['chains of 33 bytes', [field(T.chains, '00'.repeat(33)), issuerId], 'bad-length'],
    [
      'a currency without an amount',
      [field(T.currency, encodeUtf8('USD')), description, issuerId],
      'currency-without-amount',
    ],
    [
      'a currency in lower case',
      [field(T.currency, encodeUtf8('usd')), field(T.amount, '01'), description, issuerId],
      'bad-currency',
    ],
    [
      'a currency of four letters',
      [field(T.currency, encodeUtf8('USDT')), field(T.amount, '01'), description, issuerId],
      'bad-currency',
    ],
    [
      'a currency followed by a line break',
      [field(T.currency, encodeUtf8('USD\n')), field(T.amount, '01'), description, issuerId],
      'bad-currency',
    ],
    [
      'a currency that is not UTF-8',
      [field(T.currency, '5553ff'), field(T.amount, '01'), description, issuerId],
      'bad-utf8',
    ],
    ['the amount 0', [field(T.amount, ''), description, issuerId], 'zero-amount'],
    ['an amount with leading zeros', [field(T.amount, '0001'), description, issuerId], 'not-minimal'],
    ['an amount of nine bytes', [field(T.amount, '01'.repeat(9)), description, issuerId], 'bad-length'],
    ['an amount without a description', [field(T.amount, '01'), issuerId], 'amount-without-description'],
    ['a description that is not UTF-8', [field(T.description, 'c3'), issuerId], 'bad-utf8'],
    ['a description with an encoded surrogate', [field(T.description, 'eda080'), issuerId], 'bad-utf8'],
    ['an issuer that is not UTF-8', [field(T.issuer, 'ff'), issuerId], 'bad-utf8'],
    ['feature 0', [field(T.features, '01'), issuerId], 'unknown-even-feature'],
    ['feature 122', [field(T.features, `04${'00'.repeat(15)}`), issuerId], 'unknown-even-feature'],
    ['an expiry with leading zeros', [field(T.absoluteExpiry, '00'), issuerId], 'not-minimal'],
    ['a quantity of nine bytes', [field(T.quantityMax, '01'.repeat(9)), issuerId], 'bad-length'],
    ['neither issuer id nor path', [description], 'no-issuer-id-and-no-paths'],
    ['an issuer id of 32 bytes', [field(T.issuerId, ALICE.slice(0, 64))], 'bad-length'],
    ['an issuer id that is not on the curve', [field(T.issuerId, NO_POINT)], 'bad-point'],
    ['an issuer id with the lead byte 4', [field(T.issuerId, `04${ALICE.slice(2)}`)], 'bad-point'],
    ['an issuer id with x above the prime', [field(T.issuerId, `02${'ff'.repeat(32)}`)], 'bad-point'],
    ['an empty list of paths', [field(T.paths, ''), issuerId], 'empty-paths'],
    ['a path without hops', [field(T.paths, path(BOB, '00'))], 'empty-path'],
    ['a second path without hops', [field(T.paths, concatBytes(path(BOB), path(BOB, '00')))], 'empty-path'],
    ['a path with the lead byte 4', [field(T.paths, path(`04${BOB.slice(2)}`))], 'bad-introduction-node'],
    ['a path whose first node is not on the curve', [field(T.paths, path(NO_POINT))], 'bad-point'],
    [
      'a path whose key is not on the curve',
      [field(T.paths, hexToBytes(`${BOB}${NO_POINT}01${BOB}0000`))],
      'bad-point',
    ],
    ['a hop that is not on the curve', [field(T.paths, path(BOB, `01${NO_POINT}0000`))], 'bad-point'],
    ['a path that ends inside its first node', [field(T.paths, '02')], 'truncated'],
    ['a path that ends inside its channel', [field(T.paths, '00000001')], 'truncated'],
    ['a path that ends before its key', [field(T.paths, BOB)], 'truncated'],
    ['a path that ends before its hops', [field(T.paths, BOB + ALICE)], 'truncated'],
    ['a path that ends inside a hop', [field(T.paths, path(BOB, '01'))], 'truncated'],
    ['a path that ends inside the data of a hop', [field(T.paths, path(BOB, `01${BOB}0002ab`))], 'truncated'],
    ['fewer hops than counted', [field(T.paths, path(BOB, `02${BOB}0000`))], 'truncated'],
  ])('%s', (_, fields, code) => {
    expect(() => parseOffer(offerOf(...fields))).toThrow(
      expect.objectContaining({ name: 'Bolt12Error', code }),
    )
  })
})

test('an offer without chains is for Bitcoin alone', () => {
  expect(offerChains({})).toEqual([chainHashOf('bitcoin')])
  expect(offerChains({ chains: [chainHashOf('regtest')] })).toEqual([chainHashOf('regtest')])
})
