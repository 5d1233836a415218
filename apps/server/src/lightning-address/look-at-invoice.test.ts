import { decodeInvoice } from '@holdfast/protocols/bolt11'
import { afterEach, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { GRACE_MS } from './address-invoice.ts'
import { type AddressWorld, startAddressWorld } from './testing/address-world.ts'

const database = withDatabase()
const WITHIN_MS = 60_000

let world: AddressWorld
afterEach(() => world.stop())
const start = async () => {
  world = await startAddressWorld(database, { worker: true })
  return world
}

const phaseOf = async (paymentHash: string) =>
  (
    await database.db
      .selectFrom('address_invoice')
      .select('phase')
      .where('payment_hash', '=', paymentHash)
      .executeTakeFirstOrThrow()
  ).phase
const becomes = (paymentHash: string, phase: string) =>
  expect.poll(() => phaseOf(paymentHash), { timeout: WITHIN_MS }).toBe(phase)

test(
  'a job finds that an invoice was paid, also at a later look',
  async () => {
    const { node, callback, time } = await start()
    // Our clock is behind the database's, so that looks are due before we think so.
    time.shiftMs = -2_000
    const { paymentHash } = decodeInvoice((await callback({ amount: '7000' })).pr)
    const firstLook = node.looks
    await expect.poll(() => node.looks, { timeout: WITHIN_MS }).toBeGreaterThan(firstLook)
    node.pay(paymentHash, 7_000n)
    await becomes(paymentHash, 'paid')
  },
  WITHIN_MS,
)

test(
  'the sweeper goes on with invoices whose job was lost, and forgets what need not be kept',
  async () => {
    const { slice, node, callback, time, alice, received } = await start()
    const ask = async () =>
      decodeInvoice((await callback({ amount: '7000', comment: 'hi', payerdata: '{"name":"Bob"}' })).pr)
        .paymentHash
    const [paid, unpaid] = [await ask(), await ask()]
    await database.queryAsOwner('delete from job_outbox')
    await database.queryAsOwner('delete from graphile_worker._private_jobs')
    node.pay(paid, 7_000n)
    time.shiftMs += 70_000
    await slice.sweep()
    await becomes(paid, 'paid')
    expect(await phaseOf(unpaid)).toBe('open')
    time.shiftMs += 600_000 + GRACE_MS
    await slice.sweep()
    await becomes(unpaid, 'expired')
    time.shiftMs += 24 * 3600_000
    await slice.sweep()
    await expect(phaseOf(unpaid)).rejects.toThrow()
    time.shiftMs += 90 * 24 * 3600_000
    await slice.sweep()
    const [kept] = (await received(alice, '&state=paid')).invoices
    expect(kept).toMatchObject({ paymentHash: paid })
    expect(kept).not.toHaveProperty('comment')
    expect(kept).not.toHaveProperty('payer')
  },
  WITHIN_MS,
)

test(
  'an invoice that the node has lost is looked for no longer than the grace',
  async () => {
    const { slice, node, callback, time } = await start()
    const { paymentHash } = decodeInvoice((await callback({ amount: '7000' })).pr)
    node.forget(paymentHash)
    time.shiftMs += 700_000 + GRACE_MS
    await slice.sweep()
    await becomes(paymentHash, 'unknown')
  },
  WITHIN_MS,
)
