import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, test } from 'vitest'
import { decodeInvoice, type Invoice } from '../bolt11.ts'
import { bytesToHex, hexToBytes } from '../hex.ts'
import { assemble, encodeInvoice, fieldOf, tagged, unsignedWords } from '../testing/bolt11-encoder.ts'
import { encodeUtf8 } from '../utf8.ts'

// The examples of BOLT 11, built from their parts. Signing is deterministic, so the string that the BOLT prints is
// met if and only if its last six characters, the checksum over all the others, are met.
const SECRET_KEY = hexToBytes('e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734')
const PAYEE = '03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad'
const CREATED_AT = 1496314658_000
const HASH = '0001020304050607080900010203040506070809000102030405060708090102'
const SECRET = '11'.repeat(32)
const LIST =
  'One piece of chocolate cake, one icecream cone, one pickle, one slice of swiss cheese, one slice of salami, one lollypop, one piece of cherry pie, one sausage, one cupcake, and one slice of watermelon'
const LIST_HASH = bytesToHex(sha256(encodeUtf8(LIST)))

const s = fieldOf.hex('s', SECRET)
const p = fieldOf.hex('p', HASH)
const h = fieldOf.hex('h', LIST_HASH)
const features = fieldOf.features([8, 14])
const text = (text: string) => fieldOf.description(text)
const ALICE_HINT = [
  {
    nodeId: '029e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255',
    shortChannelId: 0x0102030405060708n,
    feeBaseMsat: 1,
    feeProportionalMillionths: 20,
    cltvExpiryDelta: 3,
  },
  {
    nodeId: '039e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255',
    shortChannelId: 0x030405060708090an,
    feeBaseMsat: 2,
    feeProportionalMillionths: 30,
    cltvExpiryDelta: 4,
  },
]
const STORE_HINT = [
  {
    nodeId: '03d06758583bb5154774a6eb221b1276c9e82d65bbaceca806d90e20c108f4b1c7',
    shortChannelId: (589390n << 40n) | (3312n << 16n) | 1n,
    feeBaseMsat: 1000,
    feeProportionalMillionths: 2500,
    cltvExpiryDelta: 40,
  },
]
const STORE_TEXT =
  'Blockstream Store: 88.85 USD for Blockstream Ledger Nano S x 1, "Back In My Day" Sticker x 2, "I Got Lightning Working" Sticker x 2 and 1 more items'
const STORE_HASH = '462264ede7e14047e9b249da94fefc47f41f7d02ee9b091815a5506bc8abf75f'
const fallback = (version: 'p2pkh' | 'p2sh' | number, program: string) => ({ version, program })
const P2PKH_TESTNET = fallback('p2pkh', '3172b5654f6683c8fb146959d347ce303cae4ca7')
const P2PKH = fallback('p2pkh', '04b61f7dc1ea0dc99424464cc4064dc564d91e89')
const P2SH = fallback('p2sh', '8f55563b9a19f321c211e9b9f38cdf686ea07845')
const P2WPKH = fallback(0, '751e76e8199196d454941c45d1b3a323f1433bd6')
const P2WSH = fallback(0, '1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262')
const P2TR = fallback(1, '0adac43daa9c8a5a68e09ea10692b82226ee190e572db9b90e17a410484ab405')
const zeros = (tag: Parameters<typeof tagged>[0], words: number, lead: number[] = []) =>
  tagged(
    tag,
    Uint8Array.from({ length: words }, (_, at) => lead[at] ?? 0),
  )
const IGNORED = [
  zeros(10, 3),
  zeros('f', 33, [19]),
  ...[51, 53].map((words) => zeros('p', words)),
  ...[51, 53].map((words) => zeros('h', words)),
  ...[51, 53].map((words) => zeros('s', words)),
  ...[52, 54].map((words) => zeros('n', words)),
]

type Example = [
  title: string,
  amountMsat: bigint | null,
  fields: Uint8Array[],
  checksum: string,
  said: Partial<Invoice>,
  other?: { network?: 'testnet'; createdAt?: number },
]

