import { encodeOffer } from '@holdfast/protocols/bolt12'
import { describe, expect, test } from 'vitest'
import type { PayRequest } from '../ports.ts'
import {
  allEvents,
  bolt11,
  bolt12,
  eventually,
  type FullNode,
  freshId,
  outcomeOf,
  payRequest,
  type WorldOf,
} from './contract-world.ts'

/** From BOLT 11's examples: on Bitcoin's main chain. */
const MAINNET_INVOICE =
  'lnbc1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq9qrsgq357wnc5r2ueh7ck6q93dj32dlqnls087fxdwk8qakdyafkq3yap9us6v52vjjsrvywa6rt52cm9r9zqt8r2t7mlcwspyetp5h2tztugp9lfyql'

/** Genesis hash in internal byte order. */
const REGTEST_CHAIN = '06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f'
/** Of a regtest node, from September 2020, for one hour and 1,000 msat. */
const EXPIRED_INVOICE =
  'lnbcrt10n1p04uyqqdqdd3hkueeqv9nk7np4qf7lqwcm7e8fg4aay624g35ptjc69avdhvjcd0cgkururuefjw59zpp5s80sjus57wjfrmwm343t64rhskdaey0j4znkz3jlrurfp6m6xykqsp5cusp8f8xz6qeqsfz05jxv82ntnvtese6sgmumj2m8cgqs52jy7gq9qyysgqcqpcxqrrssnvr766xxdmhm4tspx7w3h2zka3vq42zzypzda27yc8pyd024rmdy7lqe3shtqaz8l07m92gjxnkdk7q5n2duvjewuumc380n07l7f0cql6fnqc'

