import { randomBytes } from 'node:crypto'
import { isRefusal } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import { fundingAmount } from '@holdfast/core/escrow/milestone-decision'
import type { In, Phase } from '@holdfast/core/escrow/milestone-states'
import { startChain } from '@holdfast/devnet/chain/chain-server'
import { type LdkWorld, makeLdkWorld } from '@holdfast/devnet/nodes/ldk-world'
import { startBitcoind } from '@holdfast/devnet/testing/bitcoind'
import type { PaymentOutcome } from '@holdfast/lightning'
import { startInProcess } from '@holdfast/lightning/ldk/testing/in-process'
import { afterAll, beforeAll, expect } from 'vitest'
import { startWorker, type Worker } from '../../platform/jobs.ts'
import { readEntity } from '../../platform/journal/read-entries.ts'
import { makeLog } from '../../platform/log.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
import { type EscrowSlice, type EscrowWish, makeEscrowSlice, type NewEscrow } from '../escrow-slice.ts'
import type { OperatorNode } from '../operator-node.ts'
import { replayEntries } from '../replay-escrow.ts'
import { watchEscrows } from '../watch-escrows.ts'

export const HOUR_MS = 3_600_000
export const PAYOUT_MSAT = 20_000_000n
export const FEE_MSAT = 201_000n
export const FUNDING_MSAT = PAYOUT_MSAT + FEE_MSAT
export const BUYER = 'b1'.repeat(32)
export const WORKER = 'a2'.repeat(32)

/** Longer than a busy machine needs for any one step; nothing waits for it in vain. */
const PATIENCE_MS = 30_000

type Spans = {
  readonly workMs: number
  readonly objectionMs: number
  readonly holdBlocks: number
  /** Default `PAYOUT_MSAT`. */
  readonly payoutMsat?: bigint
}
export const USUAL: Spans = { workMs: 4 * HOUR_MS, objectionMs: HOUR_MS, holdBlocks: 288 }

type Funded = {
  readonly held: In<'held'>
  readonly fundingInvoice: string
  readonly buyersPayment: () => Promise<PaymentOutcome | null>
}

export type StartWorld = () => Promise<LdkWorld>

export const onDevnetChain: StartWorld = () =>
  makeLdkWorld({ startChain: (folder) => startChain({ folder }), startLink: startInProcess })

/** The nodes have a worker thread of their own, as in production. */
export const onBitcoind: StartWorld = () => makeLdkWorld({ startChain: () => startBitcoind() })

export type NodesStory = ReturnType<typeof tellOnNodes>

