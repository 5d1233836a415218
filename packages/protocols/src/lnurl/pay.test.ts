import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Invoice } from '../bolt11.ts'
import { publicKey } from '../testing/points.ts'
import { metadataHash, readMetadata, writeMetadata } from './metadata.ts'
import { checkPayInvoice, lengthOf, makePayCallback, type PayOrder, readPayCallback } from './pay-callback.ts'
import { type PayRequestAnswer, readPayRequest } from './pay-request.ts'
import { readVerifyAnswer } from './pay-verify.ts'
import { type PayerDataWish, readPayerData } from './payer-data.ts'

const METADATA = '[["text/plain","Pay alice"],["text/identifier","alice@shop.example"]]'
const answer: PayRequestAnswer = {
  tag: 'payRequest',
  callback: 'https://pay.shop.example/lnurlp/alice?x=1',
  minSendable: 1_000,
  maxSendable: 100_000,
  metadata: METADATA,
  commentAllowed: 5,
  payerData: { name: { mandatory: false }, pubkey: { mandatory: false } },
}
const request = readPayRequest(answer)
const failing = (code: string) => expect.objectContaining({ name: 'LnurlError', code })

describe('metadata', () => {
  test('is written so that it is read back, and its hash is that of its bytes', () => {
    const value = { description: 'Pay alice', identifier: 'alice@shop.example' }
    expect(writeMetadata(value)).toBe(METADATA)
    expect(readMetadata(METADATA)).toEqual(value)
    expect(readMetadata(writeMetadata({ description: 'x' }))).toEqual({ description: 'x' })
    // printf '%s' '[["text/plain","ä"]]' | sha256sum
    expect(metadataHash('[["text/plain","ä"]]')).toBe(
      '3655cf176226a55f06cea0db45b63d0aa9b04df567b9ca0fbb4fe76e34cbd329',
    )
  })

  test('may hold entries of types that we do not know, and an e-mail address', () => {
    const raw = '[["text/plain","x"],["text/email","a@b.example"],["image/png;base64","AA"],["new",{"a":1}]]'
    expect(readMetadata(raw)).toEqual({ description: 'x', identifier: 'a@b.example' })
  })

  test.each([
    'nonsense',
    '{}',
    '"text"',
    '[]',
    '["text/plain"]',
    '[[1,"x"]]',
    '[["text/plain",1]]',
    '[["text/plain","a"],["text/plain","b"]]',
  ])('%s is refused', (raw) => {
    expect(() => readMetadata(raw)).toThrow(failing('bad-answer'))
  })
})

