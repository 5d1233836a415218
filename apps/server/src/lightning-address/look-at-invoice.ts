import { type LightningNode, NodeError } from '@holdfast/lightning'
import type { AskNodes } from '../nodes/connected-node.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { Task } from '../platform/jobs.ts'
import { sweepRows } from '../platform/sweep-rows.ts'
import type { NewJob, Transact, Transaction } from '../platform/transaction.ts'
import { TimedOutError, within } from '../platform/within.ts'
import { type AddressInvoice, hearNode, type NodeAnswer } from './address-invoice.ts'
import { type Due, findDue, findInvoice, forget, lockInvoice, updatePhase } from './address-invoice-store.ts'

export type LookDeps = AskNodes & {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  clock: () => number
}

export const LOOK = 'lightning-address:look'
export const PUBLISH_RECEIPT = 'lightning-address:publish-receipt'

const NODE_TIMEOUT_MS = 5_000
/** How long after a look was due the sweeper begins to doubt that its job still exists. */
const SILENCE_MS = 60_000
const AT_ONCE = 100
/** Unpaid invoices and what payers said of themselves are not kept for ever. */
const UNPAID_KEPT_MS = 24 * 3600_000
const WORDS_KEPT_MS = 90 * 24 * 3600_000

/** The job that asks the owner's node; without `lookAt` at once. */
export function lookJob({ paymentHash, lookAt }: { paymentHash: string; lookAt?: number }): NewJob {
  return {
    task: LOOK,
    payload: { paymentHash },
    key: `address-invoice:${paymentHash}`,
    ...(lookAt !== undefined && { runAt: new Date(lookAt) }),
  }
}

export function makeLookTask(deps: LookDeps): Task {
  return async ({ paymentHash }) => {
    await lookAtInvoice(deps, String(paymentHash), { due: true })
  }
}

/**
 * Asks the owner's node what became of an invoice and keeps what it says. A look that is `due` has it asked again
 * unless that is final. Null: there is no such invoice. `heard` is false when the node could not be asked.
 */
export async function lookAtInvoice(
  deps: LookDeps,
  paymentHash: string,
  { due = false } = {},
): Promise<{ invoice: AddressInvoice; heard: boolean } | null> {
  const before = await findInvoice(deps.database.db, paymentHash)
  if (before === null) return null
  if (before.phase === 'paid') return { invoice: before, heard: true }
  const answer = await askNode(deps, before)
  const heard = answer !== 'silent'
  // A job runs by the database's clock, which may be ahead of ours.
  const hear = (state: AddressInvoice) =>
    hearNode(state, answer, Math.max(deps.clock(), due && state.phase === 'open' ? state.lookAt : 0))
  if (hear(before) === before) return { invoice: before, heard }
  const invoice = await deps.transact((tx) => keepAnswer(tx, paymentHash, hear))
  return invoice && { invoice, heard }
}

/**
 * Has invoices looked at whose job was lost, and forgets what need not be kept. It asks no node itself: one that is
 * silent would keep the sweeper from everything else. Answers how many.
 */
export async function sweepInvoices({ database: { db }, transact, clock }: LookDeps): Promise<number> {
  const now = clock()
  await forget(db, { endedBefore: now - UNPAID_KEPT_MS, paidBefore: now - WORDS_KEPT_MS })
  return sweepRows<Due>({
    what: 'address invoices',
    pageSize: AT_ONCE,
    pageAfter: (after) => findDue(db, { dueBefore: now - SILENCE_MS, limit: AT_ONCE, after }),
    look: ({ paymentHash }) => transact(async (tx) => tx.enqueue(lookJob({ paymentHash }))),
  })
}

async function keepAnswer(
  tx: Transaction,
  paymentHash: string,
  hear: (state: AddressInvoice) => AddressInvoice,
): Promise<AddressInvoice | null> {
  const before = await lockInvoice(tx.db, paymentHash)
  if (before === null) return null
  const after = hear(before)
  if (after === before) return before
  await updatePhase(tx.db, after)
  if (after.phase === 'open') tx.enqueue(lookJob(after))
  if (after.phase === 'paid') recordPaid(tx, after)
  return after
}

/**
 * Only what was paid comes into the journal: strangers can ask for invoices, and it cannot forget. Nor can it forget
 * what a payer said, so that stays out, too.
 */
function recordPaid(tx: Transaction, invoice: Extract<AddressInvoice, { phase: 'paid' }>): void {
  const { id, owner, user, domain, paymentHash, amountMsat, receivedMsat, paidAt } = invoice
  tx.append({
    stream: 'address-invoice',
    entityId: id,
    kind: 'address-invoice.paid',
    data: {
      ...{ owner, name: `${user}@${domain}`, paymentHash, paidAt },
      ...{ amountMsat: `${amountMsat}`, receivedMsat: `${receivedMsat}` },
    },
    actor: 'node',
  })
  if (invoice.zapRequest !== null)
    tx.enqueue({ task: PUBLISH_RECEIPT, payload: { paymentHash }, key: `zap-receipt:${paymentHash}` })
}

async function askNode({ nodes, nodeTimeoutMs }: LookDeps, invoice: AddressInvoice): Promise<NodeAnswer> {
  const ask = async (): Promise<NodeAnswer> => {
    const node: LightningNode | null = await nodes.nodeOf(invoice.owner)
    if (!node?.invoices) return 'silent'
    return (await node.invoices.lookup(invoice.paymentHash)) ?? 'never-heard-of'
  }
  try {
    return await within(nodeTimeoutMs ?? NODE_TIMEOUT_MS, ask())
  } catch (error) {
    if (error instanceof TimedOutError || (error instanceof NodeError && error.code === 'offline'))
      return 'silent'
    throw error
  }
}