/** Escrows on three real LDK nodes: the buyer's, the operator's in the middle, the worker's. Call it in a `describe`. */
export function tellOnNodes(database: TestDatabase, startWorld: StartWorld) {
  let world: LdkWorld
  let slice: EscrowSlice
  let worker: Worker
  let watch: ReturnType<typeof watchEscrows>

  beforeAll(async () => {
    world = await startWorld()
    slice = makeEscrowSlice({
      transact: database.transact,
      database: database.database,
      node: hubOf(world),
      height: async () => (await world.hub.sync()).height,
      clock: Date.now,
      policy: { fixedMsat: 1_000n, ppm: 10_000n, capMsat: 50_000_000n },
      limits: { ofOneBuyer: 50, ofAll: 400 },
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

  async function workersInvoice(amountMsat = PAYOUT_MSAT): Promise<string> {
    const { invoice } = await world.payee.invoices.create({
      amountMsat,
      description: 'oranges',
      expirySeconds: 14 * 24 * 3600,
    })
    return invoice
  }

  async function create(
    wish: Pick<NewEscrow, 'kind' | 'worker' | 'custody'>,
    milestones: number,
    spans: Spans,
  ): Promise<string> {
    const plan = {
      title: 'Two boxes of oranges',
      description: '',
      arbiter: null,
      deadlineAt: Date.now() + 24 * HOUR_MS,
      milestones: Array.from({ length: milestones }, (_, index) => ({
        title: `Box ${index + 1}`,
        payoutMsat: PAYOUT_MSAT,
        ...spans,
      })),
    }
    const state = await database.transact((tx) => slice.create(tx, { ...wish, by: BUYER, plan }))
    if (isRefusal(state)) throw new Error(state.refused)
    await story.ask(state.id, { kind: 'publish', by: BUYER })
    return state.id
  }

  const story = {
    get world() {
      return world
    },
    get slice() {
      return slice
    },

    async ask(id: string, wish: EscrowWish): Promise<EscrowState> {
      const request = await slice.prepare(wish, id)
      if (isRefusal(request)) throw new Error(request.refused)
      const state = await database.transact((tx) => slice.ask(tx, id, request))
      if (isRefusal(state)) throw new Error(`${state.refused} ${JSON.stringify(state.data)}`)
      return state
    },

    async phaseOf(id: string, milestone = 0): Promise<Phase | undefined> {
      return (await slice.find(id))?.milestones[milestone]?.phase
    },

    async reach<P extends Phase>(id: string, phase: P, milestone = 0): Promise<In<P>> {
      const now = () => story.phaseOf(id, milestone)
      await expect.poll(now, { timeout: PATIENCE_MS, interval: 20 }).toBe(phase)
      return (await slice.find(id))!.milestones[milestone] as In<P>
    },

    /** An order whose seller is asked for an invoice. */
    async order(milestones = 1, spans: Spans = USUAL): Promise<string> {
      return create({ kind: 'order', worker: WORKER }, milestones, spans)
    },

    /** A coordinated task for which nobody has applied. */
    async task(): Promise<string> {
      return create({ kind: 'task', worker: null, custody: 'coordinated' }, 1, USUAL)
    },

    /** The worker's invoice, the buyer's payment, and the money is locked. */
    async fund(id: string, milestone = 0, makeInvoice = () => workersInvoice()): Promise<Funded> {
      await story.ask(id, { kind: 'submit-invoice', by: WORKER, milestone, invoice: await makeInvoice() })
      return story.pay(id, milestone)
    },

    /** The buyer pays, and the money is locked. */
    async pay(id: string, milestone = 0): Promise<Funded> {
      await story.ask(id, { kind: 'fund', by: BUYER, milestone })
      const awaiting = async () => {
        const state = (await slice.find(id))?.milestones[milestone]
        return state?.phase === 'awaiting-funds' && state.fundingInvoice !== null ? state : null
      }
      await expect.poll(awaiting, { timeout: PATIENCE_MS, interval: 20 }).not.toBeNull()
      const { fundingInvoice, terms } = (await awaiting())!
      const paymentId = randomBytes(32).toString('hex')
      await world.payer.payer.pay({
        paymentId,
        destination: { kind: 'bolt11', invoice: fundingInvoice! },
        amountMsat: fundingAmount(terms),
        maxFeeMsat: 1_000_000n,
        timeoutMs: 60_000,
      })
      const held = await story.reach(id, 'held', milestone)
      return {
        held,
        fundingInvoice: fundingInvoice!,
        buyersPayment: () => world.payer.payer.lookup(paymentId),
      }
    },

    workersInvoice,

    /** Of a wallet that takes the payment only when the test gives it the preimage. */
    async hesitantInvoice(paymentHash: string): Promise<string> {
      const { invoice } = await world.payee.holdInvoices.create({
        paymentHash,
        amountMsat: PAYOUT_MSAT,
        description: 'oranges',
        expirySeconds: 14 * 24 * 3600,
        minFinalCltvExpiryDelta: 40,
      })
      return invoice
    },

    entriesOf: (id: string) => readEntity(database.db, 'escrow', id),
    replayed: async (id: string) => replayEntries(await readEntity(database.db, 'escrow', id)),

    /** What the buyer, the operator and the worker can spend over channels. */
    async spendable(): Promise<bigint[]> {
      const nodes = [world.payer, world.hub, world.payee]
      return Promise.all(nodes.map(async (node) => (await node.funds.balance()).lightningMsat))
    },
    async gainsSince(before: readonly bigint[]): Promise<bigint[]> {
      return (await story.spendable()).map((balance, index) => balance - before[index]!)
    },
  }
  return story
}

/** The operator's node through restarts: a stopped one is offline, the next one has other objects. */
function hubOf(world: LdkWorld): OperatorNode {
  const { nodeId, network, capabilities } = world.hub
  return {
    nodeId,
    network,
    capabilities,
    get ownHolds() {
      return world.hub.ownHolds
    },
    get holdInvoices() {
      return world.hub.holdInvoices
    },
    get payer() {
      return world.hub.payer
    },
    get funds() {
      return world.hub.funds
    },
    get events() {
      return world.hub.events
    },
  }
}
