import type { JsonObject } from '@holdfast/core'
import type { PaymentState } from '@holdfast/core/payments/payment-states'
import { encodeOffer } from '@holdfast/protocols/bolt12'
import { chainHashOf, type Network } from '@holdfast/protocols/network'
import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { publicKey, secretKey } from '@holdfast/protocols/testing/points'
import { vi } from 'vitest'
import type { Identity } from '../../identity/identity.ts'
import { newDevice } from '../../identity/testing/identity-world.ts'
import { makeTestNode, type TestNode } from '../../nodes/testing/test-node.ts'
import { makeLog } from '../../platform/log.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
import type { NewJob, Transact } from '../../platform/transaction.ts'
import { findPayment } from '../payment-store.ts'
import { makePaymentsSlice } from '../payments-slice.ts'
import { type PaymentWish, requestPayment } from '../request-payment.ts'
import type { InvoiceMaker, NameResolver } from '../resolve-destination.ts'

const DEADLINE_MS = 60_000

export const invoiceOf = (
  parts: { amountMsat?: bigint; network?: Network; createdAt?: number; payee?: number } = {},
): string =>
  encodeInvoice({
    ...(parts.amountMsat !== undefined && { amountMsat: parts.amountMsat }),
    ...(parts.network !== undefined && { network: parts.network }),
    createdAt: parts.createdAt ?? Math.floor(Date.now() / 1000) * 1000,
    fields: [fieldOf.hex('p', '11'.repeat(32)), fieldOf.hex('s', '22'.repeat(32)), fieldOf.description('x')],
    secretKey: secretKey(parts.payee ?? 9),
  })

export const offerOf = (parts: Partial<Parameters<typeof encodeOffer>[0]> = {}): string =>
  encodeOffer({ chains: [chainHashOf('regtest')], issuerId: publicKey(9), description: 'x', ...parts }).text

export type PaymentsWorld = ReturnType<typeof makePaymentsWorld>

/**
 * The payments slice on a real database, with a clock and a queue in the hands of the test: a job runs when the test
 * says so, also twice, or never. The node is a double in memory.
 */
export function makePaymentsWorld(database: TestDatabase, node: TestNode = makeTestNode()) {
  const { owner } = newDevice()
  const time = { now: Date.now() }
  const clock = () => time.now
  const queue: NewJob[] = []
  /** What the slice enqueues waits here instead of at graphile-worker. */
  const transact: Transact = (work) =>
    database.transact((tx) =>
      work({
        ...tx,
        enqueue(job) {
          if (unlucky.id === job.payload.id) throw new Error('this payment cannot be kept')
          enqueue(queue, job)
        },
      }),
    )
  const unlucky: { id: string | null } = { id: null }
  const connected: { node: TestNode | null } = { node }
  const nodes = { nodeOf: vi.fn(async () => connected.node) }
  const resolver: NameResolver = {
    resolve: vi.fn<NameResolver['resolve']>(),
    remembered: vi.fn<NameResolver['remembered']>(() => null),
  }
  const addresses = { invoiceFor: vi.fn<InvoiceMaker['invoiceFor']>() }
  const slice = makePaymentsSlice({
    transact,
    database: database.database,
    identity: {} as Identity,
    nodes,
    resolver,
    addresses,
    clock,
    followMs: 20,
  })
  const log = makeLog({ level: 'silent' })
  const perform = ({ task, payload }: NewJob) =>
    slice.tasks[task]!(payload, {
      jobId: '1',
      attempt: 1,
      maxAttempts: 25,
      signal: new AbortController().signal,
      log,
    })

  return {
    owner,
    node,
    nodes,
    connected,
    resolver,
    addresses,
    slice,
    time,
    queue,
    perform,
    unlucky,
    request: (wish: PaymentWish) =>
      transact((tx) => requestPayment({ nodes, resolver, clock, deadlineMs: DEADLINE_MS }, tx, owner, wish)),
    /** A payment that was accepted; its job waits. */
    async start(wish: PaymentWish = { to: offerOf(), amountMsat: '1000' }): Promise<PaymentState> {
      const state = await this.request(wish)
      if ('refused' in state) throw new Error(`refused: ${state.refused}`)
      return state
    },
    /** Takes the first waiting job of this task. */
    take(task: string): NewJob {
      const at = queue.findIndex((job) => job.task === `payments:${task}`)
      const [job] = at < 0 ? [] : queue.splice(at, 1)
      if (!job) throw new Error(`No job payments:${task} waits.`)
      return job
    },
    async run(task: string) {
      await perform(this.take(task))
    },
    /** Moves the clock to the next job and runs it, `times` times or until none waits. */
    async runNext(times: number) {
      for (let left = times; left > 0 && queue.length > 0; left--) {
        queue.sort((a, b) => dueAt(a) - dueAt(b))
        const job = queue.shift()!
        time.now = Math.max(time.now, dueAt(job))
        await perform(job)
      }
    },
    async read(id: string): Promise<PaymentState> {
      const state = await findPayment(database.db, id)
      if (!state) throw new Error('There is no such payment.')
      return state
    },
    async entriesOf(id: string) {
      return database.db
        .selectFrom('journal')
        .select(['kind', 'data', 'at', 'actor'])
        .where('entity_id', '=', id)
        .orderBy('seq')
        .execute() as Promise<{ kind: string; data: JsonObject; at: Date; actor: string }[]>
    },
  }
}

const dueAt = (job: NewJob) => job.runAt?.getTime() ?? 0

/** As graphile-worker does: a waiting job with the same key is replaced. */
function enqueue(queue: NewJob[], job: NewJob): void {
  const same = queue.findIndex(({ key }) => key !== undefined && key === job.key)
  if (same >= 0) queue.splice(same, 1)
  queue.push(job)
}
