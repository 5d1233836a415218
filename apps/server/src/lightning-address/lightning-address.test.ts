import { createHash } from 'node:crypto'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import {
  checkPayInvoice,
  makePayCallback,
  type PayOrder,
  readPayCallback,
} from '@holdfast/protocols/lnurl/pay-callback'
import { readPayRequest } from '@holdfast/protocols/lnurl/pay-request'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { PUBLIC_URL } from '../identity/testing/identity-world.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type AddressWorld, startAddressWorld } from './testing/address-world.ts'

const database = withDatabase()
let world: AddressWorld
afterEach(() => world.stop())
const start = async (options?: Parameters<typeof startAddressWorld>[1]) => {
  world = await startAddressWorld(database, options)
  return world
}

const METADATA = '[["text/plain","Pay alice@shop.test"],["text/identifier","alice@shop.test"]]'
const refused = (code: string) => ({ status: 'ERROR', code, reason: expect.stringMatching(/\.$/) })
/** What a wallet does, with all of its checks. */
async function askAsWallet({ app, json }: AddressWorld, order: PayOrder) {
  const request = readPayRequest(await json('/.well-known/lnurlp/alice'))
  const callback = makePayCallback(request, order)
  const { pathname, search } = new URL(callback.url)
  const answer = (await app.inject({ url: pathname + search })).json()
  const { invoice, verify } = readPayCallback(answer)
  const decoded = decodeInvoice(invoice)
  checkPayInvoice(decoded, callback)
  return { decoded, answer, verify: new URL(verify ?? '').pathname }
}

describe('the first answer', () => {
  test('says what the address takes and that invoices commit to its metadata', async () => {
    const { app } = await start()
    const response = await app.inject({ url: '/.well-known/lnurlp/alice', headers: { host: 'shop.test' } })
    expect(response.json()).toEqual({
      tag: 'payRequest',
      callback: `${PUBLIC_URL}/lnurlp/alice@shop.test/callback`,
      minSendable: 1_000,
      maxSendable: 100_000_000_000,
      metadata: METADATA,
      commentAllowed: 280,
      payerData: {
        name: { mandatory: false },
        pubkey: { mandatory: false },
        identifier: { mandatory: false },
      },
    })
    expect(response.headers['access-control-allow-origin']).toBe('*')
    expect((await app.inject('/lnurlp/alice@shop.test')).json()).toEqual(response.json())
  })

  test.each<[string, string, string?]>([
    ['/.well-known/lnurlp/bob', 'shop.test'],
    ['/.well-known/lnurlp/alice', 'other.test'],
    ['/.well-known/lnurlp/Alice', 'shop.test'],
    ['/.well-known/lnurlp/alice%00', 'shop.test', 'ROUTE_NOT_FOUND'],
    ['/lnurlp/alice', 'shop.test'],
    ['/lnurlp/alice@shop.test@x', 'shop.test'],
    ['/lnurlp/@shop.test', 'shop.test'],
  ])('%s at %s is nobody', async (url, host, code = 'NAME_NOT_FOUND') => {
    const { app } = await start()
    const response = await app.inject({ url, headers: { host } })
    expect(response.statusCode).toBe(200)
    expect(response.json()).toEqual(refused(code))
    expect(response.headers['access-control-allow-origin']).toBe('*')
  })
})

test('an address whose owner has no node, or one that is offline, says so at once', async () => {
  const { json, node } = await start()
  expect(await json('/.well-known/lnurlp/carol')).toEqual(refused('NODE_OFFLINE'))
  Object.assign(node, { invoices: undefined })
  expect(await json('/.well-known/lnurlp/alice')).toEqual(refused('NODE_CANNOT'))
})

test('the limit of the whole server is told in the words of LNURL, too', async () => {
  const { app } = await start({ rateLimit: 1 })
  await app.inject('/lnurlp/alice@shop.test')
  const limited = await app.inject('/lnurlp/alice@shop.test')
  expect(limited.json()).toEqual(refused('RATE_LIMITED'))
  expect(limited.headers['access-control-allow-origin']).toBe('*')
})

