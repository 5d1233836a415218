import { expect, test } from 'vitest'
import { clientOf } from '../testing/client-of.ts'
import { invoiceTerms } from './worker-invoice.ts'
import { keptWorkerSecret, makeWorkerSecret, paymentHashOf } from './worker-secret.ts'

test('a secret is of the device’s own randomness, and its hash that of its preimage', () => {
  const [one, other] = [makeWorkerSecret(), makeWorkerSecret()]
  expect(one.paymentHash === other.paymentHash).toBe(false)
  expect(one.paymentHash).toBe(paymentHashOf(one.reveal()))
  expect(keptWorkerSecret(one.reveal()).paymentHash).toBe(one.paymentHash)
  // SHA-256 of 32 zero bytes.
  expect(paymentHashOf('00'.repeat(32))).toBe(
    '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925',
  )
})

test('it cannot be printed, and a request that holds it is not sent', async () => {
  const secret = makeWorkerSecret()
  expect(`${secret}`).toBe('[object Object]')
  expect(Object.values(secret)).toEqual([secret.paymentHash])
  expect(() => JSON.stringify({ secret })).toThrow('is not sent')
  const { client, seen } = clientOf({})
  const invoice = secret as unknown as string
  await expect(client.escrow.submitInvoice({ taskId: 't', milestone: 0, invoice })).rejects.toThrow(
    'is not sent',
  )
  await expect(client.pay({ to: invoice })).rejects.toThrow('is not sent')
  expect(seen.map(({ path }) => path).filter((path) => path !== '/v1/sessions')).toEqual([])
})

test('what is no preimage is refused without being shown', () => {
  for (const text of ['', 'ff', 'FF'.repeat(32), 'gg'.repeat(32)]) {
    expect(() => keptWorkerSecret(text)).toThrow('32 bytes in lower-case hex')
  }
})

test('the invoice that a worker’s wallet is asked for lasts an hour longer than it must', () => {
  const milestone = { payoutMsat: 5_000n, invoiceNeededUntil: 10_500, maxFinalCltv: 144 }
  expect(invoiceTerms(milestone, 0)).toEqual({ amountMsat: 5_000n, expirySeconds: 3_611, maxFinalCltv: 144 })
  expect(invoiceTerms(milestone, 20_000)?.expirySeconds).toBe(3_600)
  expect(invoiceTerms({ ...milestone, invoiceNeededUntil: null }, 0)).toBeNull()
})
