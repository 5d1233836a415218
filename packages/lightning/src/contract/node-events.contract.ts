import { describe, expect, test } from 'vitest'
import { allEvents, bolt11, outcomeOf, payRequest, type WorldOf } from './contract-world.ts'

export function describeNodeEvents(world: WorldOf): void {
  const payOnce = async () => {
    const { payer, payee } = world()
    const { invoice } = await payee.invoices.create({
      amountMsat: 1_001n,
      description: 'x',
      expirySeconds: 60,
    })
    const request = payRequest(bolt11(invoice), 1_001n)
    await payer.payer.pay(request)
    await outcomeOf(payer, request.paymentId)
  }

  describe('NodeEvents', () => {
    test('cursors ascend, and a reader that resumes from one misses and repeats nothing', async () => {
      const { payer } = world()
      await payOnce()
      const all = await allEvents(payer)
      expect(all.map((event) => event.cursor)).toEqual(all.map((event) => event.cursor).sort((a, b) => a - b))
      const middle = all[Math.floor(all.length / 2)]
      if (!middle) throw new Error('A payment leaves an event.')
      const rest = await payer.events.since(middle.cursor)
      expect(rest).toEqual(all.filter((event) => event.cursor > middle.cursor))
      expect(await payer.events.since(0, { limit: 1 })).toEqual(all.slice(0, 1))
    })

    test('what was acknowledged just now is still there for others', async () => {
      const { payer } = world()
      await payOnce()
      const all = await allEvents(payer)
      const last = all.at(-1)?.cursor ?? 0
      await payer.events.acknowledge(last)
      await payer.events.acknowledge(0)
      expect(await allEvents(payer)).toEqual(all)
      await expect(payer.events.acknowledge(-1)).rejects.toMatchObject({ code: 'invalid' })
    })

    test('a reader at the end waits for the next event, and no longer than it said', async () => {
      const { payer } = world()
      const last = (await allEvents(payer)).at(-1)?.cursor ?? 0
      const startedAt = Date.now()
      expect(await payer.events.since(last, { waitMs: 100 })).toEqual([])
      expect(Date.now() - startedAt).toBeGreaterThanOrEqual(95)
      const waiting = payer.events.since(last, { waitMs: 10_000 })
      await payOnce()
      expect(await waiting).toMatchObject([{ kind: 'payment-succeeded', amountMsat: 1_001n }])
    })
  })
}
