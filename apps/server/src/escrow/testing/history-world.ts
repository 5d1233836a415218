import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { isRefusal } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { Custody } from '@holdfast/core/escrow/milestone-states'
import { NodeError } from '@holdfast/lightning'
import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { secretKey } from '@holdfast/protocols/testing/points'
import { dueAt, makeJobQueue } from '../../platform/testing/job-queue.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
import type { NewJob, Transact } from '../../platform/transaction.ts'
import { decodeEscrow } from '../escrow-codec.ts'
import { type EscrowSlice, type EscrowWish, makeEscrowSlice } from '../escrow-slice.ts'
import { EscrowNode, hashOf } from './escrow-node.ts'
import { BUYER, POLICY, planOf, WORKER } from './escrow-world.ts'

/** What becomes of the process while it keeps something: it dies before COMMIT, after it, or waits for long. */
export type Fate = 'kept' | 'abandoned' | 'unanswered' | 'slow'

/** The process is gone; whoever comes after it finds what was committed, and nothing else. */
class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
}

/** Also of a sweep, which goes on with its other rows and tells of all at the end. */
function isAll(error: unknown, is: (error: unknown) => boolean): boolean {
  if (is(error)) return true
  if (error instanceof AggregateError) return error.errors.every((one) => isAll(one, is))
  return error instanceof Error && error.cause !== undefined && isAll(error.cause, is)
}

const isDeath = (error: unknown) => error instanceof ProcessDied
/** Whoever runs loops and jobs does so again after it. */
const isOffline = (error: unknown) => error instanceof NodeError && error.code === 'offline'

export type HistoryWorld = ReturnType<typeof makeHistoryWorld>

/**
 * Several escrows of one operator on a real database, with a process that dies and starts again. Simulated: the node
 * (`EscrowNode`), the clock, the blocks, and the queue, which loses no job, runs one at least once, and in any order.
 */
