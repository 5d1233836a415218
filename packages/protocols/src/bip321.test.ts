import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BitcoinUri, formatBitcoinUri, parseBitcoinUri, unifiedUri, uriForQr } from './bip321.ts'

const ADDRESS = '175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W'
const uri = (parts: Partial<BitcoinUri>): BitcoinUri => ({
  address: '',
  offers: [],
  invoices: [],
  others: [],
  ...parts,
})

describe('read is', () => {
  test.each<[string, Partial<BitcoinUri>]>([
    [`bitcoin:${ADDRESS}`, { address: ADDRESS }],
    [`BitCoin:${ADDRESS}?`, { address: ADDRESS }],
    [
      `bitcoin:${ADDRESS}?amount=20.3&label=Luke-Jr`,
      { address: ADDRESS, amountMsat: 2_030_000_000_000n, label: 'Luke-Jr' },
    ],
    [
      `bitcoin:${ADDRESS}?message=Donation%20for%20project%20xyz`,
      { address: ADDRESS, message: 'Donation for project xyz' },
    ],
    ['bitcoin:?lno=lno1bogus', { offers: ['lno1bogus'] }],
    ['BITCOIN:?LNO=LNO1BOGUS', { offers: ['LNO1BOGUS'] }],
    ['bitcoin:?lno=one&LNO=two&lno=three', { offers: ['one', 'two', 'three'] }],
    ['bitcoin:?lightning=lnbc1&lightning=lnbc2', { invoices: ['lnbc1', 'lnbc2'] }],
    ['bitcoin:?lno=lno1x&sp=sp1q', { offers: ['lno1x'], others: [{ key: 'sp', value: 'sp1q' }] }],
    [
      'bitcoin:?BC=BC1Q&bc=bc1p',
      {
        others: [
          { key: 'bc', value: 'BC1Q' },
          { key: 'bc', value: 'bc1p' },
        ],
      },
    ],
    ['bitcoin:?tb=tb1q', { others: [{ key: 'tb', value: 'tb1q' }] }],
    [
      `bitcoin:${ADDRESS}?unheard=50&of`,
      {
        address: ADDRESS,
        others: [
          { key: 'unheard', value: '50' },
          { key: 'of', value: '' },
        ],
      },
    ],
    ['bitcoin:?lno=x&&', { offers: ['x'] }],
    ['bitcoin:?lno=x&label', { offers: ['x'], label: '' }],
    ['bitcoin:?lightning=x&pop=callbackuri%3abody%3fpop=', { invoices: ['x'] }],
    ['bitcoin:?lno=x&label=a+b', { offers: ['x'], label: 'a+b' }],
    ['bitcoin:?lno=x&label=%E2%82%BF', { offers: ['x'], label: '₿' }],
    ['bitcoin:?%6Cno=x', { offers: ['x'] }],
  ])('%s', (text, parts) => {
    expect(parseBitcoinUri(text)).toEqual(uri(parts))
  })
})

describe('the amount', () => {
  test.each([
    ['50', 5_000_000_000_000n],
    ['50.00', 5_000_000_000_000n],
    ['50.', 5_000_000_000_000n],
    ['.5', 50_000_000_000n],
    ['0.00000001', 1000n],
    ['0.00000000001', 1n],
    ['21000000', 2_100_000_000_000_000_000n],
    ['21000000.00000000000', 2_100_000_000_000_000_000n],
  ])('%s is %d msat', (amount, amountMsat) => {
    expect(parseBitcoinUri(`bitcoin:?lno=x&amount=${amount}`).amountMsat).toBe(amountMsat)
  })

  test.each([
    '',
    '.',
    '0',
    '0.0',
    '-1',
    '+1',
    '1,5',
    '50,000.00',
    '1e3',
    '0x10',
    '1.2.3',
    '0.000000000001',
    '21000000.00000000001',
    '123456789',
    '%31x',
  ])('%s is refused', (amount) => {
    expect(() => parseBitcoinUri(`bitcoin:?lno=x&amount=${amount}`)).toThrow(
      expect.objectContaining({ code: 'bad-amount' }),
    )
  })
})

