import { describe, expect, test } from 'vitest'
import { bolt11, eventOn, outcomeOf, payRequest, type WorldOf } from './contract-world.ts'

export function describeInvoices(world: WorldOf): void {
  describe('Invoices', () => {
    test('an invoice is open, then paid with exactly its amount, and says so in an event', async () => {
      const { payer, payee } = world()
      const { invoice, paymentHash } = await payee.invoices.create({
        amountMsat: 123_457n,
        description: 'a coffee',
        expirySeconds: 600,
      })
      expect(await payee.invoices.lookup(paymentHash)).toEqual({ state: 'open' })
      const request = payRequest(bolt11(invoice), 123_457n)
      await payer.payer.pay(request)
      expect(await outcomeOf(payer, request.paymentId)).toMatchObject({ state: 'succeeded', paymentHash })
      expect(await eventOn(payee, paymentHash, 'payment-received')).toMatchObject({
        amountMsat: 123_457n,
        offerId: null,
      })
      expect(await payee.invoices.lookup(paymentHash)).toMatchObject({ state: 'paid', amountMsat: 123_457n })
    })

    test('an invoice without an amount takes what the payer chooses', async () => {
      const { payer, payee } = world()
      const { invoice, paymentHash } = await payee.invoices.create({
        description: 'a tip',
        expirySeconds: 600,
      })
      const request = payRequest(bolt11(invoice), 4_321n)
      await payer.payer.pay(request)
      expect(await outcomeOf(payer, request.paymentId)).toMatchObject({
        state: 'succeeded',
        amountMsat: 4_321n,
      })
      expect(await payee.invoices.lookup(paymentHash)).toMatchObject({ state: 'paid', amountMsat: 4_321n })
    })

    test('an unpaid invoice expires', async () => {
      const { payee } = world()
      const { paymentHash } = await payee.invoices.create({
        amountMsat: 1_000n,
        description: '',
        expirySeconds: 1,
      })
      await new Promise((resolve) => setTimeout(resolve, 1_050))
      expect(await payee.invoices.lookup(paymentHash)).toEqual({ state: 'expired' })
    })

    test('a hash that the node never saw is not known', async () => {
      expect(await world().payee.invoices.lookup('00'.repeat(32))).toBeNull()
    })

    test('a description longer than BOLT 11 allows is invalid', async () => {
      const { payee } = world()
      const creating = payee.invoices.create({
        amountMsat: 1n,
        description: 'x'.repeat(640),
        expirySeconds: 60,
      })
      await expect(creating).rejects.toMatchObject({ code: 'invalid' })
    })
  })
}