describe('a callback', () => {
  test('is answered by the owner’s node, with an invoice that a wallet’s checks let pass', async () => {
    const { decoded, answer } = await askAsWallet(await start(), { amountMsat: 21_000n })
    expect(decoded).toMatchObject({
      amountMsat: 21_000n,
      payee: world.node.nodeId,
      description: { hash: createHash('sha256').update(METADATA).digest('hex') },
    })
    expect(decoded.expiresAt - decoded.createdAt).toBe(600_000)
    expect(answer).toEqual({
      ...{ status: 'OK', pr: decoded.text, routes: [], disposable: false },
      verify: `${PUBLIC_URL}/lnurlp/alice@shop.test/verify/${decoded.paymentHash}`,
    })
  })

  test('commits to payer data as they were sent, and keeps them and the comment for the owner alone', async () => {
    const { alice, carol, received } = await start()
    const payerData = { name: 'Bob 🥕', identifier: 'bob@shop.test' }
    await askAsWallet(world, { amountMsat: 2_000n, comment: 'for the\ncarrots', payerData })
    const seen = await received(alice)
    expect(seen.invoices[0]).toMatchObject({
      name: 'alice@shop.test',
      state: 'open',
      amountMsat: '2000',
      comment: 'for the\ncarrots',
      payer: payerData,
      zap: false,
    })
    expect(await received(carol)).toEqual({ invoices: [], next: null })
    expect((await world.app.inject('/v1/address-invoices?owner=me')).statusCode).toBe(401)
  })

  test('a payer’s data that were not asked for are committed to, too, but not kept', async () => {
    const { callback, alice, received } = await start()
    const payerdata = '{"name":"Bob","email":"bob@mail.example"}'
    const { pr } = await callback({ amount: '1000', payerdata })
    const hash = createHash('sha256')
      .update(METADATA + payerdata)
      .digest('hex')
    expect(decodeInvoice(pr).description).toEqual({ hash })
    expect((await received(alice)).invoices[0].payer).toEqual({ name: 'Bob' })
  })

  test('a comment is text without control characters', async () => {
    const { callback, alice, received } = await start()
    await callback({ amount: '1000', comment: 'a\u0000b\u001b[31mc\n' })
    expect((await received(alice)).invoices[0].comment).toBe('a b [31mc\n')
  })

  test.each<[string, Record<string, string>, string]>([
    ['no amount', {}, 'AMOUNT_INVALID'],
    ['an amount in letters', { amount: 'all' }, 'AMOUNT_INVALID'],
    ['a negative amount', { amount: '-1000' }, 'AMOUNT_INVALID'],
    ['too little', { amount: '999' }, 'ADDRESS_AMOUNT_OUTSIDE'],
    ['too much', { amount: '100000000001' }, 'ADDRESS_AMOUNT_OUTSIDE'],
    ['too long a comment', { amount: '1000', comment: 'x'.repeat(281) }, 'COMMENT_TOO_LONG'],
    ['a comment beyond all measure', { amount: '1000', comment: 'x'.repeat(8_001) }, 'REQUEST_INVALID'],
    ['payer data that are no JSON', { amount: '1000', payerdata: 'Bob' }, 'PAYER_DATA_INVALID'],
    ['a key that is none', { amount: '1000', payerdata: '{"pubkey":"x"}' }, 'PAYER_DATA_INVALID'],
    ['a zap', { amount: '1000', nostr: '{}' }, 'ZAP_UNSUPPORTED'],
  ])('with %s is refused, and no node is asked', async (_, query, code) => {
    const { callback, node } = await start()
    expect(await callback(query)).toEqual(refused(code))
    expect(node.made).toBe(0)
  })

  test('other parameters are ignored', async () => {
    const { callback } = await start()
    expect(await callback({ amount: '1000', nonce: '7', lnurl: 'lnurl1x' })).toMatchObject({ status: 'OK' })
  })

  test('of a name whose owner has no node, or one that is offline or silent, says that it is offline', async () => {
    const { callback, node } = await start({ nodeTimeoutMs: 30 })
    expect(await callback({ amount: '1000' }, 'carol@shop.test')).toEqual(refused('NODE_OFFLINE'))
    node.offline = true
    expect(await callback({ amount: '1000' })).toEqual(refused('NODE_OFFLINE'))
    const { invoices } = node
    Object.assign(node, { offline: false, invoices: { create: () => new Promise(() => undefined) } })
    expect(await callback({ amount: '1000' })).toEqual(refused('NODE_OFFLINE'))
    Object.assign(node, { invoices: undefined })
    expect(await callback({ amount: '1000' })).toEqual(refused('NODE_CANNOT'))
    Object.assign(node, { invoices })
    expect(await callback({ amount: '1000' })).toMatchObject({ status: 'OK' })
  })

  test('a HEAD has no invoice made', async () => {
    const { app, node } = await start()
    const url = '/lnurlp/alice@shop.test/callback?amount=1000'
    expect((await app.inject({ method: 'HEAD', url })).statusCode).toBe(405)
    expect(node.made).toBe(0)
  })

  test.each<[string, (world: AddressWorld) => void]>([
    ['of another amount', ({ node }) => Object.assign(node, { lies: true })],
    ['of another network', ({ node }) => Object.assign(node, { network: 'signet' })],
    ['that has expired', ({ node }) => Object.assign(node, { clockShiftMs: -3600_000 })],
  ])('an invoice %s is not passed on', async (_, spoil) => {
    const { app } = await start()
    spoil(world)
    const response = await app.inject('/lnurlp/alice@shop.test/callback?amount=1000')
    expect(response.statusCode).toBe(500)
    expect(response.json()).toEqual(refused('INTERNAL'))
  })

  test('is refused while too many invoices of the name wait, and answered again when they have expired', async () => {
    const { callback, time } = await start({ terms: { openPerName: 2 } })
    time.shiftMs = 365 * 24 * 3600_000
    for (const ok of ['OK', 'OK', 'ERROR'])
      expect(await callback({ amount: '1000' })).toMatchObject({ status: ok })
    expect(await callback({ amount: '1000' })).toEqual(refused('ADDRESS_BUSY'))
    time.shiftMs += 601_000
    expect(await callback({ amount: '1000' })).toMatchObject({ status: 'OK' })
  })

  test.each(['alice@shop.test', 'many@wild.test'])(
    'is refused to all but as many as may wait, also of %s at the same moment',
    async (name) => {
      const { callback, node, time } = await start({ terms: { openPerName: 3 } })
      time.shiftMs = 400 * 24 * 3600_000
      const AT_ONCE = 12
      // None is made before all have found that there is room.
      const { promise: allAsk, resolve } = Promise.withResolvers<void>()
      const { create } = node.invoices!
      Object.assign(node.invoices!, {
        create: async (request: Parameters<typeof create>[0]) => {
          if (++node.made === AT_ONCE) resolve()
          await allAsk
          return create(request)
        },
      })
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, at) =>
          callback({ amount: '1000' }, name.replace('many', `many${at}`)),
        ),
      )
      expect(answers.filter(({ status }) => status === 'OK')).toHaveLength(3)
      for (const answer of answers.filter(({ status }) => status !== 'OK'))
        expect(answer).toEqual(refused('ADDRESS_BUSY'))
      expect(await callback({ amount: '1000' }, name)).toEqual(refused('ADDRESS_BUSY'))
    },
  )

  test.each([
    [{ sender: 1, name: 9 }, 'sender'],
    [{ sender: 9, name: 1 }, 'name'],
  ])('is limited by %j', async (perMinute) => {
    const { app } = await start({ perMinute })
    const url = '/lnurlp/alice@shop.test/callback?amount=1000'
    expect((await app.inject(url)).json()).toMatchObject({ status: 'OK' })
    const limited = await app.inject(url)
    expect(limited.json()).toEqual(refused('RATE_LIMITED'))
    expect(limited.headers['retry-after']).toMatch(/^[1-9]/)
  })
})

