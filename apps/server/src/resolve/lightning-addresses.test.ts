import { metadataHash } from '@holdfast/protocols/lnurl/metadata'
import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { secretKey } from '@holdfast/protocols/testing/points'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeOutbound } from '../outbound/outbound-https.ts'
import { type Answer, type HttpsServer, json, startHttpsServer } from '../outbound/testing/https-server.ts'
import { TEST_CERTIFICATE } from '../outbound/testing/test-certificate.ts'
import { type LightningAddresses, makeLightningAddresses } from './lightning-addresses.ts'

/** A stranger's LNURL service on a real HTTPS server; only its port is another one than the address says. */
let server: HttpsServer
let addresses: LightningAddresses

beforeAll(async () => {
  server = await startHttpsServer()
  const outbound = makeOutbound({
    allowLoopback: true,
    lookup: async () => ['127.0.0.1'],
    ca: TEST_CERTIFICATE,
    timeoutMs: 2_000,
  })
  addresses = makeLightningAddresses({
    outbound: {
      getJson: (url) =>
        outbound.getJson(url.replace(/^https:\/\/address.test\//, `https://address.test:${server.port}/`)),
    },
  })
})
afterAll(() => server.stop())

const METADATA = JSON.stringify([
  ['text/plain', 'Pay alice'],
  ['text/identifier', 'alice@address.test'],
])
const ADDRESS = 'alice@address.test'

const payRequest = (more: Record<string, unknown> = {}): Answer =>
  json({
    tag: 'payRequest',
    callback: `https://callback.test:${server.port}/pay?id=7`,
    minSendable: 1_000,
    maxSendable: 5_000_000,
    metadata: METADATA,
    commentAllowed: 20,
    ...more,
  })

function invoice(amountMsat: bigint | undefined, hash: string | null = metadataHash(METADATA)): string {
  return encodeInvoice({
    ...(amountMsat !== undefined && { amountMsat }),
    createdAt: 1_790_000_000_000,
    fields: [
      fieldOf.hex('p', '11'.repeat(32)),
      fieldOf.hex('s', '22'.repeat(32)),
      hash === null ? fieldOf.description('Pay alice') : fieldOf.hex('h', hash),
    ],
    secretKey: secretKey(9),
  })
}

beforeEach(() => {
  server.answers = {
    '/.well-known/lnurlp/alice': () => payRequest(),
    '/pay': (url) => json({ pr: invoice(BigInt(url.searchParams.get('amount') ?? 0)), routes: [] }),
  }
})

test('what an address takes is told by its host', async () => {
  expect(await addresses.look('₿Alice@Address.test')).toEqual({
    name: ADDRESS,
    hasPunycode: false,
    minMsat: 1_000n,
    maxMsat: 5_000_000n,
    description: 'Pay alice',
    noteMaxCharacters: 20,
  })
})

describe('an invoice', () => {
  test('is over the amount and commits to what the host described; the note goes along', async () => {
    const order = { amountMsat: 21_000n, note: 'for the shoes & co' }
    expect(await addresses.invoiceFor(ADDRESS, order)).toEqual({ invoice: invoice(21_000n) })
    const { path, servername } = server.asked.at(-1)!
    expect(servername).toBe('callback.test')
    const asked = new URL(path, 'https://callback.test')
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      id: '7',
      amount: '21000',
      comment: 'for the shoes & co',
    })
  })

  test.each<[string, () => Answer]>([
    ['over another amount', () => json({ pr: invoice(21_001n) })],
    ['without an amount', () => json({ pr: invoice(undefined) })],
    ['on another description', () => json({ pr: invoice(21_000n, '33'.repeat(32)) })],
    ['on a description of its own', () => json({ pr: invoice(21_000n, null) })],
    ['that is none', () => json({ pr: 'lnbcrt1nonsense' })],
    ['with another checksum', () => json({ pr: invoice(21_000n).replace(/.$/, 'b') })],
    ['that is missing', () => json({ routes: [] })],
    ['in a list', () => json([invoice(21_000n)])],
  ])('%s is not paid', async (_, answer) => {
    server.answers['/pay'] = answer
    const found = await addresses.invoiceFor(ADDRESS, { amountMsat: 21_000n })
    expect(found).toMatchObject({ refused: 'ADDRESS_INVALID' })
  })

  test.each([
    [999n, '', 'ADDRESS_AMOUNT_OUTSIDE', { minMsat: '1000', maxMsat: '5000000' }],
    [5_000_001n, '', 'ADDRESS_AMOUNT_OUTSIDE', { minMsat: '1000', maxMsat: '5000000' }],
    [1_000n, 'x'.repeat(21), 'NOTE_NOT_ACCEPTED', { maxCharacters: 20 }],
  ])('over %s msat with the note %j is not asked for', async (amountMsat, note, code, data) => {
    const before = server.asked.length
    const found = await addresses.invoiceFor(ADDRESS, { amountMsat, note })
    expect(found).toEqual({ refused: code, data })
    expect(server.asked.length - before).toBe(1)
  })

  test('is not asked for where no note is taken', async () => {
    server.answers['/.well-known/lnurlp/alice'] = payRequest({ commentAllowed: undefined })
    const found = await addresses.invoiceFor(ADDRESS, { amountMsat: 1_000n, note: 'x' })
    expect(found).toMatchObject({ refused: 'NOTE_NOT_ACCEPTED' })
  })
})