export function describePayer(world: WorldOf): void {
  const invoiceOf = async (amountMsat: bigint) =>
    world().payee.invoices.create({ amountMsat, description: 'x', expirySeconds: 600 })
  const paying = async (node: FullNode, request: PayRequest) => {
    await node.payer.pay(request)
    return outcomeOf(node, request.paymentId)
  }

  describe('Payer', () => {
    test('balances of payer and payee change by the amount and the fee, to the msat', async () => {
      const { payer, payee } = world()
      const before = { payer: await payer.funds.balance(), payee: await payee.funds.balance() }
      const { invoice } = await invoiceOf(1_234_567n)
      const outcome = await paying(payer, payRequest(bolt11(invoice), 1_234_567n))
      if (outcome.state !== 'succeeded') throw new Error(`The payment ${outcome.state}.`)
      expect(outcome.feeMsat).toBeGreaterThan(0n)
      await eventually('the balances settle', async () => {
        const after = { payer: await payer.funds.balance(), payee: await payee.funds.balance() }
        const paid = before.payer.lightningMsat - after.payer.lightningMsat === 1_234_567n + outcome.feeMsat
        return paid && after.payee.lightningMsat - before.payee.lightningMsat === 1_234_567n ? true : null
      })
    })

    test('a look-up that may wait tells the end of a payment, and sooner what is known already', async () => {
      const { payer } = world()
      const { invoice } = await invoiceOf(8_000n)
      const request = payRequest(bolt11(invoice), 8_000n)
      expect(await payer.payer.lookup(request.paymentId, { waitMs: 20_000 })).toBeNull()
      await payer.payer.pay(request)
      const short = await payer.payer.lookup(request.paymentId, { waitMs: 1 })
      expect(short?.state).toMatch(/^(pending|succeeded)$/)
      const ended = await payer.payer.lookup(request.paymentId, { waitMs: 20_000 })
      expect(ended).toMatchObject({ state: 'succeeded', amountMsat: 8_000n })
      expect(await payer.payer.lookup(request.paymentId, { waitMs: 20_000 })).toEqual(ended)
    })

    test('what was expected is paid as if nobody had said so, and what is never paid costs nothing', async () => {
      const { payer } = world()
      const before = await payer.funds.balance()
      const [paid, unpaid] = [await invoiceOf(8_000n), await invoiceOf(9_000n)]
      for (const destination of [bolt11(paid.invoice), bolt11(unpaid.invoice), bolt11('no invoice')])
        payer.payer.expect?.(destination)
      const outcome = await paying(payer, payRequest(bolt11(paid.invoice), 8_000n))
      if (outcome.state !== 'succeeded') throw new Error(`The payment ${outcome.state}.`)
      await eventually('the balance settles', async () => {
        const after = await payer.funds.balance()
        return before.lightningMsat - after.lightningMsat === 8_000n + outcome.feeMsat ? true : null
      })
      await expect(payer.payer.pay(payRequest(bolt11('no invoice'), 1n))).rejects.toMatchObject({
        code: 'invalid',
      })
    })

    test('one payment id never pays twice, also when asked ten times at once', async () => {
      const { payer, payee } = world()
      const { offer } = await payee.offers.create({
        offerId: freshId(),
        amountMsat: 9_000n,
        description: 'x',
      })
      const request = payRequest(bolt12(offer), 9_000n)
      await Promise.all(Array.from({ length: 10 }, () => payer.payer.pay(request)))
      const outcome = await outcomeOf(payer, request.paymentId)
      expect(outcome.state).toBe('succeeded')
      expect(await payer.payer.pay(request)).toEqual(outcome)
      const succeeded = (await allEvents(payer)).filter(
        (event) => event.kind === 'payment-succeeded' && event.paymentId === request.paymentId,
      )
      expect(succeeded).toHaveLength(1)
    })

    test('one invoice is not paid under two payment ids', async () => {
      const { payer } = world()
      const { invoice } = await invoiceOf(7_000n)
      expect(await paying(payer, payRequest(bolt11(invoice), 7_000n))).toMatchObject({ state: 'succeeded' })
      await expect(payer.payer.pay(payRequest(bolt11(invoice), 7_000n))).rejects.toMatchObject({
        code: 'conflict',
      })
    })

    test('a fee cap below the route is no route, by invoice and by offer', async () => {
      const { payer, payee } = world()
      const { invoice } = await invoiceOf(50_000n)
      const { offer } = await payee.offers.create({
        offerId: freshId(),
        amountMsat: 50_000n,
        description: 'x',
      })
      for (const destination of [bolt11(invoice), bolt12(offer)]) {
        const outcome = await paying(payer, payRequest(destination, 50_000n, { maxFeeMsat: 0n }))
        expect(outcome).toMatchObject({ state: 'failed', reason: 'no-route' })
      }
    })

    test('what has failed stays so under its id, and may be paid once under another', async () => {
      const { payer, payee } = world()
      const { invoice } = await invoiceOf(60_000n)
      const { offer } = await payee.offers.create({
        offerId: freshId(),
        amountMsat: 60_000n,
        description: 'x',
      })
      for (const destination of [bolt11(invoice), bolt12(offer)]) {
        const request = payRequest(destination, 60_000n, { maxFeeMsat: 0n })
        const failed = await paying(payer, request)
        expect(failed).toMatchObject({ state: 'failed' })
        expect(await payer.payer.pay({ ...request, maxFeeMsat: 20_000n })).toEqual(failed)
        const again = await paying(payer, payRequest(destination, 60_000n))
        expect(again).toMatchObject({ state: 'succeeded' })
        expect(await payer.payer.lookup(request.paymentId)).toEqual(failed)
      }
    })

    test('a CLTV cap below the route is no route, by invoice and by offer', async () => {
      const { payer, payee } = world()
      const { invoice } = await invoiceOf(50_000n)
      const { offer } = await payee.offers.create({
        offerId: freshId(),
        amountMsat: 50_000n,
        description: 'x',
      })
      for (const destination of [bolt11(invoice), bolt12(offer)]) {
        const request = payRequest(destination, 50_000n, { maxTotalCltvExpiryDelta: 20 })
        expect(await paying(payer, request)).toMatchObject({ state: 'failed', reason: 'no-route' })
      }
    })

    test('an expired invoice and an expired offer fail as expired', async () => {
      const { payer, payee } = world()
      const offer = encodeOffer({
        chains: [REGTEST_CHAIN],
        issuerId: payee.nodeId,
        absoluteExpirySeconds: 1_600_000_000n,
      }).text
      for (const destination of [bolt11(EXPIRED_INVOICE), bolt12(offer)]) {
        const outcome = await payer.payer.pay(payRequest(destination, 1_000n))
        expect(outcome).toMatchObject({ state: 'failed', reason: 'expired' })
      }
    })

    test('more than the channels can send, which is less than they hold, is insufficient funds', async () => {
      const { payer } = world()
      const { lightningMsat, sendableMsat } = await payer.funds.balance()
      expect(sendableMsat).toBeLessThan(lightningMsat)
      const { invoice } = await invoiceOf(sendableMsat + 1n)
      const outcome = await paying(payer, payRequest(bolt11(invoice), sendableMsat + 1n))
      expect(outcome).toMatchObject({ state: 'failed', reason: 'insufficient-funds' })
    })

    test('destinations of another chain, with another amount, malformed or our own are invalid', async () => {
      const { payer, payee } = world()
      const { invoice } = await invoiceOf(1_000n)
      const own = await payer.invoices.create({ amountMsat: 1_000n, description: 'x', expirySeconds: 60 })
      const { offer } = await payee.offers.create({
        offerId: freshId(),
        amountMsat: 1_000n,
        description: 'x',
      })
      const mainnetOffer = encodeOffer({ issuerId: payee.nodeId }).text
      const wrong: [PayRequest['destination'], bigint][] = [
        [bolt11(MAINNET_INVOICE), 1_000n],
        [bolt12(mainnetOffer), 1_000n],
        [bolt11(invoice), 999n],
        [bolt12(offer), 1_001n],
        [bolt11(`${invoice.slice(0, -1)}b`), 1_000n],
        [bolt12('lno1nonsense'), 1_000n],
        [bolt11(own.invoice), 1_000n],
        [bolt11(invoice), 0n],
      ]
      for (const [destination, amountMsat] of wrong) {
        const request = payRequest(destination, amountMsat)
        await expect(payer.payer.pay(request)).rejects.toMatchObject({ code: 'invalid' })
        expect(await payer.payer.lookup(request.paymentId)).toBeNull()
      }
      const badId = payRequest(bolt11(invoice), 1_000n, { paymentId: 'short' })
      await expect(payer.payer.pay(badId)).rejects.toMatchObject({ code: 'invalid' })
      const badFee = payRequest(bolt11(invoice), 1_000n, { maxFeeMsat: -1n })
      await expect(payer.payer.pay(badFee)).rejects.toMatchObject({ code: 'invalid' })
    })

    test('a payment that was never made is not known', async () => {
      expect(await world().payer.payer.lookup(freshId())).toBeNull()
    })
  })
}
