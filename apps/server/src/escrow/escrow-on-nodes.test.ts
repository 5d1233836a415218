import { createHash, randomBytes } from 'node:crypto'
import { isRefusal } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { In, Phase } from '@holdfast/core/escrow/milestone-states'
import { startChain } from '@holdfast/devnet/chain/chain-server'
import { type LdkWorld, makeLdkWorld } from '@holdfast/devnet/nodes/ldk-world'
import { startInProcess } from '@holdfast/lightning/ldk/testing/in-process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type Worker } from '../platform/jobs.ts'
import { readEntity } from '../platform/journal/read-entries.ts'
import { makeLog } from '../platform/log.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { replayEntries } from './audit-escrow.ts'
import { type EscrowSlice, type EscrowWish, makeEscrowSlice } from './escrow-slice.ts'
import { watchEscrows } from './watch-escrows.ts'

/** Escrows on three real LDK nodes: the buyer's, the operator's in the middle, the worker's. */
const database = withDatabase()
const HOUR_MS = 3_600_000
const PAYOUT_MSAT = 20_000_000n
const FEE_MSAT = 201_000n
const BUYER = 'b1'.repeat(32)
const WORKER = 'a2'.repeat(32)

let world: LdkWorld
let slice: EscrowSlice
let worker: Worker
let watch: ReturnType<typeof watchEscrows>

beforeAll(async () => {
  world = await makeLdkWorld({
    startChain: (folder) => startChain({ folder }),
    startLink: startInProcess,
  })
  slice = makeEscrowSlice({
    transact: database.transact,
    database: database.database,
    node: world.hub,
    height: async () => (await world.hub.sync()).height,
    clock: Date.now,
    policy: { fixedMsat: 1_000n, ppm: 10_000n, capMsat: 50_000_000n },
  })
  const log = makeLog({ level: 'silent' })
  worker = await startWorker({ database: database.database, tasks: slice.tasks, concurrency: 4, log })
  watch = watchEscrows(slice, log)
}, 120_000)

afterAll(async () => {
  await watch?.stop()
  await worker?.stop()
  await world?.stop()
})

async function ask(id: string, wish: EscrowWish): Promise<EscrowState> {
  const request = await slice.prepare(wish)
  if (isRefusal(request)) throw new Error(request.refused)
  const state = await database.transact((tx) => slice.ask(tx, id, request, 'request-1'))
  if (isRefusal(state)) throw new Error(`${state.refused} ${JSON.stringify(state.data)}`)
  return state
}

async function reach<P extends Phase>(id: string, phase: P, milestone = 0): Promise<In<P>> {
  const phaseNow = async () => (await slice.find(id))?.milestones[milestone]?.phase
  await expect.poll(phaseNow, { timeout: 30_000, interval: 20 }).toBe(phase)
  return (await slice.find(id))!.milestones[milestone] as In<P>
}

async function order(milestones = 1): Promise<string> {
  const plan = {
    title: 'Two boxes of oranges',
    description: '',
    arbiter: null,
    deadlineAt: Date.now() + 24 * HOUR_MS,
    milestones: Array.from({ length: milestones }, (_, index) => ({
      title: `Box ${index + 1}`,
      payoutMsat: PAYOUT_MSAT,
      workMs: 4 * HOUR_MS,
      objectionMs: HOUR_MS,
      holdBlocks: 288,
    })),
  }
  const wish = { by: BUYER, kind: 'order', worker: WORKER, plan } as const
  const state = await database.transact((tx) => slice.create(tx, wish, 'request-0'))
  if (isRefusal(state)) throw new Error(state.refused)
  await ask(state.id, { kind: 'publish', by: BUYER })
  return state.id
}

/** The worker's invoice, the buyer's payment, and the money is locked. */
async function fund(id: string, milestone = 0, makeInvoice = workersInvoice) {
  await ask(id, { kind: 'submit-invoice', by: WORKER, milestone, invoice: await makeInvoice() })
  await ask(id, { kind: 'fund', by: BUYER, milestone })
  const invoiceMade = async () => {
    const state = (await slice.find(id))?.milestones[milestone]
    return state?.phase === 'awaiting-funds' ? state.fundingInvoice : null
  }
  await expect.poll(invoiceMade, { timeout: 10_000, interval: 20 }).not.toBeNull()
  const paymentId = randomBytes(32).toString('hex')
  await world.payer.payer.pay({
    paymentId,
    destination: { kind: 'bolt11', invoice: (await invoiceMade())! },
    amountMsat: PAYOUT_MSAT + FEE_MSAT,
    maxFeeMsat: 1_000_000n,
    timeoutMs: 60_000,
  })
  const held = await reach(id, 'held', milestone)
  return { held, buyersPayment: () => world.payer.payer.lookup(paymentId) }
}

async function workersInvoice(): Promise<string> {
  const { invoice } = await world.payee.invoices.create({
    amountMsat: PAYOUT_MSAT,
    description: 'oranges',
    expirySeconds: 14 * 24 * 3600,
  })
  return invoice
}

const replayed = async (id: string) => replayEntries(await readEntity(database.db, 'escrow', id))

const spendable = async () => {
  const nodes = [world.payer, world.hub, world.payee]
  return Promise.all(nodes.map(async (node) => (await node.funds.balance()).lightningMsat))
}