describe('refused is', () => {
  test.each([
    ['nothing', '', 'bad-scheme'],
    ['another scheme', 'lightning:lnbc1', 'bad-scheme'],
    ['a scheme without a colon', 'bitcoin', 'bad-scheme'],
    ['whitespace before the scheme', ' bitcoin:?lno=x', 'bad-scheme'],
    ['an authority', 'bitcoin://abc', 'bad-address'],
    ['an encoded address', 'bitcoin:%31abc', 'bad-address'],
    ['a quoted TXT record', 'bitcoin:lno1x"', 'bad-address'],
    ['a URI with no instruction', 'bitcoin:', 'no-instruction'],
    ['a URI with a label alone', 'bitcoin:?label=x', 'no-instruction'],
    ['two labels', 'bitcoin:?lno=x&label=Luke-Jr&label=Matt', 'duplicate-key'],
    ['two labels in other case', 'bitcoin:?lno=x&label=Luke-Jr&LABEL=Luke-Jr', 'duplicate-key'],
    ['two messages', 'bitcoin:?lno=x&message=a&message=b', 'duplicate-key'],
    ['two equal amounts', 'bitcoin:?lno=x&amount=42&amount=42', 'duplicate-key'],
    ['two pop', 'bitcoin:?lno=x&pop=a%3a&pop=b%3a', 'duplicate-key'],
    ['req-pop, because we open none', 'bitcoin:?lno=x&req-pop=a%3a', 'unknown-required-key'],
    ['an unknown required key', 'bitcoin:?lno=x&req-something=50', 'unknown-required-key'],
    ['an unknown required key in upper case', 'BITCOIN:?LNO=X&REQ-SOMETHING=50', 'unknown-required-key'],
    ['an unknown required key in disguise', 'bitcoin:?lno=x&%72eq-something=50', 'unknown-required-key'],
    ['a testnet address under bc', 'bitcoin:?bc=tb1q', 'wrong-network'],
    ['a mainnet address under tb', 'bitcoin:?tb=bc1q', 'wrong-network'],
    ['a parameter without a key', 'bitcoin:?=x', 'empty-key'],
    ['a space', 'bitcoin:?lno=x&label=a b', 'bad-character'],
    ['a fragment', 'bitcoin:?lno=x#y', 'bad-character'],
    ['a letter outside of ASCII', 'bitcoin:?lno=x&label=ä', 'bad-character'],
    ['a line break at the end', 'bitcoin:?lno=x\n', 'bad-character'],
    ['a lone percent sign', 'bitcoin:?lno=x&label=100%', 'bad-percent-encoding'],
    ['a percent sign and one digit', 'bitcoin:?lno=x&label=%4', 'bad-percent-encoding'],
    ['a percent sign and letters', 'bitcoin:?lno=x&label=%zz', 'bad-percent-encoding'],
    ['bytes that are not UTF-8', 'bitcoin:?lno=x&label=%ff', 'bad-percent-encoding'],
    ['a URI of 16,385 characters', `bitcoin:?lno=${'x'.repeat(16_372)}`, 'too-long'],
  ])('%s', (_, text, code) => {
    expect(() => parseBitcoinUri(text)).toThrow(expect.objectContaining({ name: 'Bip321Error', code }))
  })
})

describe('written is', () => {
  test.each<[string, BitcoinUri]>([
    ['bitcoin:?lno=lno1x', uri({ offers: ['lno1x'] })],
    ['bitcoin:abc', uri({ address: 'abc' })],
    [
      'bitcoin:abc?amount=0.5&label=a%20%26%20b&message=%C3%A4&lno=x&lightning=y&sp=z',
      uri({
        address: 'abc',
        amountMsat: 50_000_000_000n,
        label: 'a & b',
        message: 'ä',
        offers: ['x'],
        invoices: ['y'],
        others: [{ key: 'sp', value: 'z' }],
      }),
    ],
  ])('%s', (text, value) => {
    expect(formatBitcoinUri(value)).toBe(text)
  })

  test.each([
    ['nothing to pay to', uri({}), 'no-instruction'],
    ['the amount 0', uri({ address: 'a', amountMsat: 0n }), 'bad-amount'],
    ['a negative amount', uri({ address: 'a', amountMsat: -1n }), 'bad-amount'],
    ['an address that would be a query', uri({ address: 'a?b' }), 'not-faithful'],
    ['a required key', uri({ others: [{ key: 'req-x', value: '' }] }), 'unknown-required-key'],
    ['a key in upper case', uri({ others: [{ key: 'SP', value: '' }] }), 'not-faithful'],
    ['a key of its own field', uri({ others: [{ key: 'lno', value: '' }] }), 'not-faithful'],
    ['a lone surrogate', uri({ address: 'a', label: '\ud800' }), 'not-faithful'],
  ])('never %s', (_, value, code) => {
    expect(() => formatBitcoinUri(value)).toThrow(expect.objectContaining({ name: 'Bip321Error', code }))
  })
})

