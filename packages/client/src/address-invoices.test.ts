import { expect, test } from 'vitest'
import { clientOf } from './testing/client-of.ts'

const PAID = {
  id: 'invoice-1',
  name: 'alice@shop.test',
  state: 'paid',
  paymentHash: 'ab'.repeat(32),
  invoice: 'lnbcrt1x',
  amountMsat: '21000',
  receivedMsat: '21001',
  comment: 'Thank you',
  payer: { name: 'Bob', identifier: 'bob@other.test' },
  zap: false,
  createdAt: 1,
  expiresAt: 2,
  paidAt: 3,
}
const {
  receivedMsat: _,
  comment: __,
  payer: ___,
  paidAt: ____,
  ...OPEN
} = { ...PAID, state: 'open', zap: true }

test('invoices of a Lightning Address are listed page by page, with their amounts and who paid', async () => {
  const { client, seen } = clientOf({
    'GET /v1/address-invoices': [{ json: { invoices: [PAID, OPEN], next: 'n' } }],
  })
  const page = await client.listAddressInvoices({ state: 'paid', limit: 2, after: 'c' })
  expect(page).toEqual({
    invoices: [
      { ...PAID, amountMsat: 21_000n, receivedMsat: 21_001n },
      { ...OPEN, amountMsat: 21_000n },
    ],
    next: 'n',
  })
  expect(seen.at(-1)?.path).toBe('/v1/address-invoices?owner=me&state=paid&limit=2&after=c')
})

test('a state that this client does not know is an error', async () => {
  const json = { invoices: [{ ...PAID, state: 'lost' }], next: null }
  const { client } = clientOf({ 'GET /v1/address-invoices': [{ json }] })
  await expect(client.listAddressInvoices()).rejects.toMatchObject({ code: 'RESPONSE_INVALID' })
})
