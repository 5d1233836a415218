import { setTimeout as sleep } from 'node:timers/promises'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import { describe, expect, test } from 'vitest'
import type { HoldInvoiceRequest, HoldState } from '../ports.ts'
import {
  bolt11,
  type ContractWorld,
  eventOn,
  eventually,
  freshId,
  freshSecret,
  isTrue,
  outcomeOf,
  payRequest,
  type WorldOf,
} from './contract-world.ts'
import { describeHoldClaims } from './hold-claims.contract.ts'

const AMOUNT_MSAT = 2_345_678n
const PAYOUT_MSAT = 2_000_000n
const FINAL_CLTV = 144

/** Longer than any backend takes to see that a time-out is over. */
const GIVEN_UP_AFTER_MS = 2_500
/** Each block is a commit of each node; a busy machine takes its time. */
const MANY_BLOCKS_MS = 90_000

const holdRequest = (paymentHash: string): HoldInvoiceRequest => ({
  paymentHash,
  amountMsat: AMOUNT_MSAT,
  description: 'an order',
  expirySeconds: 600,
  minFinalCltvExpiryDelta: FINAL_CLTV,
})

/** An ordinary invoice, as that of a worker. */
async function invoiceOf({ invoices }: ContractWorld['payer']) {
  const { invoice } = await invoices.create({
    amountMsat: PAYOUT_MSAT,
    description: 'work',
    expirySeconds: 600,
  })
  return { invoice, paymentHash: decodeInvoice(invoice).paymentHash }
}

/** Pays a hold invoice and waits until the payee holds it. */
export async function reachHeld({ payer, payee }: ContractWorld) {
  const secret = freshSecret()
  const { invoice } = await payee.holdInvoices.create(holdRequest(secret.paymentHash))
  const request = payRequest(bolt11(invoice), AMOUNT_MSAT)
  await payer.payer.pay(request)
  const held = await heldState({ payee }, secret.paymentHash)
  return { ...secret, invoice, paymentId: request.paymentId, held }
}

export function heldState({ payee }: Pick<ContractWorld, 'payee'>, paymentHash: string) {
  return eventually('the payment is held', async () => {
    const state = await payee.holdInvoices.lookup(paymentHash)
    return state?.state === 'held' ? state : null
  })
}

