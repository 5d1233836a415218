import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import { claimedHash } from '@holdfast/core/escrow/milestone-facts'
import type { LdkNode } from '@holdfast/lightning/ldk'
import { decodeEscrow } from '@holdfast/server/escrow/escrow-codec'
import { ESCROW_REPLAY } from '@holdfast/server/escrow/replay-escrow'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { auditEntity } from '@holdfast/server/platform/journal/audit-entity'
import { sql } from 'kysely'
import { STORIES } from './escrow-steps.ts'
import type { EscrowStory } from './escrow-story.ts'
import { readJournal } from './journal-faults.ts'

/** What each node can spend over its channels. */
export type Spendable = { readonly buyer: bigint; readonly operator: bigint; readonly worker: bigint }

export type EscrowNodes = { readonly [Whose in keyof Spendable]: LdkNode }

export async function readEscrows({ db }: OpenDatabase): Promise<EscrowState[]> {
  const { rows } = await sql<{ state: JsonObject }>`select state from escrow`.execute(db)
  return rows.map(({ state }) => decodeEscrow(state))
}

export async function readSpendable(nodes: EscrowNodes): Promise<Spendable> {
  const of = async (node: LdkNode) => (await node.funds.balance()).lightningMsat
  return { buyer: await of(nodes.buyer), operator: await of(nodes.operator), worker: await of(nodes.worker) }
}

/** What each must have now: the worker the payouts, the operator its fees, the buyer the rest, to the millisatoshi. */
export function expectedSpendable(before: Spendable, escrows: readonly EscrowState[]): Spendable {
  let { buyer, operator, worker } = before
  for (const { milestones } of escrows) {
    const milestone = milestones[0]!
    if (milestone.phase !== 'released') continue
    const { payoutMsat, feeMsat } = milestone.terms
    buyer -= payoutMsat + feeMsat
    operator += feeMsat
    worker += payoutMsat
  }
  return { buyer, operator, worker }
}

/** Each story has its one escrow, which ended as it must; no escrow is there without a story. */
export function findWrongEnds(stories: readonly EscrowStory[], escrows: readonly EscrowState[]): string[] {
  const byTitle = Map.groupBy(escrows, ({ title }) => title)
  const faults = stories.flatMap(({ kind, title }) => {
    const found = byTitle.get(title) ?? []
    const phase = found[0]?.milestones[0]?.phase
    if (found.length !== 1) return [`${title} (${kind}) exists ${found.length} times`]
    return phase === STORIES[kind] ? [] : [`${title} (${kind}) is ${phase}`]
  })
  if (escrows.length !== stories.length)
    faults.push(`${stories.length} requests made ${escrows.length} escrows`)
  return faults
}

/** The journal is whole, and each escrow is what its entries lead to. */
export async function findAuditFaults(
  database: OpenDatabase,
  escrows: readonly EscrowState[],
): Promise<string[]> {
  const { faults } = await readJournal(database)
  for (const { id, title } of escrows) {
    const { verdict } = await auditEntity(database, { stream: 'escrow', id }, ESCROW_REPLAY)
    if (verdict !== 'intact') faults.push(`the audit of ${title} says ${verdict}`)
  }
  return faults
}

/** What the nodes themselves say: every hold is over, as its escrow has it, and every payment ended as it must. */
export async function findForgotten(
  { buyer, operator, worker }: EscrowNodes,
  stories: readonly EscrowStory[],
  escrows: readonly EscrowState[],
): Promise<string[]> {
  const faults: string[] = []
  const expectSame = (what: string, found: unknown, wanted: unknown) => {
    if (!isDeepStrictEqual(found, wanted)) faults.push(`${what}: ${found} instead of ${wanted}`)
  }
  const byTitle = new Map(escrows.map((escrow) => [escrow.title, escrow.milestones[0]]))
  for (const { kind, title, buyersPayments, workersHash } of stories) {
    const milestone = byTitle.get(title)
    const isClaimed = milestone?.phase === 'released' || milestone?.phase === 'repaid'
    if (workersHash !== null) {
      // Of a coordinated escrow the hold has a hash of the operator's own.
      const ownHash = kind === 'coordinated' && milestone !== undefined && 'paymentHash' in milestone
      const hold = await operator.holdInvoices.lookup(ownHash ? milestone.paymentHash : workersHash)
      expectSame(`the hold of ${title} (${kind})`, hold?.state, isClaimed ? 'settled' : 'cancelled')
      const { state } = (await worker.invoices.lookup(workersHash)) ?? { state: 'none' }
      const received = (await worker.holdInvoices.lookup(workersHash))?.state ?? state
      const isPaid = received === 'paid' || received === 'settled'
      expectSame(`the payout of ${title} (${kind})`, isPaid, milestone?.phase === 'released')
    }
    const paid = await Promise.all(buyersPayments.map((id) => buyer.payer.lookup(id)))
    const succeeded = paid.filter((outcome) => outcome?.state === 'succeeded').length
    const open = paid.filter((outcome) => outcome?.state === 'pending' || outcome?.state === 'unknown').length
    expectSame(`the payments for ${title} (${kind})`, [succeeded, open], [isClaimed ? 1 : 0, 0])
  }
  return faults
}

/** What the operator's node has claimed, and does not call final although the peers are there: forgotten by a kill. */
export async function findOpenClaims(
  { operator }: Pick<EscrowNodes, 'operator'>,
  escrows: readonly EscrowState[],
): Promise<string[]> {
  const hashes = escrows
    .flatMap(({ milestones }) => milestones.map(claimedHash))
    .filter((hash) => hash !== null)
  const said = await operator.holdInvoices.lookupAll(hashes)
  return hashes.filter((_, at) => {
    const hold = said[at]
    return hold?.state !== 'settled' || !hold.isFinal
  })
}

/** Preimages that the server heard and must not have kept: those that found their way into the database. */
export async function findKeptPreimages(
  { db }: OpenDatabase,
  stories: readonly EscrowStory[],
): Promise<string[]> {
  const tables = ['journal', 'escrow', 'job_outbox', 'graphile_worker._private_jobs', 'idempotency_key']
  const faults: string[] = []
  for (const table of tables) {
    const { rows } = await sql<{ text: string }>`
      select string_agg(kept::text, ' ') as text from ${sql.raw(table)} as kept`.execute(db)
    for (const { title, preimage } of stories)
      if (rows[0]?.text?.includes(preimage)) faults.push(`the preimage of ${title} is in ${table}`)
  }
  return faults
}

/** Jobs that were given up, and what they died of. */
export async function findDeadLetters({ db }: OpenDatabase): Promise<string[]> {
  const { rows } = await sql<{ task: string; error: string }>`
    select identifier as task, last_error as error
    from graphile_worker._private_jobs job join graphile_worker._private_tasks task on task.id = job.task_id
    where attempts >= max_attempts and last_error is not null`.execute(db)
  return rows.map(({ task, error }) => `${task}: ${error}`)
}