describe('on real nodes', () => {
  test('an order is funded, held, delivered, approved, paid and claimed; the operator keeps its fee', async () => {
    const before = await spendable()
    const id = await order()
    const { held, buyersPayment } = await fund(id)
    expect(held.heldMsat).toBe(PAYOUT_MSAT + FEE_MSAT)
    expect(held.schedule.deadlineHeight - (await world.height())).toBeGreaterThan(260)
    // The operator cannot claim: it does not know the preimage, and nobody else has been paid.
    expect(await buyersPayment()).toMatchObject({ state: 'pending' })
    await ask(id, { kind: 'submit-proof', by: WORKER, milestone: 0, text: 'Tracking 4711', digest: null })
    await ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
    const released = await reach(id, 'released')
    expect(released).toMatchObject({
      paidMsat: PAYOUT_MSAT,
      heldMsat: PAYOUT_MSAT + FEE_MSAT,
      routingFeeMsat: 0n,
    })
    await expect.poll(buyersPayment).toMatchObject({ state: 'succeeded' })
    await expect
      .poll(async () => {
        const after = await spendable()
        return after.map((balance, index) => balance - before[index]!)
      })
      .toEqual([-(PAYOUT_MSAT + FEE_MSAT), FEE_MSAT, PAYOUT_MSAT])
    const state = await slice.find(id)
    expect(state!.phase).toBe('completed')
    expect(await replayed(id)).toEqual(state)
    // No way of this hash into the tables: not even after the worker has revealed it.
    const kept = await database.queryAsOwner('select state::text as text from escrow where id = $1', [id])
    expect(String(kept[0]!.text)).not.toContain('preimage')
  }, 60_000)

  test('a refund gives the buyer everything back', async () => {
    const before = await spendable()
    const id = await order()
    const { buyersPayment } = await fund(id)
    await ask(id, { kind: 'refund', by: WORKER, milestone: 0 })
    expect(await reach(id, 'refunded')).toMatchObject({ cause: 'by-worker' })
    await expect.poll(buyersPayment).toMatchObject({ state: 'failed' })
    await expect.poll(spendable).toEqual(before)
    expect((await slice.find(id))!.phase).toBe('cancelled')
    expect(await replayed(id)).toEqual(await slice.find(id))
  }, 60_000)

  test('two milestones are split between the parties', async () => {
    const before = await spendable()
    const id = await order(2)
    await fund(id, 0)
    await fund(id, 1)
    await ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
    await ask(id, { kind: 'refund', by: WORKER, milestone: 1 })
    await reach(id, 'released', 0)
    await reach(id, 'refunded', 1)
    await expect.poll(async () => (await spendable())[0]! - before[0]!).toBe(-(PAYOUT_MSAT + FEE_MSAT))
    expect((await slice.find(id))!.phase).toBe('completed')
  }, 60_000)

  test('a preimage that comes before the release is claimed with, and the buyer is paid back', async () => {
    const before = await spendable()
    const id = await order()
    // The worker's wallet is a hold invoice here, so that the test knows the preimage that it gives away.
    const preimage = randomBytes(32).toString('hex')
    const paymentHash = createHash('sha256').update(Buffer.from(preimage, 'hex')).digest('hex')
    const { held } = await fund(id, 0, async () => {
      const { invoice } = await world.payee.holdInvoices.create({
        paymentHash,
        amountMsat: PAYOUT_MSAT,
        description: 'oranges',
        expirySeconds: 14 * 24 * 3600,
        minFinalCltvExpiryDelta: 40,
      })
      return invoice
    })
    const wrong = await slice.reportPreimage({ id, milestone: 0, preimage: '00'.repeat(32) })
    expect(wrong).toMatchObject({ refused: 'ESCROW_PREIMAGE_WRONG' })
    await slice.reportPreimage({ id, milestone: 0, preimage })
    expect(await reach(id, 'premature')).toMatchObject({ owedMsat: held.heldMsat })
    const { invoice } = await world.payer.invoices.create({
      amountMsat: held.heldMsat,
      description: 'refund',
      expirySeconds: 3_600,
    })
    await ask(id, { kind: 'submit-refund-invoice', by: BUYER, milestone: 0, invoice })
    await reach(id, 'repaid')
    await expect.poll(spendable).toEqual(before)
    expect(await replayed(id)).toEqual(await slice.find(id))
    const everything = await database.queryAsOwner(
      "select (select string_agg(data::text, '') from journal) || (select string_agg(state::text, '') from escrow) as text",
    )
    expect(String(everything[0]!.text)).not.toContain(preimage)
  }, 60_000)

  test('what nobody approved is given back by the guardian, well before the HTLC runs out', async () => {
    const before = await spendable()
    const id = await order()
    const { held } = await fund(id)
    await world.mine(held.schedule.guardianHeight - (await world.height()) - 1)
    expect(await slice.guard()).toBe(0)
    expect((await slice.find(id))!.milestones[0]!.phase).toBe('held')
    await world.mine(1)
    await slice.guard()
    expect(await reach(id, 'refunded')).toMatchObject({ cause: 'not-approved' })
    await expect.poll(spendable).toEqual(before)
    expect(await world.height()).toBeLessThan(held.schedule.deadlineHeight - 36)
  }, 90_000)
})