describe('the first answer', () => {
  test('is read', () => {
    expect(request).toEqual({
      callback: answer.callback,
      minMsat: 1_000n,
      maxMsat: 100_000n,
      rawMetadata: METADATA,
      description: 'Pay alice',
      identifier: 'alice@shop.example',
      commentAllowed: 5,
      payerData: answer.payerData,
      zapPubkey: null,
    })
  })

  test('without extras has no comment and takes no payer data', () => {
    const { commentAllowed: _, payerData: __, ...bare } = answer
    expect(readPayRequest(bare)).toMatchObject({ commentAllowed: 0, payerData: null })
  })

  test.each([
    [{ allowsNostr: true, nostrPubkey: 'ab'.repeat(32) }, 'ab'.repeat(32)],
    [{ allowsNostr: true }, null],
    [{ allowsNostr: true, nostrPubkey: 'npub1xyz' }, null],
    [{ nostrPubkey: 'ab'.repeat(32) }, null],
  ])('with %j is zapped by %s', (more, zapPubkey) => {
    expect(readPayRequest({ ...answer, ...more }).zapPubkey).toBe(zapPubkey)
  })

  test.each<[string, unknown, string]>([
    ['no object', 'hello', 'bad-answer'],
    ['an array', [], 'bad-answer'],
    ['a refusal', { status: 'ERROR', reason: 'closed' }, 'refused'],
    ['a refusal in small letters and without a reason', { status: 'error' }, 'refused'],
    ['another tag', { ...answer, tag: 'withdrawRequest' }, 'bad-answer'],
    ['a callback without TLS', { ...answer, callback: 'http://pay.shop.example/' }, 'bad-url'],
    ['a callback that is no text', { ...answer, callback: 7 }, 'bad-answer'],
    ['minSendable 0', { ...answer, minSendable: 0 }, 'bad-answer'],
    ['minSendable above maxSendable', { ...answer, minSendable: 100_001 }, 'bad-answer'],
    ['half a millisatoshi', { ...answer, maxSendable: 1_000.5 }, 'bad-answer'],
    ['an amount as text', { ...answer, maxSendable: '1000' }, 'bad-answer'],
    ['more than JSON holds exactly', { ...answer, maxSendable: 2 ** 53 }, 'bad-answer'],
    ['a negative comment length', { ...answer, commentAllowed: -1 }, 'bad-answer'],
    ['metadata that are not a string', { ...answer, metadata: [['text/plain', 'x']] }, 'bad-answer'],
    ['payer data that are no object', { ...answer, payerData: [] }, 'bad-answer'],
    ['a wish that we cannot meet', { ...answer, payerData: { auth: { mandatory: true } } }, 'not-allowed'],
  ])('%s is refused', (_, value, code) => {
    expect(() => readPayRequest(value)).toThrow(failing(code))
  })

  test('may name a callback without TLS on a devnet only', () => {
    const local = { ...answer, callback: 'http://127.0.0.1:3141/x' }
    expect(readPayRequest(local, { allowHttp: true }).callback).toBe(local.callback)
  })

  test('a wish that is not mandatory and that we do not know is not met', () => {
    const wish = { email: { mandatory: false }, name: { mandatory: true } }
    expect(readPayRequest({ ...answer, payerData: wish }).payerData).toEqual({ name: { mandatory: true } })
  })
})

describe('a callback', () => {
  test('keeps the query of its address and commits to metadata and payer data', () => {
    const order: PayOrder = { amountMsat: 2_000n, comment: 'für 1', payerData: { name: 'Bob & Co' } }
    const { url, ...agreed } = makePayCallback(request, order)
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      x: '1',
      amount: '2000',
      comment: 'für 1',
      payerdata: '{"name":"Bob & Co"}',
    })
    const descriptionHash = metadataHash(`${METADATA}{"name":"Bob & Co"}`)
    expect(agreed).toEqual({ amountMsat: 2_000n, descriptionHash })
    expect(metadataHash(METADATA, '{"name":"Bob & Co"}')).toBe(descriptionHash)
  })

  test('without payer data commits to the metadata alone', () => {
    const { url, descriptionHash } = makePayCallback(request, { amountMsat: 1_000n })
    expect(url).toBe('https://pay.shop.example/lnurlp/alice?x=1&amount=1000')
    expect(descriptionHash).toBe(metadataHash(METADATA))
  })

  test('a comment is counted in characters', () => {
    expect(lengthOf('👩‍🌾')).toBe(3)
    expect(() => makePayCallback(request, { amountMsat: 1_000n, comment: '🥕🥕🥕🥕🥕' })).not.toThrow()
  })

  const { payerData: _, ...incurious } = answer
  test.each<[string, object, PayOrder]>([
    ['too little', answer, { amountMsat: 999n }],
    ['too much', answer, { amountMsat: 100_001n }],
    ['too long a comment', answer, { amountMsat: 1_000n, comment: '123456' }],
    [
      'payer data that were not asked for',
      answer,
      { amountMsat: 1_000n, payerData: { identifier: 'a@b.c' } },
    ],
    ['payer data to who understands none', incurious, { amountMsat: 1_000n, payerData: { name: 'Bob' } }],
  ])('%s is not sent', (_, from, order) => {
    expect(() => makePayCallback(readPayRequest(from), order)).toThrow(failing('not-allowed'))
  })

  test('is answered with an invoice, and perhaps where to verify it', () => {
    expect(readPayCallback({ pr: 'lnbc1', routes: [] })).toEqual({ invoice: 'lnbc1', verify: null })
    expect(readPayCallback({ pr: 'lnbc1', verify: 'https://x.example/v' }).verify).toBe('https://x.example/v')
    expect(() => readPayCallback({ routes: [] })).toThrow(failing('bad-answer'))
    expect(() => readPayCallback({ status: 'ERROR', reason: 'offline' })).toThrow(
      expect.objectContaining({ code: 'refused', message: 'offline' }),
    )
  })

  test('the invoice is about the amount and on the hash that were agreed on', () => {
    const asked = makePayCallback(request, { amountMsat: 2_000n })
    const hash = asked.descriptionHash
    const invoice = (amountMsat: bigint, description: Invoice['description']) =>
      ({ amountMsat, description }) as Invoice
    expect(() => checkPayInvoice(invoice(2_000n, { hash }), asked)).not.toThrow()
    for (const wrong of [
      invoice(2_001n, { hash }),
      invoice(2_000n, { hash: 'ab'.repeat(32) }),
      invoice(2_000n, { text: METADATA }),
      { description: { hash } } as Invoice,
    ])
      expect(() => checkPayInvoice(wrong, asked)).toThrow(failing('wrong-invoice'))
  })
})

