import type { PaymentState } from '@holdfast/core/payments/payment-states'
import { expect, test } from 'vitest'
import { makeFreshPayments } from './fresh-payments.ts'

const payment = (id: string) => ({ id }) as PaymentState

test('a payment is taken once; those that nobody takes make room for others', () => {
  const fresh = makeFreshPayments(2)
  for (const id of ['a', 'b', 'c']) fresh.put(payment(id))
  expect(['a', 'b', 'b', 'c'].map((id) => fresh.take(id)?.id ?? null)).toEqual([null, 'b', null, 'c'])
})
