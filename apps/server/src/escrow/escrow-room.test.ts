import { randomBytes } from 'node:crypto'
import { isRefusal } from '@holdfast/core'
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import {
  BUYER,
  type EscrowWorld,
  FEE_MSAT,
  makeEscrowWorld,
  PAYOUT_MSAT,
  WORKER,
} from './testing/escrow-world.ts'

const database = withDatabase()
let world: EscrowWorld

beforeEach(() => {
  world = makeEscrowWorld(database)
})

/** An order with a hash of its own, ready to be funded. */
async function readyToFund(): Promise<string> {
  const id = await world.start()
  await giveInvoice(id)
  return id
}

async function giveInvoice(id: string): Promise<void> {
  const invoice = world.invoiceOf({ paymentHash: randomBytes(32).toString('hex') })
  await world.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice })
}

const fund = (id: string) => world.tryAsk(id, { kind: 'fund', by: BUYER, milestone: 0 })

/** The jobs of one escrow, those of the others stay. */
async function perform(id: string, task: string): Promise<void> {
  const job = world.queue.findLast((queued) => queued.task === `escrow:${task}` && queued.payload.id === id)
  await world.perform(job!)
}

/** The buyer's money arrives at the node, which nobody has been told yet. */
async function pay(id: string): Promise<string> {
  await perform(id, 'create-hold')
  const { paymentHash } = await world.milestoneIn(id, 'awaiting-funds')
  world.node.buyerPays(paymentHash)
  return paymentHash
}

/** Those of other tests stay where they are. */
async function taken(): Promise<{ msat: bigint; holds: number }> {
  const { rows } = await sql<{ msat: bigint; holds: bigint }>`
    select coalesce(sum(committed_msat), 0)::bigint as msat, coalesce(sum(taken_holds), 0)::bigint as holds
    from escrow`.execute(database.db)
  return { msat: rows[0]!.msat, holds: Number(rows[0]!.holds) }
}

const COST_MSAT = PAYOUT_MSAT + 100_000n

describe('room is for who pays', () => {
  test.each([
    [
      'liquidity',
      (before: { msat: bigint }) => {
        world.node.spendableMsat = before.msat + COST_MSAT
      },
      'ESCROW_LIQUIDITY_LACKING',
    ],
    [
      'places',
      (before: { holds: number }) => {
        world.limits.ofAll = before.holds + 1
      },
      'ESCROW_HOLDS_FULL',
    ],
  ] as const)(
    '%s: any number may ask for an invoice, and of those who pay the first are held; the others have it back',
    async (_what, leaveRoomForOne, refused) => {
      const before = await taken()
      leaveRoomForOne(before)
      const ids = await Promise.all([readyToFund(), readyToFund(), readyToFund()])
      const answers = await Promise.all(ids.map(fund))
      expect(answers.filter(isRefusal)).toEqual([])
      expect(await taken()).toEqual(before)

      // The one who asked first does not pay.
      const [, quick, slow] = ids as [string, string, string]
      await pay(quick)
      await world.slice.follow()
      await world.milestoneIn(quick, 'held')
      expect(await taken()).toEqual({ msat: before.msat + COST_MSAT, holds: before.holds + 1 })
      const paymentHash = await pay(slow)
      await world.slice.follow()
      await world.milestoneIn(slow, 'closing')
      await perform(slow, 'cancel-hold')
      await world.milestoneIn(slow, 'awaiting-invoice')
      expect(world.node.holds.get(paymentHash)?.state).toEqual({ state: 'cancelled' })
      expect(await world.replayed(slow)).toEqual(await world.read(slow))

      await giveInvoice(slow)
      expect(await fund(slow)).toMatchObject({ refused })
      await world.ask(quick, { kind: 'refund', by: WORKER, milestone: 0 })
      await perform(quick, 'cancel-hold')
      expect(isRefusal(await fund(slow))).toBe(false)
      await pay(slow)
      await world.slice.follow()
      await world.milestoneIn(slow, 'held')
    },
  )

  test('of two payments that are heard of in one moment one is held', async () => {
    world.node.spendableMsat = (await taken()).msat + COST_MSAT
    const ids = await Promise.all([readyToFund(), readyToFund()])
    await Promise.all(ids.map(fund))
    for (const id of ids) await pay(id)
    // Two instances of the server, each of which hears both.
    await Promise.all([world.slice.follow(), world.slice.follow()])
    const phases = await Promise.all(ids.map(async (id) => (await world.milestone(id)).phase))
    expect(phases.sort()).toEqual(['closing', 'held'])
  })

  test('money that is heard of again is not looked at again', async () => {
    const id = await readyToFund()
    await fund(id)
    await pay(id)
    await world.slice.follow()
    world.node.spendableMsat = 0n
    await perform(id, 'create-hold')
    await world.slice.reconcile()
    await world.milestoneIn(id, 'held')
  })
})

test('what could not arrive at the operator’s node is not funded either', async () => {
  const id = await world.start()
  await world.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice: world.invoiceOf() })
  const fund = () => world.tryAsk(id, { kind: 'fund', by: BUYER, milestone: 0 })
  world.node.receivableMsat = PAYOUT_MSAT + FEE_MSAT - 1n
  expect(await fund()).toMatchObject({ refused: 'ESCROW_LIQUIDITY_LACKING' })
  world.node.receivableMsat += 1n
  expect(isRefusal(await fund())).toBe(false)
})

describe('how many holds one buyer has open', () => {
  async function openNow(): Promise<number> {
    const { rows } = await sql<{ open: bigint }>`
      select coalesce(sum(open_holds), 0)::bigint as open from escrow`.execute(database.db)
    return Number(rows[0]!.open)
  }

  test('has a limit, invoices included, also when many ask at once; an end makes room', async () => {
    const most = (await openNow()) + 2
    world.limits.ofOneBuyer = most
    const ids = await Promise.all(Array.from({ length: 6 }, readyToFund))
    const answers = await Promise.all(ids.map(fund))
    const refused = answers.filter(isRefusal)
    expect(refused).toHaveLength(4)
    for (const one of refused)
      expect(one).toEqual({ refused: 'ESCROW_HOLDS_FULL', data: { of: 'buyer', most } })
    expect(await openNow()).toBe(most)

    const funded = ids[answers.findIndex((answer) => !isRefusal(answer))]!
    const waiting = ids[answers.findIndex(isRefusal)]!
    await world.ask(funded, { kind: 'cancel', by: BUYER })
    expect(await fund(waiting)).toMatchObject({ refused: 'ESCROW_HOLDS_FULL' })
    // The hash is finished: nothing arrives on it any more.
    await perform(funded, 'cancel-hold')
    expect(isRefusal(await fund(waiting))).toBe(false)
  })

  test('is told only to who might have funded', async () => {
    world.limits.ofAll = 0
    const id = await readyToFund()
    expect(await world.tryAsk(id, { kind: 'fund', by: WORKER, milestone: 0 })).toMatchObject({
      refused: 'ESCROW_WRONG_PARTY',
    })
  })
})
