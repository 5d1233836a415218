import { parseOffer } from '@holdfast/protocols/bolt12'
import { describe, expect, test } from 'vitest'
import { bolt12, eventOn, freshId, outcomeOf, payRequest, type WorldOf } from './contract-world.ts'

export function describeOffers(world: WorldOf): void {
  describe('Offers', () => {
    test('an offer with amount, description, issuer and expiry says so and is paid', async () => {
      const { payer, payee } = world()
      const offerId = freshId()
      const expiresAt = Date.now() + 3_600_000
      const wanted = { offerId, amountMsat: 777_001n, description: 'one coffee', issuer: 'Alice', expiresAt }
      const { offer } = await payee.offers.create(wanted)
      expect(parseOffer(offer)).toMatchObject({
        amount: { msat: 777_001n },
        description: 'one coffee',
        issuer: 'Alice',
        absoluteExpirySeconds: BigInt(Math.floor(expiresAt / 1000)),
      })
      const request = payRequest(bolt12(offer), 777_001n)
      await payer.payer.pay(request)
      const outcome = await outcomeOf(payer, request.paymentId)
      expect(outcome).toMatchObject({ state: 'succeeded', amountMsat: 777_001n })
      if (outcome.state !== 'succeeded') return
      expect(await eventOn(payee, outcome.paymentHash, 'payment-received')).toMatchObject({
        amountMsat: 777_001n,
        offerId,
      })
    })

    test('an offer without an amount is paid several times, each with what its payer chooses', async () => {
      const { payer, payee } = world()
      const { offer } = await payee.offers.create({ offerId: freshId() })
      for (const amountMsat of [5_000n, 6_001n]) {
        const request = payRequest({ ...bolt12(offer), payerNote: 'thank you' }, amountMsat)
        await payer.payer.pay(request)
        expect(await outcomeOf(payer, request.paymentId)).toMatchObject({ state: 'succeeded', amountMsat })
      }
    })

    test('asking twice with one id answers the same offer, and the list has it once', async () => {
      const { payee } = world()
      const offerId = freshId()
      const { offer } = await payee.offers.create({ offerId, description: 'x' })
      expect(await payee.offers.create({ offerId, description: 'x' })).toEqual({ offer })
      const listed = (await payee.offers.list()).filter((record) => record.offerId === offerId)
      expect(listed).toEqual([{ offerId, offer, enabled: true, createdAt: expect.any(Number) }])
    })

    test('a disabled offer is not answered any more', async () => {
      const { payer, payee } = world()
      const offerId = freshId()
      const { offer } = await payee.offers.create({ offerId, amountMsat: 1_000n, description: 'gone' })
      await payee.offers.disable(offerId)
      await payee.offers.disable(offerId)
      await payee.offers.disable('an offer that never was')
      const request = payRequest(bolt12(offer), 1_000n, { timeoutMs: 1_000 })
      await payer.payer.pay(request)
      expect(await outcomeOf(payer, request.paymentId)).toEqual({
        state: 'failed',
        paymentHash: null,
        reason: 'invoice-request-unanswered',
      })
      expect((await payee.offers.list()).find((record) => record.offerId === offerId)?.enabled).toBe(false)
    })

    test('a payer note of any length does no harm to the payee', async () => {
      const { payer, payee } = world()
      const { offer } = await payee.offers.create({ offerId: freshId() })
      // Two bytes a character after a single one: every even byte lies inside a character.
      const rude = payRequest({ ...bolt12(offer), payerNote: `x${'é'.repeat(400)}` }, 1_000n, {
        timeoutMs: 1_000,
      })
      await payer.payer.pay(rude)
      expect(await outcomeOf(payer, rude.paymentId)).toMatchObject({ state: 'failed' })
      const polite = payRequest({ ...bolt12(offer), payerNote: 'é'.repeat(256) }, 1_000n)
      await payer.payer.pay(polite)
      expect(await outcomeOf(payer, polite.paymentId)).toMatchObject({ state: 'succeeded' })
    })

    test.each(['alice@shop.test', 'al_ice-1.x@xn--bcher-kva.example'])(
      'the payee is told that %s is paid',
      async (name) => {
        const { payer, payee } = world()
        const offerId = freshId()
        const { offer } = await payee.offers.create({ offerId, description: 'one of many' })
        const request = payRequest({ ...bolt12(offer), payee: name, payerNote: 'with a note' }, 1_003n)
        await payer.payer.pay(request)
        const outcome = await outcomeOf(payer, request.paymentId)
        expect(outcome).toMatchObject({ state: 'succeeded', amountMsat: 1_003n })
        if (outcome.state !== 'succeeded') return
        const received = await eventOn(payee, outcome.paymentHash, 'payment-received')
        expect(received).toMatchObject({ offerId, payee: name })
      },
    )

    test('of who names no payee the event says so', async () => {
      const { payer, payee } = world()
      const { offer } = await payee.offers.create({ offerId: freshId() })
      const request = payRequest(bolt12(offer), 1_004n)
      await payer.payer.pay(request)
      const outcome = await outcomeOf(payer, request.paymentId)
      if (outcome.state !== 'succeeded') throw new Error('The payment failed.')
      expect(await eventOn(payee, outcome.paymentHash, 'payment-received')).not.toHaveProperty('payee')
    })

    test('an offer for the names of one domain is paid by who names one of them, and by nobody else', async () => {
      const { payer, payee } = world()
      const { offer } = await payee.offers.create({ offerId: freshId(), payeeDomain: 'shop.test' })
      const tell = async (name?: string) => {
        const request = payRequest({ ...bolt12(offer), ...(name !== undefined && { payee: name }) }, 1_005n)
        await payer.payer.pay(request)
        return outcomeOf(payer, request.paymentId)
      }
      expect(await tell('Bob@Shop.test')).toMatchObject({ state: 'succeeded' })
      const rejected = { state: 'failed', reason: 'invoice-request-rejected' }
      for (const name of [undefined, 'bob@shop.example', 'bob@other.shop.test', 'shop.test@example.com'])
        expect(await tell(name)).toMatchObject(rejected)
    })

    test.each(['bob', 'bob@', '@shop.test', 'b b@shop.test', 'ü@shop.test', `${'b'.repeat(256)}@shop.test`])(
      'nobody can be paid as %s',
      async (name) => {
        const { payer, payee } = world()
        const { offer } = await payee.offers.create({ offerId: freshId() })
        const paying = payer.payer.pay(payRequest({ ...bolt12(offer), payee: name }, 1_000n))
        await expect(paying).rejects.toMatchObject({ code: 'invalid' })
      },
    )

    test('an offer of zero is invalid', async () => {
      const creating = world().payee.offers.create({ offerId: freshId(), amountMsat: 0n, description: 'x' })
      await expect(creating).rejects.toMatchObject({ code: 'invalid' })
    })
  })
}
