import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { BUYER, FEE_MSAT, PAYOUT_MSAT, type StartWorld, tellOnNodes, USUAL, WORKER } from './nodes-story.ts'

/** What becomes of escrows while all channels are open. */
export function describeEscrowsOnNodes(startWorld: StartWorld): void {
  describe('on real nodes', () => {
    const database = withDatabase()
    const story = tellOnNodes(database, startWorld)

    test('an order is funded, held, delivered, approved, paid and claimed; the operator keeps its fee', async () => {
      const before = await story.spendable()
      const id = await story.order()
      const { held, buyersPayment } = await story.fund(id)
      expect(held.heldMsat).toBe(PAYOUT_MSAT + FEE_MSAT)
      expect(held.schedule.deadlineHeight - (await story.world.height())).toBeGreaterThan(260)
      // The operator cannot claim: it does not know the preimage, and nobody else has been paid.
      expect(await buyersPayment()).toMatchObject({ state: 'pending' })
      await story.ask(id, {
        kind: 'submit-proof',
        by: WORKER,
        milestone: 0,
        text: 'Tracking 4711',
        digest: null,
      })
      await story.ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
      const released = await story.reach(id, 'released')
      expect(released).toMatchObject({
        paidMsat: PAYOUT_MSAT,
        heldMsat: PAYOUT_MSAT + FEE_MSAT,
        routingFeeMsat: 0n,
      })
      await expect.poll(buyersPayment).toMatchObject({ state: 'succeeded' })
      await expect
        .poll(() => story.gainsSince(before))
        .toEqual([-(PAYOUT_MSAT + FEE_MSAT), FEE_MSAT, PAYOUT_MSAT])
      const state = await story.slice.find(id)
      expect(state!.phase).toBe('completed')
      expect(await story.replayed(id)).toEqual(state)
      // No way of this hash into the tables: not even after the worker has revealed it.
      const kept = await database.queryAsOwner('select state::text as text from escrow where id = $1', [id])
      expect(String(kept[0]!.text)).not.toContain('preimage')
    }, 60_000)

    test('a refund gives the buyer everything back', async () => {
      const before = await story.spendable()
      const id = await story.order()
      const { buyersPayment } = await story.fund(id)
      await story.ask(id, { kind: 'refund', by: WORKER, milestone: 0 })
      expect(await story.reach(id, 'refunded')).toMatchObject({ cause: 'by-worker' })
      await expect.poll(buyersPayment).toMatchObject({ state: 'failed' })
      await expect.poll(story.spendable).toEqual(before)
      expect((await story.slice.find(id))!.phase).toBe('cancelled')
      expect(await story.replayed(id)).toEqual(await story.slice.find(id))
    }, 60_000)

    test('only the first of two payers is held, and whoever pays after the end gets the money back at once', async () => {
      const before = await story.spendable()
      const id = await story.order()
      const { held, fundingInvoice } = await story.fund(id)
      const payAgain = async () => {
        const { payer } = story.world.payee
        const paymentId = randomBytes(32).toString('hex')
        const destination = { kind: 'bolt11', invoice: fundingInvoice } as const
        await payer.pay({
          paymentId,
          destination,
          amountMsat: held.heldMsat,
          maxFeeMsat: 100_000n,
          timeoutMs: 5_000,
        })
        await expect.poll(() => payer.lookup(paymentId)).toMatchObject({ state: 'failed' })
      }
      await payAgain()
      expect(await story.phaseOf(id)).toBe('held')
      expect(await story.world.hub.holdInvoices.lookup(held.paymentHash)).toMatchObject({
        state: 'held',
        amountMsat: held.heldMsat,
      })
      await story.ask(id, { kind: 'refund', by: WORKER, milestone: 0 })
      await story.reach(id, 'refunded')
      await payAgain()
      // For ever: the hash is finished in the node's file, not in its memory.
      await story.world.hub.stop()
      await story.world.open('hub')
      await story.world.usable()
      await payAgain()
      await expect.poll(story.spendable).toEqual(before)
    }, 60_000)

    test('a coordinated task is funded before its worker is known; the operator pays first and claims with a preimage that it makes itself', async () => {
      const before = await story.spendable()
      const id = await story.task()
      const { buyersPayment } = await story.pay(id)
      await story.ask(id, { kind: 'apply', by: WORKER, message: '' })
      await story.ask(id, { kind: 'assign', by: BUYER, worker: WORKER })
      const invoice = await story.workersInvoice()
      await story.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice })
      expect(await buyersPayment()).toMatchObject({ state: 'pending' })
      await story.ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
      expect(await story.reach(id, 'released')).toMatchObject({ custody: 'coordinated' })
      await expect.poll(buyersPayment).toMatchObject({ state: 'succeeded' })
      await expect
        .poll(() => story.gainsSince(before))
        .toEqual([-(PAYOUT_MSAT + FEE_MSAT), FEE_MSAT, PAYOUT_MSAT])
      expect(await story.replayed(id)).toEqual(await story.slice.find(id))
    }, 60_000)

    test('two milestones are split between the parties', async () => {
      const before = await story.spendable()
      const id = await story.order(2)
      await story.fund(id, 0)
      await story.fund(id, 1)
      await story.ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
      await story.ask(id, { kind: 'refund', by: WORKER, milestone: 1 })
      await story.reach(id, 'released', 0)
      await story.reach(id, 'refunded', 1)
      await expect
        .poll(async () => (await story.spendable())[0]! - before[0]!)
        .toBe(-(PAYOUT_MSAT + FEE_MSAT))
      expect((await story.slice.find(id))!.phase).toBe('completed')
    }, 60_000)

    test('a preimage that comes before the release is claimed with, and the buyer is paid back', async () => {
      const before = await story.spendable()
      const id = await story.order()
      // The worker's wallet is a hold invoice here, so that the test knows the preimage that it gives away.
      const preimage = randomBytes(32).toString('hex')
      const paymentHash = createHash('sha256').update(Buffer.from(preimage, 'hex')).digest('hex')
      const { held } = await story.fund(id, 0, () => story.hesitantInvoice(paymentHash))
      const wrong = await story.slice.reportPreimage({ id, milestone: 0, preimage: '00'.repeat(32) })
      expect(wrong).toMatchObject({ refused: 'ESCROW_PREIMAGE_WRONG' })
      await story.slice.reportPreimage({ id, milestone: 0, preimage })
      expect(await story.reach(id, 'premature')).toMatchObject({ owedMsat: held.heldMsat })
      const { invoice } = await story.world.payer.invoices.create({
        amountMsat: held.heldMsat,
        description: 'refund',
        expirySeconds: 3_600,
      })
      await story.ask(id, { kind: 'submit-refund-invoice', by: BUYER, milestone: 0, invoice })
      await story.reach(id, 'repaid')
      await expect.poll(story.spendable).toEqual(before)
      expect(await story.replayed(id)).toEqual(await story.slice.find(id))
      const everything = await database.queryAsOwner(
        "select (select string_agg(data::text, '') from journal) || (select string_agg(state::text, '') from escrow) as text",
      )
      expect(String(everything[0]!.text)).not.toContain(preimage)
    }, 60_000)

    test('what nobody approved is given back by the guardian, well before the HTLC runs out', async () => {
      const before = await story.spendable()
      const id = await story.order()
      const { held } = await story.fund(id)
      await story.world.mine(held.schedule.guardianHeight - (await story.world.height()) - 1)
      expect(await story.slice.guard()).toBe(0)
      expect((await story.slice.find(id))!.milestones[0]!.phase).toBe('held')
      await story.world.mine(1)
      await story.slice.guard()
      expect(await story.reach(id, 'refunded')).toMatchObject({ cause: 'not-approved' })
      await expect.poll(story.spendable).toEqual(before)
      expect(await story.world.height()).toBeLessThan(held.schedule.deadlineHeight - 36)
    }, 90_000)

    // The last of them, because the buyer has one channel more afterwards.
    test('an amount too large for one channel comes in parts, is held when all are there, and is claimed whole', async () => {
      const { world } = story
      const spend = await world.hub.invoices.create({
        amountMsat: 3_000_000_000n,
        description: 'to leave less than the milestone needs',
        expirySeconds: 600,
      })
      const paymentId = randomBytes(32).toString('hex')
      await world.payer.payer.pay({
        paymentId,
        destination: { kind: 'bolt11', invoice: spend.invoice },
        amountMsat: 3_000_000_000n,
        maxFeeMsat: 0n,
        timeoutMs: 30_000,
      })
      await expect.poll(() => world.payer.payer.lookup(paymentId)).toMatchObject({ state: 'succeeded' })
      await world.rpc.sendToAddress(await world.payer.newAddress(), 2_100_000n)
      await world.mine(1)
      await world.payer.openChannel({ peer: world.hub.nodeId, amountSat: 2_000_000n })
      await world.mine(6)
      const usable = async () => (await world.payer.listChannels()).filter((channel) => channel.usable)
      await expect.poll(async () => (await usable()).length, { timeout: 30_000 }).toBe(2)

      const payoutMsat = 2_500_000_000n
      const most = (await usable()).map(({ outboundMsat }) => outboundMsat)
      for (const outboundMsat of most) expect(outboundMsat).toBeLessThan(payoutMsat)
      const id = await story.order(1, { ...USUAL, payoutMsat })
      const { held, buyersPayment } = await story.fund(id, 0, () => story.workersInvoice(payoutMsat))
      expect(held.heldMsat).toBe(payoutMsat + 25_001_000n)
      await story.ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
      await story.reach(id, 'released')
      await expect.poll(buyersPayment).toMatchObject({ state: 'succeeded' })
      const left = (await usable()).map(({ outboundMsat }) => outboundMsat)
      for (const [index, outboundMsat] of left.entries()) expect(outboundMsat).toBeLessThan(most[index]!)
      expect(await story.replayed(id)).toEqual(await story.slice.find(id))
    }, 120_000)
  })
}