export function makeHistoryWorld(database: TestDatabase) {
  const node = new EscrowNode()
  const START = Date.now()
  const startHeight = node.height
  const time = { now: START }
  const fates = new AsyncLocalStorage<{ fate: Fate; until: Promise<void> }>()
  const preimages = new Map<string, string>()
  const ids: string[] = []
  const slow: { goOn: () => void; done: Promise<{ error: unknown } | null> }[] = []
  let invoices = 0
  let slice: EscrowSlice

  const queue = makeJobQueue({
    prefix: 'escrow',
    tasks: () => slice.tasks,
    time,
    transact: () => (work) =>
      database.transact(async (tx) => {
        const result = await work(tx)
        if (fates.getStore()?.fate === 'abandoned') throw new ProcessDied()
        return result
      }),
  })
  const transact: Transact = async (work) => {
    const now = fates.getStore()
    if (now?.fate === 'slow') await now.until
    const result = await queue.transact(work)
    if (now?.fate === 'unanswered') throw new ProcessDied()
    return result
  }

  const start = () =>
    makeEscrowSlice({
      transact,
      database: database.database,
      node,
      height: async () => {
        await node.funds.balance()
        return node.height
      },
      policy: POLICY,
      limits: { ofOneBuyer: 1_000_000, ofAll: 1_000_000 },
      clock: () => time.now,
      followMs: 0,
    })
  slice = start()

  async function outlives(work: () => Promise<unknown>): Promise<'done' | 'died' | 'offline'> {
    try {
      await work()
      return 'done'
    } catch (error) {
      if (isAll(error, isOffline)) return 'offline'
      if (isAll(error, (one) => isDeath(one) || isOffline(one))) return 'died'
      throw error
    }
  }

  const world = {
    node,
    time,
    jobs: queue.jobs,
    ids,
    preimages,
    get slice() {
      return slice
    },

    /** An order whose seller is asked for invoices, or a coordinated task for which nobody has applied. */
    async open(custody: Custody, milestones: number): Promise<void> {
      const plan = planOf(milestones, time.now)
      const isOrder = custody === 'hash-locked'
      const parties = { kind: isOrder ? 'order' : 'task', worker: isOrder ? WORKER : null } as const
      const wish = { by: BUYER, custody, plan, ...parties }
      const state = await transact((tx) => slice.create(tx, wish))
      if (isRefusal(state)) throw new Error(`refused: ${state.refused}`)
      ids.push(state.id)
      await world.ask(state.id, { kind: 'publish', by: BUYER })
    },

    /** Whether it was done; the process may die of it. */
    async ask(id: string, wish: EscrowWish, fate: Fate = 'kept'): Promise<boolean> {
      let isDone = false
      await world.dying(fate, async () => {
        const request = await slice.prepare(wish, id)
        if (isRefusal(request)) return
        isDone = !isRefusal(await transact((tx) => slice.ask(tx, id, request)))
      })
      return isDone
    },

    /** Runs `work` in a process with that fate, and what comes after it in one that was started again. */
    async dying(fate: Fate, work: () => Promise<unknown>): Promise<void> {
      if (fate === 'slow') {
        let goOn: () => void = () => undefined
        const until = new Promise<void>((resolve) => {
          goOn = resolve
        })
        const done = fates
          .run({ fate, until }, () => outlives(work))
          .then(
            () => null,
            (error: unknown) => ({ error }),
          )
        slow.push({ goOn, done })
        return
      }
      const how = await fates.run({ fate, until: Promise.resolve() }, () => outlives(work))
      if (how === 'died') await world.restart()
    },

    /** A job that was cut short is run again: it stays in the queue until its end is recorded. */
    async perform(job: NewJob, fate: Fate = 'kept'): Promise<void> {
      await world.dying(fate, async () => {
        try {
          await queue.perform(job)
        } catch (error) {
          if (isDeath(error) || isOffline(error)) queue.jobs.push(job)
          throw error
        }
      })
    },

    /** The jobs and requests that have been waiting reach the database now. */
    async goOn(): Promise<void> {
      for (const { goOn, done } of slow.splice(0)) {
        goOn()
        const fault = await done
        if (fault !== null) throw fault.error
      }
    },

    /** Any of those that are due: workers run them side by side. */
    takeJob(pick: number): NewJob | undefined {
      const due = queue.jobs.filter((job) => dueAt(job) <= time.now)
      const job = due[pick % (due.length || 1)]
      if (job !== undefined) queue.jobs.splice(queue.jobs.indexOf(job), 1)
      return job
    },
    takeNextJob: queue.takeNext,

    async restart(): Promise<void> {
      slice = start()
      if (!node.offline) await slice.reconcile()
    },

    /** Blocks come at their usual pace. */
    pass(ms: number): void {
      time.now += ms
      node.mineTo(Math.max(node.height, startHeight + Math.floor((time.now - START) / 600_000)))
    },

    /** A wallet's invoice; with `paymentHash` one on a hash that is known already. */
    invoiceOf(amountMsat: bigint, paymentHash?: string): string {
      const preimage = createHash('sha256').update(`${node.nodeId}:${invoices++}`).digest('hex')
      const hash = paymentHash ?? hashOf(preimage)
      if (paymentHash === undefined) preimages.set(hash, preimage)
      return encodeInvoice({
        amountMsat,
        createdAt: Math.floor(time.now / 1000) * 1000,
        fields: [
          fieldOf.hex('p', hash),
          fieldOf.hex('s', '22'.repeat(32)),
          fieldOf.description('work'),
          fieldOf.number('x', 20 * 24 * 3600),
          fieldOf.number('c', 40),
        ],
        secretKey: secretKey(9),
      })
    },

    async read(): Promise<EscrowState[]> {
      const rows = await database.db.selectFrom('escrow').select('state').where('id', 'in', ids).execute()
      return rows.map(({ state }) => decodeEscrow(state))
    },
  }
  return world
}
