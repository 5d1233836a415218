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
import { makeJobQueue } from '../../platform/testing/job-queue.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
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
  /** Whose jobs cannot be kept. */
  const unlucky: { id: string | null } = { id: null }
  const queue = makeJobQueue({
    transact: () => database.transact,
    prefix: 'payments',
    tasks: () => slice.tasks,
    time,
    onEnqueue(job) {
      if (unlucky.id === job.payload.id) throw new Error('this payment cannot be kept')
    },
  })
  const { transact, perform, performAtOnce, take, run, runNext } = queue
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

  return {
    owner,
    node,
    nodes,
    connected,
    resolver,
    addresses,
    slice,
    time,
    queue: queue.jobs,
    perform,
    performAtOnce,
    take,
    run,
    runNext,
    unlucky,
    request: (wish: PaymentWish) =>
      transact((tx) => requestPayment({ nodes, resolver, clock, deadlineMs: DEADLINE_MS }, tx, owner, wish)),
    /** A payment that was accepted; its job waits. */
    async start(wish: PaymentWish = { to: offerOf(), amountMsat: '1000' }): Promise<PaymentState> {
      const state = await this.request(wish)
      if ('refused' in state) throw new Error(`refused: ${state.refused}`)
      return state
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
