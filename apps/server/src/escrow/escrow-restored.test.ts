import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import {
  BUYER,
  type EscrowWorld,
  FEE_MSAT,
  HOUR_MS,
  makeEscrowWorld,
  PAYOUT_MSAT,
  WORKER,
} from './testing/escrow-world.ts'

const database = withDatabase()
let world: EscrowWorld

beforeEach(() => {
  world = makeEscrowWorld(database)
})

/** The row as it stood before: what a restored backup has. The node goes on knowing what happened since. */
async function withBackup(id: string, since: () => Promise<void>): Promise<void> {
  const { rows } = await sql<{ state: object }>`select state from escrow where id = ${id}`.execute(
    database.db,
  )
  await since()
  world.queue.length = 0
  await database.queryAsOwner('alter table escrow disable trigger escrow_change')
  await database.queryAsOwner(
    `update escrow set state = $2, phase = $2::jsonb ->> 'phase', look_at = now() where id = $1`,
    [id, JSON.stringify(rows[0]!.state)],
  )
  await database.queryAsOwner('alter table escrow enable trigger escrow_change')
}

const approve = { kind: 'approve', by: BUYER, milestone: 0 } as const
const refundInvoice = () => ({
  kind: 'submit-refund-invoice' as const,
  by: BUYER,
  milestone: 0,
  invoice: world.invoiceOf({ paymentHash: 'ab'.repeat(32), amountMsat: PAYOUT_MSAT + FEE_MSAT }),
})

async function paidOut(id: string, tries: number): Promise<void> {
  await world.ask(id, approve)
  await world.run('pay-out')
  for (let failed = 1; failed < tries; failed++) {
    world.node.payeeAnswers(false)
    await world.slice.follow()
    world.time.now = (await world.milestoneIn(id, 'releasing')).tryAt
    await world.slice.reconcile()
    await world.run('pay-out')
  }
  world.node.payeeAnswers(true)
  await world.slice.follow()
}

describe('after a restore of the database from a backup that does not know of a release', () => {
  test.each([1, 3])('the buyer is not repaid what the worker was paid at try %i', async (tries) => {
    const id = await world.reachHeld()
    await withBackup(id, () => paidOut(id, tries))
    await world.slice.reconcile()
    await world.runNext(5)
    expect(await world.milestone(id)).toMatchObject({ phase: 'premature' })
    expect(await world.tryAsk(id, refundInvoice())).toEqual({
      refused: 'ESCROW_WRONG_PHASE',
      data: { milestone: 0, phase: 'released' },
    })
    expect(await world.milestone(id)).toMatchObject({ phase: 'released', paidMsat: PAYOUT_MSAT })
    expect(world.node.gainMsat()).toBe(FEE_MSAT - 5n)
  })

  test('nothing is repaid while the node cannot say whether the worker was paid, nor while it is away', async () => {
    const id = await world.reachHeld()
    await withBackup(id, () => paidOut(id, 1))
    await world.slice.reconcile()
    await world.runNext(5)
    const [payment] = [...world.node.payments.values()]
    const { outcome } = payment!
    payment!.outcome = { state: 'unknown' }
    expect(await world.tryAsk(id, refundInvoice())).toMatchObject({
      refused: 'ESCROW_WRONG_PHASE',
      data: { phase: 'payout-unknown' },
    })
    payment!.outcome = outcome
    world.node.offline = true
    expect(await world.tryAsk(id, refundInvoice())).toMatchObject({ refused: 'NODE_OFFLINE' })
    expect(await world.milestone(id)).toMatchObject({ phase: 'premature' })
    world.node.offline = false
  })

  test('what was refunded since is refunded, and what was not paid for yet is', async () => {
    const id = await world.reachHeld()
    await withBackup(id, async () => {
      await world.ask(id, { kind: 'refund', by: WORKER, milestone: 0 })
      await world.run('cancel-hold')
    })
    await world.slice.reconcile()
    await world.runNext(5)
    expect(await world.milestone(id)).toMatchObject({ phase: 'refunded' })
    expect(world.node.gainMsat()).toBe(0n)
  })
})

describe('the events of the node', () => {
  test('are acknowledged once they are heard, now and then', async () => {
    await world.reachHeld()
    expect(world.node.acknowledged).toBe(0)
    world.time.now += 2 * HOUR_MS
    await world.slice.follow()
    expect(world.node.acknowledged).toBe(world.node.happened.length)
  })

  test('that it has forgotten are made up for by asking about everything that has not ended', async () => {
    const id = await world.startFunding()
    await world.run('create-hold')
    world.node.buyerPays(world.paymentHash)
    world.node.forgotten = world.node.happened.length
    expect(await world.slice.follow()).toBe(1)
    // Of other tests there are some, too.
    const ask = world.queue.find(({ task, payload }) => task === 'escrow:look-up-hold' && payload.id === id)
    await world.perform(ask!)
    await world.milestoneIn(id, 'held')
    expect(await world.slice.follow()).toBe(0)
  })
})