describe('the names that a wildcard answers for', () => {
  const ask = (user: string) => world.callback({ amount: '1000' }, `${user}@wild.test`)

  test('have invoices of their own, and the owner sees whose each is', async () => {
    const { alice, received } = await start()
    for (const user of ['ann', 'ben']) expect(await ask(user)).toMatchObject({ status: 'OK' })
    const { invoices } = await received(alice)
    expect(invoices.slice(0, 2).map(({ name }: { name: string }) => name)).toEqual([
      'ben@wild.test',
      'ann@wild.test',
    ])
  })

  test('share one limit of open invoices: another name is no way around it', async () => {
    const { time } = await start({ terms: { openPerName: 2 } })
    time.shiftMs = 2 * 365 * 24 * 3600_000
    expect(await ask('a')).toMatchObject({ status: 'OK' })
    expect(await ask('b')).toMatchObject({ status: 'OK' })
    expect(await ask('c')).toEqual(refused('ADDRESS_BUSY'))
  })

  test('share one limit of callbacks a minute', async () => {
    await start({ perMinute: { sender: 9, name: 1 } })
    expect(await ask('a')).toMatchObject({ status: 'OK' })
    expect(await ask('b')).toEqual(refused('RATE_LIMITED'))
  })
})

describe('verify', () => {
  test('tells paid from unpaid, once for all, and never a preimage', async () => {
    const { json, node, alice, received } = await start()
    const { decoded, verify } = await askAsWallet(world, { amountMsat: 5_000n })
    const { paymentHash, text: pr } = decoded
    const answer = { status: 'OK', preimage: null, pr }
    expect(await json(verify)).toEqual({ ...answer, settled: false })
    node.pay(paymentHash, 5_001n)
    expect(await json(verify)).toEqual({ ...answer, settled: true })
    node.offline = true
    expect(await json(verify)).toEqual({ ...answer, settled: true })
    expect((await received(alice, '&state=paid')).invoices[0]).toMatchObject({
      paymentHash,
      state: 'paid',
      amountMsat: '5000',
      receivedMsat: '5001',
      paidAt: expect.any(Number),
    })
    const entries = await database.db
      .selectFrom('journal')
      .selectAll()
      .where('kind', '=', 'address-invoice.paid')
      .execute()
    expect(entries.filter(({ data }) => JSON.stringify(data).includes(paymentHash))).toMatchObject([
      { actor: 'node', data: { owner: alice.owner, name: 'alice@shop.test', receivedMsat: '5001' } },
    ])
  })

  test('says neither while the node does not answer', async () => {
    const { json, node } = await start()
    const { verify } = await askAsWallet(world, { amountMsat: 5_000n })
    node.offline = true
    expect(await json(verify)).toEqual(refused('NODE_OFFLINE'))
  })

  test.each([
    ['another hash', '/lnurlp/alice@shop.test/verify/', 'ab'.repeat(32)],
    ['a hash that is none', '/lnurlp/alice@shop.test/verify/', 'xyz'],
  ])('does not know %s', async (_, path, hash) => {
    const { json } = await start()
    expect(await json(path + hash)).toEqual(refused('ADDRESS_INVOICE_NOT_FOUND'))
  })

  test('does not know an invoice of another name', async () => {
    const { json } = await start()
    const { verify } = await askAsWallet(world, { amountMsat: 5_000n })
    expect(await json(verify.replace('alice', 'carol'))).toEqual(refused('ADDRESS_INVOICE_NOT_FOUND'))
  })
})

