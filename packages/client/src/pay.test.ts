import { describe, expect, test } from 'vitest'
import { clientOf, PAYMENT } from './testing/client-of.ts'

test('a payment may have a note and a fallback, and tells who is paid and by whose word', async () => {
  const answer = { ...PAYMENT, name: 'alice@shop.test', via: 'lightning-address', note: 'for the shoes' }
  const { client, seen } = clientOf({ 'POST /v1/payments': [{ json: answer }] })
  const wish = { to: PAYMENT.to, note: 'for the shoes', fallback: 'lightning-address' } as const
  expect(await client.pay(wish)).toEqual({ ...answer, amountMsat: 21_000n })
  expect(seen.at(-1)?.body).toEqual(wish)
})

describe('who pays and waits', () => {
  const ENDED = { ...PAYMENT, state: 'succeeded', feeMsat: '1' }

  test('asks once where the payment ends soon', async () => {
    const { client, seen } = clientOf({ 'POST /v1/payments?wait=0.5': [{ json: ENDED }] })
    const payment = await client.payAndWait({ to: PAYMENT.to, amountMsat: 21_000n })
    expect(payment).toMatchObject({ state: 'succeeded', feeMsat: 1n })
    const [, paid, ...more] = seen
    expect(paid).toMatchObject({ body: { to: PAYMENT.to, amountMsat: '21000' } })
    expect(more).toEqual([])
  })

  test('asks further about the same payment where it does not', async () => {
    const { client, seen } = clientOf({
      'POST /v1/payments?wait=0.5': [{ status: 202, json: PAYMENT }],
      'GET /v1/payments/pay-1': [{ json: { ...PAYMENT, state: 'unknown' } }, { json: ENDED }],
    })
    const states: string[] = []
    const onProgress = ({ state }: { state: string }) => states.push(state)
    await client.payAndWait({ to: PAYMENT.to }, { onProgress })
    expect(states).toEqual(['sending', 'unknown', 'succeeded'])
    expect(seen.filter(({ method }) => method === 'POST')).toHaveLength(2)
  })

  test('sends the same request again where its answer is lost', async () => {
    const { client, seen } = clientOf({ 'POST /v1/payments?wait=0.5': ['broken', { json: ENDED }] })
    await client.payAndWait({ to: PAYMENT.to }, { idempotencyKey: 'mine' })
    const keys = seen.slice(1).map(({ headers }) => headers['idempotency-key'])
    expect(keys).toEqual(['mine', 'mine'])
  })
})

test('a payment by a way that this client does not know is refused', async () => {
  const { client } = clientOf({ 'GET /v1/payments/pay-1': [{ json: { ...PAYMENT, via: 'telepathy' } }] })
  await expect(client.getPayment('pay-1')).rejects.toMatchObject({ code: 'RESPONSE_INVALID' })
})

const RESOLVED = { name: 'alice@shop.test', hasPunycode: false, uri: 'bitcoin:?lno=lno1x', offer: 'lno1x' }
const ADDRESS = { minMsat: '1000', maxMsat: '5000', description: 'Pay alice', noteMaxCharacters: 20 }

test.each([
  [
    { ...RESOLVED, provenByDnssec: true },
    { ...RESOLVED, provenByDnssec: true },
  ],
  [
    { name: 'xn--lice-43d@shop.test', hasPunycode: true, provenByDnssec: false, lightningAddress: ADDRESS },
    {
      name: 'xn--lice-43d@shop.test',
      hasPunycode: true,
      provenByDnssec: false,
      ...ADDRESS,
      minMsat: 1_000n,
      maxMsat: 5_000n,
    },
  ],
])('a name may be resolved with its Lightning Address as fallback: %j', async (json, resolution) => {
  const path = 'GET /v1/resolve/alice%40shop.test?fallback=lightning-address'
  const { client } = clientOf({ [path]: [{ json }] }, { anonymous: true })
  expect(await client.resolveOrFallBack('₿alice@shop.test')).toEqual(resolution)
})