describe('a host', () => {
  test.each<[string, Answer, string]>([
    ['that knows no such address', { status: 404 }, 'ADDRESS_NOT_FOUND'],
    ['that says no', json({ status: 'ERROR', reason: 'closed' }), 'ADDRESS_REFUSED'],
    ['that is overloaded', { status: 429 }, 'ADDRESS_UNAVAILABLE'],
    ['that is broken', { status: 502, body: '<html>' }, 'ADDRESS_UNAVAILABLE'],
    ['that wants to be paid first', { status: 402 }, 'ADDRESS_INVALID'],
    ['that does not end its answer', { hangs: true }, 'ADDRESS_UNAVAILABLE'],
    ['that answers a page', { body: '<html>' }, 'ADDRESS_INVALID'],
    ['that answers too much', json('x'.repeat(600_000)), 'ADDRESS_INVALID'],
    ['that wants to withdraw', json({ tag: 'withdrawRequest' }), 'ADDRESS_INVALID'],
    [
      'that redirects to a private address',
      { status: 302, headers: { location: 'https://10.0.0.1/' } },
      'ADDRESS_FORBIDDEN',
    ],
  ])('%s', async (_, answer, code) => {
    server.answers['/.well-known/lnurlp/alice'] = answer
    expect(await addresses.look(ADDRESS)).toMatchObject({ refused: code })
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['without TLS', { callback: 'http://callback.test/pay' }, 'ADDRESS_INVALID'],
    ['that is no URL', { callback: 'pay' }, 'ADDRESS_INVALID'],
    ['with a password', { callback: 'https://a:b@callback.test/' }, 'ADDRESS_INVALID'],
    ['on an onion service', { callback: 'http://abc.onion/pay' }, 'ADDRESS_FORBIDDEN'],
    ['in a private network', { callback: 'https://192.168.0.1/pay' }, 'ADDRESS_FORBIDDEN'],
    ['where a cloud keeps its metadata', { callback: 'https://169.254.169.254/' }, 'ADDRESS_FORBIDDEN'],
  ])('whose callback is one %s is not asked for an invoice', async (_, more, code) => {
    server.answers['/.well-known/lnurlp/alice'] = payRequest(more)
    expect(await addresses.invoiceFor(ADDRESS, { amountMsat: 1_000n })).toMatchObject({ refused: code })
  })

  test('cannot write control characters into our answers', async () => {
    const reason = `no\u001b[31m\n${'x'.repeat(400)}\u202e`
    server.answers['/.well-known/lnurlp/alice'] = json({ status: 'ERROR', reason })
    const refused = await addresses.look(ADDRESS)
    expect(refused).toEqual({ refused: 'ADDRESS_REFUSED', data: { reason: `no [31m ${'x'.repeat(192)}` } })
  })
})

test('what cannot be an address is none', async () => {
  expect(await addresses.look('alice')).toMatchObject({ refused: 'NAME_INVALID' })
  expect(await addresses.look(`${'a'.repeat(63)}.b@address.test`)).toMatchObject({
    refused: 'ADDRESS_INVALID',
    data: { rule: 'bad-address' },
  })
})