test('whatever a payer sends is answered in LNURL’s form, is no fault, and can be read by the owner', async () => {
  const { callback, alice, received } = await start({ terms: { openPerName: 1_000 } })
  const text = fc.string({ unit: 'binary', maxLength: 60 })
  const json = fc.dictionary(
    fc.constantFrom('name', 'pubkey', 'identifier', 'x'),
    fc.oneof(text, fc.jsonValue()),
  )
  const anything = fc.record(
    {
      amount: fc.oneof({ weight: 4, arbitrary: fc.constant('1000') }, text),
      comment: text,
      payerdata: fc.oneof(
        text,
        json.map((value) => JSON.stringify(value)),
      ),
    },
    { requiredKeys: ['amount'] },
  )
  let paid = 0
  await fc.assert(
    fc.asyncProperty(anything, async (query) => {
      const answer = await callback(query)
      if (answer.status === 'OK') paid++
      else expect(answer).toEqual(refused(expect.stringMatching(/INVALID|OUTSIDE|LONG/)))
    }),
    { numRuns: 40 },
  )
  expect(paid).toBeGreaterThan(0)
  expect((await received(alice, '&limit=100')).invoices).toHaveLength(paid)
})

test('invoices asked for at once are all different', async () => {
  const { callback } = await start()
  const answers = await Promise.all(Array.from({ length: 20 }, () => callback({ amount: '1000' })))
  expect(new Set(answers.map(({ pr }) => decodeInvoice(pr).paymentHash)).size).toBe(20)
})

test('the owner’s list comes in pages', async () => {
  const { callback, alice, received, time } = await start()
  for (const amount of ['1000', '2000', '3000']) {
    time.shiftMs += 1_000
    await callback({ amount })
  }
  const first = await received(alice, '&limit=2')
  const second = await received(alice, `&limit=2&after=${first.next}`)
  const amounts = [...first.invoices, ...second.invoices].map(({ amountMsat }) => amountMsat)
  expect(amounts).toEqual(['3000', '2000', '1000'])
  expect(second.next).toBeNull()
  expect(await received(alice, '&after=nonsense')).toMatchObject({ code: 'REQUEST_INVALID' })
})

test('the database refuses that what was paid is unpaid or that terms change', async () => {
  const { node, callback, json } = await start()
  const { pr, verify } = await callback({ amount: '7000' })
  const { paymentHash } = decodeInvoice(pr)
  const change = (set: object) =>
    database.db.updateTable('address_invoice').set(set).where('payment_hash', '=', paymentHash).execute()
  await expect(change({ amount_msat: 1n })).rejects.toThrow('terms')
  node.pay(paymentHash, 7_000n)
  await json(new URL(verify).pathname)
  await expect(change({ phase: 'expired', paid_at: null, received_msat: null })).rejects.toThrow('was paid')
})