describe('payer data', () => {
  const wish: PayerDataWish = {
    name: { mandatory: true },
    pubkey: { mandatory: false },
    identifier: { mandatory: false },
  }

  test('is what was asked for; more is left to the hash', () => {
    const raw = JSON.stringify({ name: 'Bob', pubkey: publicKey(3), identifier: 'bob@b.example', auth: {} })
    expect(readPayerData(raw, wish)).toEqual({
      name: 'Bob',
      pubkey: publicKey(3),
      identifier: 'bob@b.example',
    })
    expect(readPayerData('{"name":"Bob","pubkey":null}', {})).toEqual({})
  })

  test.each([
    ['nothing mandatory', '{}'],
    ['no JSON', '{name:"Bob"}'],
    ['an array', '["Bob"]'],
    ['null', 'null'],
    ['a number for a name', '{"name":7}'],
    ['an empty name', '{"name":""}'],
    ['a name that is half a character', '{"name":"\\ud83d"}'],
    ['a name with a line break', '{"name":"Bob\\nPAID"}'],
    ['a name of 201 characters', `{"name":"${'x'.repeat(201)}"}`],
    ['a key that is no point', `{"name":"Bob","pubkey":"02${'ff'.repeat(32)}"}`],
    ['a key of 32 bytes', `{"name":"Bob","pubkey":"${'ab'.repeat(32)}"}`],
    ['an identifier without a domain', '{"name":"Bob","identifier":"bob"}'],
    ['more than 1,000 characters', `{"name":"Bob","x":"${'x'.repeat(1_000)}"}`],
  ])('%s is refused', (_, raw) => {
    expect(() => readPayerData(raw, wish)).toThrow(failing('bad-payer-data'))
  })

  test('whatever is sent is read or refused by name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (raw) => {
        try {
          readPayerData(raw, wish)
        } catch (error) {
          expect(error).toMatchObject({ name: 'LnurlError' })
        }
      }),
    )
  })
})

describe('the answer of verify', () => {
  const preimage = 'cd'.repeat(32)
  test.each([
    [
      { status: 'OK', settled: true, preimage, pr: 'lnbc1' },
      { settled: true, preimage, pr: 'lnbc1' },
    ],
    [
      { settled: false, pr: 'lnbc1' },
      { settled: false, preimage: null, pr: 'lnbc1' },
    ],
  ])('%j is read', (given, read) => {
    expect(readVerifyAnswer(given)).toEqual(read)
  })

  test.each([
    [{ settled: 'yes', preimage: null, pr: 'lnbc1' }, 'bad-answer'],
    [{ settled: true, preimage: 'abc', pr: 'lnbc1' }, 'bad-answer'],
    [{ settled: true, preimage }, 'bad-answer'],
    [{ status: 'ERROR', reason: 'Not found' }, 'refused'],
  ])('%j is refused', (given, code) => {
    expect(() => readVerifyAnswer(given)).toThrow(failing(code))
  })
})