export function describeHoldInvoices(world: WorldOf): void {
  describe('HoldInvoices', () => {
    describeHoldClaims(async () => {
      const { payee } = world()
      const { paymentHash, preimage, held } = await reachHeld(world())
      await payee.holdInvoices.settle(paymentHash, preimage)
      return { holdInvoices: payee.holdInvoices, paymentHash, amountMsat: held.amountMsat }
    })

    test('a paid hold invoice is held with its amount and deadline, while the payment stays pending', async () => {
      const { payer, payee, height } = world()
      const { paymentHash, preimage, paymentId, held } = await reachHeld(world())
      expect(held.amountMsat).toBe(AMOUNT_MSAT)
      const blocksLeft = held.claimDeadlineHeight - (await height())
      expect(blocksLeft).toBeGreaterThan(FINAL_CLTV - 20)
      expect(await payer.payer.lookup(paymentId)).toEqual({ state: 'pending', paymentHash })
      expect(await eventOn(payee, paymentHash, 'hold-accepted')).toMatchObject({ amountMsat: AMOUNT_MSAT })
      await payee.holdInvoices.settle(paymentHash, preimage)
    })

    test('a payment that its payer had given up by the time it is settled tells the fee that it cost', async () => {
      const { payer, payee } = world()
      const before = await payer.funds.balance()
      const { paymentHash, preimage } = freshSecret()
      const { invoice } = await payee.holdInvoices.create(holdRequest(paymentHash))
      const request = payRequest(bolt11(invoice), AMOUNT_MSAT, { timeoutMs: 0 })
      await payer.payer.pay(request)
      await heldState({ payee }, paymentHash)
      await sleep(GIVEN_UP_AFTER_MS)
      await payee.holdInvoices.settle(paymentHash, preimage)
      const outcome = await outcomeOf(payer, request.paymentId)
      if (outcome.state !== 'succeeded') throw new Error(`The payment ${outcome.state}.`)
      expect(outcome.feeMsat).toBeGreaterThan(0n)
      await isTrue('amount and fee are gone', async () => {
        const { lightningMsat } = await payer.funds.balance()
        return before.lightningMsat - lightningMsat === AMOUNT_MSAT + outcome.feeMsat
      })
    })

    test('settling claims it, the payer has paid, and settling again is success', async () => {
      const { payer, payee } = world()
      const { paymentHash, preimage, paymentId } = await reachHeld(world())
      await payee.holdInvoices.settle(paymentHash, preimage)
      expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded', amountMsat: AMOUNT_MSAT })
      expect(await eventOn(payee, paymentHash, 'hold-settled')).toMatchObject({ amountMsat: AMOUNT_MSAT })
      await payee.holdInvoices.settle(paymentHash, preimage)
      expect(await payee.holdInvoices.lookup(paymentHash)).toMatchObject({
        state: 'settled',
        amountMsat: AMOUNT_MSAT,
      })
      await expect(payee.holdInvoices.cancel(paymentHash)).rejects.toMatchObject({ code: 'conflict' })
    })

    test('a hold on a hash of its own needs no preimage from outside to be settled', async () => {
      const { payer, payee } = world()
      const label = freshId()
      const paymentHash = await payee.ownHolds.paymentHash(label)
      expect(await payee.ownHolds.paymentHash(label)).toBe(paymentHash)
      expect(await payee.ownHolds.paymentHash(freshId())).not.toBe(paymentHash)
      await expect(payee.ownHolds.settle(label)).rejects.toMatchObject({ code: 'not-held' })
      const { invoice } = await payee.holdInvoices.create(holdRequest(paymentHash))
      const request = payRequest(bolt11(invoice), AMOUNT_MSAT)
      await payer.payer.pay(request)
      await heldState({ payee }, paymentHash)
      await payee.ownHolds.settle(label)
      expect(await outcomeOf(payer, request.paymentId)).toMatchObject({ state: 'succeeded', paymentHash })
      await payee.ownHolds.settle(label)
      await expect(payee.ownHolds.paymentHash('')).rejects.toMatchObject({ code: 'invalid' })
    })

    test('what may be paid only while its hash is held is refused before and after, and kept by nobody', async () => {
      const { payer: buyer, payee: operator } = world()
      const { paymentHash, invoice } = await invoiceOf(buyer)
      const { invoice: hold } = await operator.holdInvoices.create(holdRequest(paymentHash))
      const payout = payRequest(bolt11(invoice), PAYOUT_MSAT, { whileHeld: paymentHash })
      const isRefused = async () => {
        await expect(operator.payer.pay(payout)).rejects.toMatchObject({ code: 'not-held' })
        expect(await operator.payer.lookup(payout.paymentId)).toBeNull()
      }
      await isRefused()
      await buyer.payer.pay(payRequest(bolt11(hold), AMOUNT_MSAT))
      await heldState({ payee: operator }, paymentHash)
      await operator.holdInvoices.cancel(paymentHash)
      await isRefused()
    })

    test('what is paid while its hash is held buys the preimage; asked again, it is as it was', async () => {
      const { payer: buyer, payee: operator } = world()
      const { paymentHash, invoice } = await invoiceOf(buyer)
      const { invoice: hold } = await operator.holdInvoices.create(holdRequest(paymentHash))
      const funding = payRequest(bolt11(hold), AMOUNT_MSAT)
      await buyer.payer.pay(funding)
      await heldState({ payee: operator }, paymentHash)
      const payout = payRequest(bolt11(invoice), PAYOUT_MSAT, { whileHeld: paymentHash })
      expect(await operator.payer.pay(payout)).toMatchObject({ state: 'pending' })
      expect(await outcomeOf(operator, payout.paymentId)).toMatchObject({ state: 'succeeded' })
      expect(await outcomeOf(buyer, funding.paymentId)).toMatchObject({ state: 'succeeded' })
      expect(await operator.payer.pay(payout)).toMatchObject({ state: 'succeeded', paymentHash })
    })

    test('cancelling gives the money back, and cancelling again is success', async () => {
      const { payer, payee } = world()
      const before = await payer.funds.balance()
      const { paymentHash, preimage, paymentId } = await reachHeld(world())
      await payee.holdInvoices.cancel(paymentHash)
      expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'failed', reason: 'rejected' })
      await payee.holdInvoices.cancel(paymentHash)
      expect(await payee.holdInvoices.lookup(paymentHash)).toEqual({ state: 'cancelled' })
      await eventOn(payee, paymentHash, 'hold-cancelled')
      await isTrue('the balance is restored', async () => {
        return (await payer.funds.balance()).lightningMsat === before.lightningMsat
      })
      await expect(payee.holdInvoices.settle(paymentHash, preimage)).rejects.toMatchObject({
        code: 'not-held',
      })
    })

    test('an HTLC on a cancelled hash is failed at once, for ever', async () => {
      const { payer, payee } = world()
      const { paymentHash, paymentId, invoice } = await reachHeld(world())
      await payee.holdInvoices.cancel(paymentHash)
      await outcomeOf(payer, paymentId)
      const again = payRequest(bolt11(invoice), AMOUNT_MSAT)
      await payer.payer.pay(again)
      expect(await outcomeOf(payer, again.paymentId)).toMatchObject({ state: 'failed', reason: 'rejected' })
      expect(await payee.holdInvoices.lookup(paymentHash)).toEqual({ state: 'cancelled' })
    })

    test('an invoice cancelled before anybody pays refuses the payment', async () => {
      const { payer, payee } = world()
      const { paymentHash } = freshSecret()
      const { invoice } = await payee.holdInvoices.create(holdRequest(paymentHash))
      await payee.holdInvoices.cancel(paymentHash)
      const request = payRequest(bolt11(invoice), AMOUNT_MSAT)
      await payer.payer.pay(request)
      expect(await outcomeOf(payer, request.paymentId)).toMatchObject({ state: 'failed', reason: 'rejected' })
    })

    test('creating twice answers the same invoice; other terms on the same hash are a conflict', async () => {
      const { payee } = world()
      const { paymentHash } = freshSecret()
      const first = await payee.holdInvoices.create(holdRequest(paymentHash))
      expect(await payee.holdInvoices.create(holdRequest(paymentHash))).toEqual(first)
      const other = { ...holdRequest(paymentHash), amountMsat: AMOUNT_MSAT + 1n }
      await expect(payee.holdInvoices.create(other)).rejects.toMatchObject({ code: 'conflict' })
    })

    test('nothing is settled that is not held, or with a preimage of another hash', async () => {
      const { payee } = world()
      const { paymentHash, preimage } = freshSecret()
      await payee.holdInvoices.create(holdRequest(paymentHash))
      expect(await payee.holdInvoices.lookup(paymentHash)).toEqual({ state: 'open' })
      await expect(payee.holdInvoices.settle(paymentHash, preimage)).rejects.toMatchObject({
        code: 'not-held',
      })
      const wrong = payee.holdInvoices.settle(paymentHash, freshSecret().preimage)
      await expect(wrong).rejects.toMatchObject({ code: 'invalid' })
      expect(await payee.holdInvoices.lookup('00'.repeat(32))).toBeNull()
      await expect(payee.holdInvoices.cancel('00'.repeat(32))).rejects.toMatchObject({ code: 'not-held' })
    })

    test('malformed hashes, amounts, expiries and CLTVs are invalid', async () => {
      const { payee } = world()
      const good = holdRequest(freshSecret().paymentHash)
      for (const wrong of [
        { paymentHash: 'abc' },
        { amountMsat: 0n },
        { amountMsat: 2n ** 64n },
        { expirySeconds: 0 },
        { expirySeconds: 1.5 },
        { minFinalCltvExpiryDelta: 3 },
        { minFinalCltvExpiryDelta: 70_000 },
      ])
        await expect(payee.holdInvoices.create({ ...good, ...wrong })).rejects.toMatchObject({
          code: 'invalid',
        })
    })

    test('a watcher hears every change', async () => {
      const { payer, payee } = world()
      const secret = freshSecret()
      const { invoice } = await payee.holdInvoices.create(holdRequest(secret.paymentHash))
      const heard: HoldState['state'][] = []
      const stop = payee.holdInvoices.watch(secret.paymentHash, ({ state }) => heard.push(state))
      try {
        const request = payRequest(bolt11(invoice), AMOUNT_MSAT)
        await payer.payer.pay(request)
        await isTrue('held is heard', async () => heard.includes('held'))
        await payee.holdInvoices.settle(secret.paymentHash, secret.preimage)
        await isTrue('settled is heard', async () => heard.includes('settled'))
      } finally {
        stop()
      }
    })

    test(
      'at its claim deadline a hold is cancelled and the payer has the money back',
      async () => {
        const { payer, payee, height, mine } = world()
        const { paymentHash, paymentId, held, preimage } = await reachHeld(world())
        await mine(held.claimDeadlineHeight - (await height()))
        expect(await payee.holdInvoices.lookup(paymentHash)).toEqual({ state: 'cancelled' })
        expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'failed' })
        await expect(payee.holdInvoices.settle(paymentHash, preimage)).rejects.toMatchObject({
          code: 'not-held',
        })
      },
      MANY_BLOCKS_MS,
    )
  })
}
