import { randomBytes } from 'node:crypto'
import type { JsonObject, Refusal } from '@holdfast/core'
import { isRefusal } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { FeePolicy } from '@holdfast/core/escrow/fees'
import type { In, MilestoneState, Phase } from '@holdfast/core/escrow/milestone-states'
import type { Capability } from '@holdfast/lightning'
import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { secretKey } from '@holdfast/protocols/testing/points'
import { readEntity } from '../../platform/journal/read-entries.ts'
import { makeJobQueue } from '../../platform/testing/job-queue.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
import { type EscrowWish, makeEscrowSlice, type NewEscrow } from '../escrow-slice.ts'
import { replayEntries } from '../replay-escrow.ts'
import { EscrowNode, hashOf } from './escrow-node.ts'

export const HOUR_MS = 3_600_000
export const PAYOUT_MSAT = 50_000_000n
export const FEE_MSAT = 501_000n
export const BUYER = 'b1'.repeat(32)
export const WORKER = 'a2'.repeat(32)
export const ARBITER = 'c3'.repeat(32)

export const POLICY: FeePolicy = { fixedMsat: 1_000n, ppm: 10_000n, capMsat: 100_000_000n }

export const planOf = (milestones: number, now: number) => ({
  title: 'Oranges',
  description: '',
  arbiter: ARBITER,
  deadlineAt: now + 10 * 24 * HOUR_MS,
  milestones: Array.from({ length: milestones }, () => ({
    title: 'A box',
    payoutMsat: PAYOUT_MSAT,
    workMs: 10 * HOUR_MS,
    objectionMs: 2 * HOUR_MS,
    holdBlocks: 400,
  })),
})

export type EscrowWorld = ReturnType<typeof makeEscrowWorld>

/**
 * The escrow slice on a real database, with clock, blocks and queue in the hands of the test: a job runs when the test
 * says so, also twice, or never. The node is a double in memory.
 */
export function makeEscrowWorld(
  database: TestDatabase,
  policy: FeePolicy = POLICY,
  capabilities?: readonly Capability[],
  followMs = 5,
) {
  const node = new EscrowNode()
  if (capabilities) node.capabilities = new Set(capabilities)
  /** Of all the tests in one database; a test that is about them sets them. */
  const limits = { ofOneBuyer: 1_000_000, ofAll: 1_000_000 }
  const time = { now: Date.now() }
  const clock = () => time.now
  const queue = makeJobQueue({
    transact: () => database.transact,
    prefix: 'escrow',
    tasks: () => slice.tasks,
    time,
  })
  const { transact, perform, performAtOnce, take, run, runNext } = queue
  const slice = makeEscrowSlice({
    transact,
    database: database.database,
    node,
    height: async () => {
      await node.funds.balance()
      return node.height
    },
    policy,
    limits,
    clock,
    followMs,
  })
  const preimage = randomBytes(32).toString('hex')

  const world = {
    node,
    slice,
    time,
    queue: queue.jobs,
    perform,
    performAtOnce,
    take,
    run,
    runNext,
    transact,
    limits,
    preimage,
    paymentHash: hashOf(preimage),

    /** Of the worker, or with `amountMsat` of the buyer: what an escrow may be asked to pay. */
    invoiceOf(parts: { paymentHash?: string; amountMsat?: bigint } = {}): string {
      const { paymentHash = hashOf(preimage), amountMsat = PAYOUT_MSAT } = parts
      return encodeInvoice({
        amountMsat,
        createdAt: Math.floor(time.now / 1000) * 1000,
        fields: [
          fieldOf.hex('p', paymentHash),
          fieldOf.hex('s', '22'.repeat(32)),
          fieldOf.description('work'),
          fieldOf.number('x', 20 * 24 * 3600),
          fieldOf.number('c', 40),
        ],
        secretKey: secretKey(9),
      })
    },
    async tryAsk(id: string, wish: EscrowWish): Promise<EscrowState | Refusal> {
      const request = await slice.prepare(wish, id)
      if (isRefusal(request)) return request
      return transact((tx) => slice.ask(tx, id, request))
    },
    async ask(id: string, wish: EscrowWish): Promise<EscrowState> {
      const state = await world.tryAsk(id, wish)
      if (isRefusal(state)) throw new Error(`refused: ${state.refused}`)
      return state
    },
    async tryCreate(
      wish: Pick<NewEscrow, 'kind' | 'worker' | 'custody'>,
      milestones = 1,
    ): Promise<EscrowState | Refusal> {
      const plan = planOf(milestones, time.now)
      return transact((tx) => slice.create(tx, { ...wish, by: BUYER, plan }))
    },
    /** An order whose seller is asked for an invoice. */
    async start(milestones = 1): Promise<string> {
      return published(await world.tryCreate({ kind: 'order', worker: WORKER }, milestones))
    },
    /** A coordinated task that anybody may apply for. */
    async startTask(): Promise<string> {
      return published(await world.tryCreate({ kind: 'task', worker: null, custody: 'coordinated' }))
    },
    async startFunding(): Promise<string> {
      const id = await world.start()
      await world.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice: world.invoiceOf() })
      await world.ask(id, { kind: 'fund', by: BUYER, milestone: 0 })
      return id
    },
    async reachHeld(): Promise<string> {
      const id = await world.startFunding()
      await world.run('create-hold')
      node.buyerPays(world.paymentHash)
      await slice.follow()
      return id
    },
    /** The payout is with the node, and pending. */
    async reachReleasing(): Promise<string> {
      const id = await world.reachHeld()
      await world.ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
      await world.run('pay-out')
      return id
    },

    async read(id: string): Promise<EscrowState> {
      const state = await slice.find(id)
      if (!state) throw new Error('There is no such escrow.')
      return state
    },
    async milestone(id: string): Promise<MilestoneState> {
      return (await world.read(id)).milestones[0]!
    },
    async milestoneIn<P extends Phase>(id: string, phase: P): Promise<In<P>> {
      const milestone = await world.milestone(id)
      if (milestone.phase !== phase) throw new Error(`${milestone.phase} instead of ${phase}`)
      return milestone as In<P>
    },
    async entriesOf(id: string) {
      return database.db
        .selectFrom('journal')
        .select(['kind', 'data', 'at', 'actor'])
        .where('entity_id', '=', id)
        .orderBy('seq')
        .execute() as Promise<{ kind: string; data: JsonObject; at: Date; actor: string }[]>
    },
    async replayed(id: string): Promise<EscrowState | null> {
      return replayEntries(await readEntity(database.db, 'escrow', id))
    },
  }
  async function published(state: EscrowState | Refusal): Promise<string> {
    if (isRefusal(state)) throw new Error(`refused: ${state.refused}`)
    await world.ask(state.id, { kind: 'publish', by: BUYER })
    return state.id
  }
  return world
}