const EXAMPLES: Example[] = [
  [
    'a donation of any amount',
    null,
    [s, p, text('Please consider supporting this project'), features],
    '9lfyql',
    {
      description: { text: 'Please consider supporting this project' },
      minFinalCltvExpiryDelta: 18,
      features: [8, 14],
    },
  ],
  [
    '$3 for a cup of coffee, within one minute',
    250_000_000n,
    [s, p, text('1 cup coffee'), fieldOf.number('x', 60), features],
    'fna3rh',
    { description: { text: '1 cup coffee' }, expiresAt: CREATED_AT + 60_000 },
  ],
  [
    'a cup of nonsense',
    250_000_000n,
    [s, p, text('ナンセンス 1杯'), fieldOf.number('x', 60), features],
    '573dxr',
    { description: { text: 'ナンセンス 1杯' } },
  ],
  [
    'a hashed list of things',
    2_000_000_000n,
    [s, p, h, features],
    '7ynn44',
    { description: { hash: LIST_HASH } },
  ],
  [
    'on testnet, with a P2PKH fallback',
    2_000_000_000n,
    [s, h, p, fieldOf.fallback(P2PKH_TESTNET), features],
    'ghe9k8',
    { network: 'testnet', fallbacks: [P2PKH_TESTNET] },
    { network: 'testnet' },
  ],
  [
    'with a P2PKH fallback and a route hint of two hops',
    2_000_000_000n,
    [s, p, h, fieldOf.fallback(P2PKH), fieldOf.routeHint(ALICE_HINT), features],
    '76cqw0',
    { fallbacks: [P2PKH], routeHints: [ALICE_HINT] },
  ],
  [
    'with a P2SH fallback',
    2_000_000_000n,
    [s, h, p, fieldOf.fallback(P2SH), features],
    'hf75ym',
    { fallbacks: [P2SH] },
  ],
  [
    'with a P2WPKH fallback',
    2_000_000_000n,
    [s, h, p, fieldOf.fallback(P2WPKH), features],
    'mrnsse',
    { fallbacks: [P2WPKH] },
  ],
  [
    'with a P2WSH fallback',
    2_000_000_000n,
    [s, h, p, fieldOf.fallback(P2WSH), features],
    '9yrrwc',
    { fallbacks: [P2WSH] },
  ],
  [
    'with a P2TR fallback',
    2_000_000_000n,
    [s, p, h, fieldOf.fallback(P2TR), features],
    'wmn6xd',
    { fallbacks: [P2TR] },
  ],
  [
    'an amount in picobitcoin',
    967_878_534n,
    [
      fieldOf.hex('p', STORE_HASH),
      text(STORE_TEXT),
      s,
      fieldOf.number('x', 604_800),
      fieldOf.number('c', 10),
      fieldOf.routeHint(STORE_HINT),
      features,
    ],
    'u2v9wz',
    {
      paymentHash: STORE_HASH,
      minFinalCltvExpiryDelta: 10,
      routeHints: [STORE_HINT],
      expiresAt: 1573073503_000,
    },
    { createdAt: 1572468703_000 },
  ],
  [
    'coffee beans, with the unknown odd feature 99',
    2_500_000_000n,
    [p, text('coffee beans'), s, fieldOf.features([8, 14, 99])],
    'z3uapa',
    { features: [8, 14, 99] },
  ],
  [
    'coffee beans, with fields which must be ignored',
    2_500_000_000n,
    [p, text('coffee beans'), s, fieldOf.features([8, 14, 99]), ...IGNORED],
    'zn8z9x',
    { description: { text: 'coffee beans' }, fallbacks: [] },
  ],
  [
    'payment metadata',
    1_000_000_000n,
    [p, text('payment metadata inside'), fieldOf.hex('m', '01fafaf0'), s, fieldOf.features([8, 14, 48])],
    'd05wjc',
    { metadata: '01fafaf0', features: [8, 14, 48] },
  ],
]

describe('BOLT 11 publishes', () => {
  test.each(EXAMPLES)('%s', (_, amountMsat, fields, checksum, said, other) => {
    const encoded = encodeInvoice({
      network: 'bitcoin',
      createdAt: CREATED_AT,
      ...other,
      ...(amountMsat !== null && { amountMsat }),
      fields,
      secretKey: SECRET_KEY,
    })
    expect(encoded.slice(-6)).toBe(checksum)
    const invoice = decodeInvoice(encoded)
    expect(invoice).toMatchObject({
      paymentHash: HASH,
      paymentSecret: SECRET,
      payee: PAYEE,
      text: encoded,
      ...said,
    })
    expect(invoice.amountMsat ?? null).toBe(amountMsat)
    expect(decodeInvoice(encoded.toUpperCase())).toEqual(invoice)
  })

  test('a high-S signature from which another public key is recovered', () => {
    const words = unsignedWords({ createdAt: CREATED_AT, fields: EXAMPLES[0]![2], secretKey: SECRET_KEY })
    const signature = hexToBytes(
      '8d3ce9e28357337f62da0162d9454df827f83cfe499aeb1c1db349d4d8112742a1bcb35d66d6bf93dc445e51753935cc32a3a411efd8a7c7bd85b25815a01b5001',
    )
    const encoded = assemble('lnbc', words, signature)
    expect(encoded.slice(-6)).toBe('rc90gx')
    expect(decodeInvoice(encoded).payee).not.toBe(PAYEE)
  })
})
