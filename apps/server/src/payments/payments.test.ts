import { encodeOffer } from '@holdfast/protocols/bolt12'
import { chainHashOf, type Network } from '@holdfast/protocols/network'
import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { publicKey, secretKey } from '@holdfast/protocols/testing/points'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type SlicesWorld, startSlicesWorld } from '../names/testing/slices-world.ts'
import { makeTestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'

const database = withDatabase()
let world: SlicesWorld

beforeAll(async () => {
  world = await startSlicesWorld(database)
})
afterAll(() => world.stop())
afterEach(() => {
  world.dns.answer = null
  world.time.shiftMs = 0
})

function invoice(
  parts: { amountMsat?: bigint; network?: Network; createdAt?: number; tamper?: boolean } = {},
) {
  const { tamper, createdAt = Math.floor(Date.now() / 1000) * 1000, ...rest } = parts
  const text = encodeInvoice({
    ...rest,
    createdAt,
    fields: [fieldOf.hex('p', '11'.repeat(32)), fieldOf.hex('s', '22'.repeat(32)), fieldOf.description('x')],
    secretKey: secretKey(9),
  })
  return tamper ? text.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q')) : text
}

type OfferParts = Partial<Parameters<typeof encodeOffer>[0]>
const offer = (parts: OfferParts = {}) =>
  encodeOffer({ chains: [chainHashOf('regtest')], issuerId: publicKey(7), description: 'x', ...parts }).text

const pay = (device: Parameters<SlicesWorld['send']>[2], body: Record<string, unknown>) =>
  world.send('POST', '/v1/payments', device, body as never)

const ends = async (device: Parameters<SlicesWorld['send']>[2], id: string) =>
  (await world.get(`/v1/payments/${id}?wait=20`, device)).json()

describe('a payment', () => {
  test.each([
    ['an offer', () => offer(), { amountMsat: '21000' }, 'bolt12'],
    ['an offer that names its amount', () => offer({ amount: { msat: 5000n } }), {}, 'bolt12'],
    ['an invoice', () => invoice({ amountMsat: 7000n }), {}, 'bolt11'],
    ['an invoice without amount', () => invoice(), { amountMsat: '1' }, 'bolt11'],
    ['an invoice with its old scheme', () => `LIGHTNING:${invoice()}`, { amountMsat: '1' }, 'bolt11'],
    [
      'a URI with both',
      () => `bitcoin:?lightning=${invoice()}&lno=${offer()}`,
      { amountMsat: '1' },
      'bolt12',
    ],
    ['a URI with an amount', () => `bitcoin:?amount=0.00000001&lno=${offer()}`, {}, 'bolt12'],
  ])('to %s succeeds', async (_what, to, amount, kind) => {
    const { device, node } = world.newUser()
    const accepted = await pay(device, { to: to(), ...amount })
    expect(accepted.statusCode).toBe(202)
    const payment = await ends(device, accepted.json().id)
    expect(payment).toMatchObject({ state: 'succeeded', paymentHash: 'ab'.repeat(32), feeMsat: '21' })
    const [asked] = [...node.paid.values()]
    expect(asked).toMatchObject({ paymentId: payment.nodePaymentId, destination: { kind } })
    expect(`${asked!.amountMsat}`).toBe(payment.amountMsat)
    expect(asked!.maxFeeMsat).toBe(10_000n)
  })

  test('to a name resolves it first; the name may carry ₿', async () => {
    const payee = world.newUser()
    const { id } = (await world.register(payee.device, 'payee')).json()
    await world.jobEnds(id)
    const { device, node } = world.newUser()
    for (const to of ['payee@shop.test', '₿payee@shop.test']) {
      const accepted = await pay(device, { to, amountMsat: '2000000', maxFeeMsat: '5' })
      // Registering it has validated it a moment ago.
      expect(accepted.json()).toMatchObject({ state: 'sending' })
      expect(await ends(device, accepted.json().id)).toMatchObject({ state: 'succeeded', to })
    }
    const [asked] = [...node.paid.values()]
    expect(asked).toMatchObject({ maxFeeMsat: 5n, amountMsat: 2_000_000n })
  })

  test('is made once, also when the same request is sent again', async () => {
    const { device, node } = world.newUser()
    const body = { to: offer(), amountMsat: '1000' }
    const first = await world.send('POST', '/v1/payments', device, body, 'the-same-key')
    const again = await world.send('POST', '/v1/payments', device, body, 'the-same-key')
    expect(again.json()).toEqual(first.json())
    await ends(device, first.json().id)
    expect(node.paid.size).toBe(1)
  })

  test('may be waited for in the request that makes it', async () => {
    const { device, node } = world.newUser()
    const made = await world.send('POST', '/v1/payments?wait=20', device, { to: offer(), amountMsat: '1000' })
    expect(made.statusCode).toBe(200)
    expect(made.json()).toMatchObject({ state: 'succeeded', paymentHash: 'ab'.repeat(32) })
    expect(made.headers.location).toBe(`/v1/payments/${made.json().id}`)
    expect(await ends(device, made.json().id)).toEqual(made.json())
    expect(node.paid.size).toBe(1)
  })

  test('that has not ended in that time is told as it is, and as it is then when it is asked for again', async () => {
    const { device, node } = world.newUser()
    node.becomes = { state: 'pending', paymentHash: null }
    const body = { to: offer(), amountMsat: '1000' }
    const made = await world.send('POST', '/v1/payments?wait=0.2', device, body, 'the-key')
    expect([made.statusCode, made.json().state]).toEqual([202, 'sending'])
    node.outcomes.set(made.json().nodePaymentId, { state: 'failed', paymentHash: null, reason: 'rejected' })
    const again = await world.send('POST', '/v1/payments?wait=20', device, body, 'the-key')
    expect([again.statusCode, again.headers['idempotency-replayed']]).toEqual([200, 'true'])
    expect(again.json()).toMatchObject({ id: made.json().id, error: { code: 'PAYMENT_REJECTED' } })
    const accepted = await world.send('POST', '/v1/payments', device, body, 'the-key')
    expect([accepted.statusCode, accepted.json().state]).toEqual([202, 'sending'])
    expect(node.payCalls).toBe(1)
  })

  test.each(['-1', '21', 'soon'])('is not made with ?wait=%s', async (wait) => {
    const { device, node } = world.newUser()
    const body = { to: offer(), amountMsat: '1000' }
    const refused = await world.send('POST', `/v1/payments?wait=${wait}`, device, body)
    expect(refused.json()).toMatchObject({ status: 400, code: 'REQUEST_INVALID' })
    expect(node.payCalls).toBe(0)
  })

  test('whose first answers get lost is asked for again under the same id', async () => {
    const { device, node } = world.newUser()
    node.loseAnswers = 2
    const { id } = (await pay(device, { to: offer(), amountMsat: '1000' })).json()
    expect(await ends(device, id)).toMatchObject({ state: 'succeeded' })
    expect([node.paid.size, node.payCalls]).toEqual([1, 3])
  })

  test('is followed while the node says pending', async () => {
    const { device, node } = world.newUser()
    node.becomes = { state: 'pending', paymentHash: null }
    const { id, nodePaymentId } = (await pay(device, { to: offer(), amountMsat: '1000' })).json()
    await expect.poll(() => node.paid.size).toBe(1)
    expect((await world.get(`/v1/payments/${id}`, device)).json()).toMatchObject({ state: 'sending' })
    node.outcomes.set(nodePaymentId, { state: 'failed', paymentHash: null, reason: 'rejected' })
    expect(await ends(device, id)).toMatchObject({ state: 'failed', error: { code: 'PAYMENT_REJECTED' } })
  })

  test('that the node cannot judge is unknown, not paid again, and ends when the node knows', async () => {
    const { device, node } = world.newUser()
    node.becomes = { state: 'unknown' }
    const { id, nodePaymentId } = (await pay(device, { to: offer(), amountMsat: '1000' })).json()
    await world.paymentIs(device, id, 'unknown')
    node.outcomes.set(nodePaymentId, {
      state: 'succeeded',
      paymentHash: 'cd'.repeat(32),
      amountMsat: 1000n,
      feeMsat: 0n,
    })
    expect(await world.paymentIs(device, id, 'succeeded')).toMatchObject({ feeMsat: '0' })
    expect(node.payCalls).toBe(1)
  })

  test('leaves no preimage anywhere', async () => {
    const columns = await database.db.selectFrom('payment').select('state').execute()
    const entries = await database.db.selectFrom('journal').select('data').execute()
    expect(columns.length).toBeGreaterThan(0)
    expect(JSON.stringify([columns, entries])).not.toContain('preimage')
  })
})

test('who waits for a payment or a job is answered at once when the server stops', async () => {
  const stopping = await startSlicesWorld(database, { worker: false })
  const { device } = stopping.newUser()
  const payment = (
    await stopping.send('POST', '/v1/payments', device, { to: offer(), amountMsat: '1000' })
  ).json()
  const job = (await stopping.register(device, 'waiting')).json()
  const began = performance.now()
  setTimeout(() => stopping.closing.abort(), 50)
  const answers = await Promise.all([
    stopping.get(`/v1/payments/${payment.id}?wait=20`, device),
    stopping.send('POST', '/v1/payments?wait=20', device, { to: offer(), amountMsat: '2000' }),
    stopping.get(`/v1/jobs/${job.id}?wait=20`),
  ])
  expect(answers.map((answer) => answer.json().state)).toEqual(['sending', 'sending', 'running'])
  expect(performance.now() - began).toBeLessThan(2_000)
  await stopping.stop()
})

test('nothing is looked up any more for who has gone away while they waited', async () => {
  const busy = await startSlicesWorld(database, { worker: false })
  const ended: string[] = []
  busy.app.addHook('onSend', async ({ url }) => void ended.push(url))
  const { device } = busy.newUser()
  const job = (await busy.register(device, 'impatient')).json()
  const payment = (await busy.send('POST', '/v1/payments', device, { to: offer(), amountMsat: '1' })).json()
  const authorization = await busy.authorizationOf(device)
  const address = await busy.app.listen({ port: 0 })
  const paths = [`/v1/jobs/${job.id}?wait=20`, `/v1/payments/${payment.id}?wait=20`]
  const left = paths.map((path) =>
    fetch(`${address}${path}`, { headers: { authorization }, signal: AbortSignal.timeout(100) }),
  )
  await Promise.allSettled(left)
  await expect.poll(() => ended, { timeout: 5_000 }).toEqual(expect.arrayContaining(paths))
  await busy.stop()
})

describe('a payment from a node that is offline', () => {
  test('succeeds when the node comes back in time', async () => {
    const { device, node } = world.newUser()
    node.offline = true
    const { id } = (await pay(device, { to: offer(), amountMsat: '1000' })).json()
    await expect.poll(() => node.payCalls).toBeGreaterThan(0)
    node.offline = false
    expect(await ends(device, id)).toMatchObject({ state: 'succeeded' })
  })

  test('is unknown after the deadline, and fails once the node has surely never heard of it', async () => {
    const { device, node } = world.newUser()
    node.offline = true
    const { id } = (await pay(device, { to: offer(), amountMsat: '1000' })).json()
    await expect.poll(() => node.payCalls).toBeGreaterThan(0)
    world.time.shiftMs = 61_000
    await world.paymentIs(device, id, 'unknown')
    const callsBefore = node.payCalls
    node.offline = false
    world.time.shiftMs = 600_000
    expect(await world.payments.sweep()).toBeGreaterThan(0)
    expect(await world.paymentIs(device, id, 'failed')).toMatchObject({ error: { code: 'PAYMENT_NOT_SENT' } })
    expect(node.payCalls).toBe(callsBefore)
  })
})

describe('a note', () => {
  test('goes with an offer', async () => {
    const { device, node } = world.newUser()
    const { id } = (await pay(device, { to: offer(), amountMsat: '1000', note: 'for the shoes' })).json()
    expect(await ends(device, id)).toMatchObject({ state: 'succeeded', note: 'for the shoes' })
    const [request] = node.paid.values()
    expect(request).toMatchObject({ destination: { payerNote: 'for the shoes' } })
    // Nobody resolved a name: that the offer's payee had one would be made up.
    expect(request?.destination).not.toHaveProperty('payee')
  })

  test('is shown, as is the name, in the letters that are paid', async () => {
    world.dns.answer = {
      status: 'secure',
      values: [new TextEncoder().encode(`bitcoin:?lno=${offer()}`)],
      ttlSeconds: 60,
      expiresAt: 4_000_000_000,
      chain: [],
    }
    const { device } = world.newUser()
    // The first letter is Cyrillic.
    const accepted = (await pay(device, { to: '₿аlice@far.test', amountMsat: '1000' })).json()
    expect(accepted).toMatchObject({ to: '₿аlice@far.test', name: 'xn--lice-43d@far.test' })
    expect(await ends(device, accepted.id)).toMatchObject({ state: 'succeeded' })
    const resolved = (await world.get(`/v1/resolve/${encodeURIComponent('аlice@far.test')}`)).json()
    expect(resolved).toMatchObject({
      name: 'xn--lice-43d@far.test',
      hasPunycode: true,
      provenByDnssec: true,
    })
  })
})

describe('a request that is refused', () => {
  const hour = 3_600_000
  test.each<[string, () => Record<string, unknown>, number, string]>([
    ['nonsense', () => ({ to: 'nonsense', amountMsat: '1' }), 422, 'DESTINATION_INVALID'],
    ['nothing', () => ({ to: '', amountMsat: '1' }), 422, 'DESTINATION_INVALID'],
    ['a bad name', () => ({ to: 'a b@shop.test', amountMsat: '1' }), 422, 'NAME_INVALID'],
    ['a broken offer', () => ({ to: 'lno1qqqq', amountMsat: '1' }), 422, 'OFFER_INVALID'],
    ['an offer of the past', () => ({ to: offer({ absoluteExpirySeconds: 1n }) }), 422, 'OFFER_EXPIRED'],
    [
      'an offer of another chain',
      () => ({ to: offer({ chains: [chainHashOf('bitcoin')] }) }),
      422,
      'OFFER_FOREIGN_CHAIN',
    ],
    [
      'an offer in euros',
      () => ({ to: offer({ amount: { currency: 'EUR', minorUnits: 5n } }) }),
      422,
      'OFFER_UNSUPPORTED',
    ],
    ['an offer by the piece', () => ({ to: offer({ quantityMax: 0n }) }), 422, 'OFFER_UNSUPPORTED'],
    ['an offer without amount', () => ({ to: offer() }), 422, 'AMOUNT_REQUIRED'],
    [
      'an offer with another amount',
      () => ({ to: offer({ amount: { msat: 5n } }), amountMsat: '6' }),
      422,
      'AMOUNT_MISMATCH',
    ],
    [
      'a note with an invoice',
      () => ({ to: invoice({ amountMsat: 5n }), note: 'x' }),
      422,
      'NOTE_NOT_ACCEPTED',
    ],
    [
      'a note of more than 512 bytes with an offer',
      () => ({ to: offer(), amountMsat: '1', note: `a${'é'.repeat(256)}` }),
      422,
      'NOTE_NOT_ACCEPTED',
    ],
    ['an empty note', () => ({ to: offer(), amountMsat: '1', note: '' }), 400, 'REQUEST_INVALID'],
    ['another fallback', () => ({ to: 'a@b.test', amountMsat: '1', fallback: 'x' }), 400, 'REQUEST_INVALID'],
    ['a tampered invoice', () => ({ to: invoice({ tamper: true }) }), 422, 'INVOICE_INVALID'],
    [
      'an old invoice',
      () => ({ to: invoice({ createdAt: Date.now() - 2 * hour - (Date.now() % 1000) }) }),
      422,
      'INVOICE_EXPIRED',
    ],
    [
      'an invoice of another chain',
      () => ({ to: invoice({ network: 'bitcoin' }) }),
      422,
      'INVOICE_FOREIGN_CHAIN',
    ],
    ['an invoice without amount', () => ({ to: invoice() }), 422, 'AMOUNT_REQUIRED'],
    ['a URI that asks for more', () => ({ to: 'bitcoin:?req-x=1&lno=lno1' }), 422, 'URI_INVALID'],
    [
      'a URI with an address only',
      () => ({ to: 'bitcoin:bcrt1qqq', amountMsat: '1' }),
      422,
      'URI_NOT_PAYABLE',
    ],
    [
      'a URI whose amounts differ',
      () => ({ to: `bitcoin:?amount=1&lno=${offer({ amount: { msat: 5n } })}` }),
      422,
      'URI_INVALID',
    ],
    ...['0', '-1', '1.5', '1e3', '2100000000000000001', '', ' 1'].map(
      (amountMsat): [string, () => Record<string, unknown>, number, string] => [
        `the amount ${JSON.stringify(amountMsat)}`,
        () => ({ to: offer(), amountMsat }),
        422,
        'AMOUNT_INVALID',
      ],
    ),
    ['an amount as a number', () => ({ to: offer(), amountMsat: 5 }), 400, 'REQUEST_INVALID'],
    [
      'a negative fee limit',
      () => ({ to: offer(), amountMsat: '1', maxFeeMsat: '-1' }),
      422,
      'FEE_LIMIT_INVALID',
    ],
    [
      'a fee limit above the supply',
      () => ({ to: offer(), amountMsat: '1', maxFeeMsat: '2100000000000000001' }),
      422,
      'FEE_LIMIT_INVALID',
    ],
    ['an unknown field', () => ({ to: offer(), amountMsat: '1', colour: 'x' }), 400, 'REQUEST_INVALID'],
    ['10 MB', () => ({ to: 'x'.repeat(10_000_000) }), 413, 'BODY_TOO_LARGE'],
  ])('%s', async (_what, body, status, code) => {
    const { device, node } = world.newUser()
    expect((await pay(device, body())).json()).toMatchObject({ status, code })
    expect((await world.get('/v1/payments', device)).json()).toEqual({ payments: [], next: null })
    expect(node.payCalls).toBe(0)
  })

  test('from somebody without a node, or whose node cannot pay', async () => {
    const body = { to: offer(), amountMsat: '1' }
    expect((await pay(world.newUser(null).device, body)).json()).toMatchObject({ code: 'NODE_NOT_CONNECTED' })
    const { payer: _payer, ...mute } = makeTestNode()
    expect((await pay(world.newUser(mute).device, body)).json()).toMatchObject({ code: 'NODE_CANNOT' })
  })
})

describe('an owner', () => {
  test('alone sees a payment', async () => {
    const { device } = world.newUser()
    const { id } = (await pay(device, { to: offer(), amountMsat: '1000' })).json()
    await ends(device, id)
    const others = await world.get(`/v1/payments/${id}`, world.newUser().device)
    expect(others.json()).toMatchObject({ status: 404, code: 'PAYMENT_NOT_FOUND' })
    expect((await world.get('/v1/payments/none', device)).json()).toMatchObject({ code: 'PAYMENT_NOT_FOUND' })
    expect((await world.get(`/v1/payments/${id}`)).json()).toMatchObject({ code: 'AUTH_REQUIRED' })
  })

  test('lists payments by pages, newest first', async () => {
    const { device } = world.newUser()
    for (const amountMsat of ['1', '2', '3']) await pay(device, { to: offer(), amountMsat })
    const one = (await world.get('/v1/payments?limit=2', device)).json()
    const two = (await world.get(`/v1/payments?limit=2&after=${one.next}`, device)).json()
    const amounts = [...one.payments, ...two.payments].map((payment) => payment.amountMsat)
    expect(amounts).toEqual(['3', '2', '1'])
    expect(two.next).toBeNull()
  })

  test('sees the node, and that it is offline', async () => {
    const { device, node } = world.newUser()
    expect((await world.get('/v1/node', device)).json()).toEqual({
      nodeId: node.nodeId,
      network: 'regtest',
      capabilities: ['funds', 'offers', 'pay'],
      balance: { lightningMsat: '5000000', receivableMsat: '4000000', onchainSat: '3', claimableSat: '0' },
    })
    node.offline = true
    expect((await world.get('/check-funds', device)).json()).toMatchObject({
      status: 503,
      code: 'NODE_OFFLINE',
    })
    const nobody = world.newUser(null).device
    expect((await world.get('/v1/node', nobody)).json()).toMatchObject({ code: 'NODE_NOT_CONNECTED' })
  })
})