const text = fc.string({ unit: 'binary', maxLength: 20 })
const key = fc
  .stringMatching(/^[a-z0-9]{1,8}$/)
  .filter((key) => !/^(amount|label|message|pop|lno|lightning|bc|tb)$/.test(key))

test('what was written is read back the same', () => {
  fc.assert(
    fc.property(
      fc.record(
        {
          address: fc.stringMatching(/^[a-zA-Z0-9]{1,10}$/),
          offers: fc.array(text, { maxLength: 3 }),
          invoices: fc.array(text, { maxLength: 3 }),
          others: fc.array(fc.record({ key, value: text }), { maxLength: 3 }),
          amountMsat: fc.bigInt(1n, 2_100_000_000_000_000_000n),
          label: text,
          message: text,
        },
        { requiredKeys: ['address', 'offers', 'invoices', 'others'] },
      ),
      (value) => {
        expect(parseBitcoinUri(formatBitcoinUri(value))).toEqual(value)
      },
    ),
  )
})

test('any text is refused with a code, or read as a value that can be written', () => {
  const parts = fc.constantFrom(
    'lno=',
    'lightning=',
    'amount=',
    'label=',
    '&',
    '%4',
    '%41',
    '%',
    'req-',
    '1',
    '.',
    'x',
    'ä',
    '=',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(parts, fc.string({ maxLength: 3 }))), (tail) => {
      try {
        const value = parseBitcoinUri(`bitcoin:?${tail.join('')}`)
        expect(parseBitcoinUri(formatBitcoinUri(value))).toEqual(value)
      } catch (error) {
        expect(error).toMatchObject({ name: 'Bip321Error', code: expect.any(String) })
      }
    }),
    { numRuns: 500 },
  )
})

describe('a unified URI', () => {
  test.each<[string, Parameters<typeof unifiedUri>[0]]>([
    ['bitcoin:?lno=lno1x', { offer: 'lno1x' }],
    ['bitcoin:?lightning=lnbc1y', { invoice: 'lnbc1y' }],
    [
      'bitcoin:?amount=0.00000001&label=alice%40shop.test&lno=lno1x&lightning=lnbc1y',
      { offer: 'lno1x', invoice: 'lnbc1y', amountMsat: 1_000n, label: 'alice@shop.test' },
    ],
  ])('is %s', (text, parts) => {
    expect(unifiedUri(parts)).toBe(text)
  })

  test('needs something to pay to', () => {
    expect(() => unifiedUri({ amountMsat: 1n })).toThrow(expect.objectContaining({ code: 'no-instruction' }))
  })
})

describe('for a QR code', () => {
  test.each([
    ['bitcoin:?lno=lno1qx', 'BITCOIN:?LNO=LNO1QX'],
    ['bitcoin:?lightning=lnbc1y&amount=0.5', 'BITCOIN:?AMOUNT=0.5&LIGHTNING=LNBC1Y'],
    ['bitcoin:bc1qx?lno=lno1qx', 'BITCOIN:BC1QX?LNO=LNO1QX'],
    [`bitcoin:${ADDRESS}`, `BITCOIN:${ADDRESS}`],
    [`bitcoin:${ADDRESS}?lno=lno1qx`, `BITCOIN:${ADDRESS}?LNO=LNO1QX`],
    ['bitcoin:?lno=lno1qx&label=Bob%20%26%20Co', 'BITCOIN:?LABEL=Bob%20%26%20Co&LNO=LNO1QX'],
    ['bitcoin:?lno=lno1qx&message=lno1qx', 'BITCOIN:?MESSAGE=lno1qx&LNO=LNO1QX'],
    ['bitcoin:?bc=bc1qx&sp=sp1qx&unheard=bc1qx', 'BITCOIN:?BC=BC1QX&SP=SP1QX&UNHEARD=bc1qx'],
    ['bitcoin:?lno=lno1Qx', 'BITCOIN:?LNO=lno1Qx'],
  ])('%s becomes %s, and means the same', (text, capitals) => {
    expect(uriForQr(text)).toBe(capitals)
    const lower = (uri: BitcoinUri) =>
      JSON.stringify({ ...uri, amountMsat: `${uri.amountMsat}` }).toLowerCase()
    expect(lower(parseBitcoinUri(capitals))).toBe(lower(parseBitcoinUri(text)))
    expect(parseBitcoinUri(capitals).label).toBe(parseBitcoinUri(text).label)
  })
})
