import { createHash } from 'node:crypto'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import { describe, expect, test } from 'vitest'
import type { InvoiceRequest } from '../ports.ts'
import { bolt11, eventOn, outcomeOf, payRequest, type WorldOf } from './contract-world.ts'

const SUPPLY_MSAT = 2_100_000_000_000_000_000n
/** Some libraries hold a tenth of a millisatoshi in 64 bits, which is a little less than the supply. */
const MILLION_BITCOIN_MSAT = 100_000_000_000_000_000n

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

    test('an invoice on the hash of a description says that hash and nothing else, and is paid', async () => {
      const { payer, payee } = world()
      const descriptionHash = createHash('sha256').update('a long story, told elsewhere').digest('hex')
      const { invoice, paymentHash } = await payee.invoices.create({
        amountMsat: 21_001n,
        descriptionHash,
        expirySeconds: 600,
      })
      const decoded = decodeInvoice(invoice)
      expect(decoded).toMatchObject({ paymentHash, amountMsat: 21_001n, payee: payee.nodeId })
      expect(decoded.description).toEqual({ hash: descriptionHash })
      const request = payRequest(bolt11(invoice), 21_001n)
      await payer.payer.pay(request)
      expect(await outcomeOf(payer, request.paymentId)).toMatchObject({ state: 'succeeded', paymentHash })
      expect(await payee.invoices.lookup(paymentHash)).toMatchObject({ state: 'paid', amountMsat: 21_001n })
    })

    test('the smallest amount and a huge one stand in the invoice as they were asked for', async () => {
      const { payee } = world()
      for (const amountMsat of [1n, MILLION_BITCOIN_MSAT]) {
        const made = await payee.invoices.create({ amountMsat, description: '', expirySeconds: 60 })
        expect(decodeInvoice(made.invoice).amountMsat).toBe(amountMsat)
      }
    })

    const ok = { amountMsat: 1n, description: 'x', expirySeconds: 60 }
    const { description: _, ...undescribed } = ok
    test.each<[string, object]>([
      ['a description longer than BOLT 11 allows', { ...ok, description: 'x'.repeat(640) }],
      ['a description and a hash', { ...ok, descriptionHash: '00'.repeat(32) }],
      ['neither a description nor a hash', undescribed],
      ['a hash of 31 bytes', { ...undescribed, descriptionHash: '00'.repeat(31) }],
      ['a hash in capitals', { ...undescribed, descriptionHash: 'AB'.repeat(32) }],
      ['the amount 0', { ...ok, amountMsat: 0n }],
      ['a negative amount', { ...ok, amountMsat: -1n }],
      ['more than the supply', { ...ok, amountMsat: SUPPLY_MSAT + 1n }],
      ['an expiry of 0', { ...ok, expirySeconds: 0 }],
      ['half a second', { ...ok, expirySeconds: 0.5 }],
    ])('%s is invalid', async (_, request) => {
      const creating = world().payee.invoices.create(request as InvoiceRequest)
      await expect(creating).rejects.toMatchObject({ code: 'invalid' })
    })
  })
}
