import type { JsonObject } from '@holdfast/core'
import { type EscrowDecision, guardianHeight } from '@holdfast/core/escrow/escrow-machine'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { HoldLimits } from '@holdfast/core/escrow/hold-limits'
import {
  claimedHash,
  committedMsat,
  hasOpenHold,
  marksWorker,
  takesPlace,
} from '@holdfast/core/escrow/milestone-facts'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../platform/database.ts'
import type { Transaction } from '../platform/transaction.ts'
import { decodeEscrow, stringifyEscrow } from './escrow-codec.ts'
import './escrow-tables.ts'

/** How long after an effect was due the sweeper begins to doubt that its job still exists. */
const SILENCE_MS = 60_000
/** An open escrow is looked at this often even when nothing is due. */
const LOOK_EVERY_MS = 60 * 60_000

export function insertEscrow({ db, writeLast }: Transaction, decision: EscrowDecision, now: number): void {
  const { state } = decision
  const row = db.insertInto('escrow').values({
    id: state.id,
    kind: state.kind,
    custody: state.custody,
    buyer: state.buyer,
    created_at: new Date(state.createdAt),
    ...changing(decision, now),
  })
  writeLast(sql`${row}`)
}

/**
 * Of an escrow that the transaction has locked, or of one that nobody has and that is what it is `believed` to be: where
 * that is not so, the transaction fails with an error of which `isNotAsBelieved` is true.
 */
export function updateEscrow(
  { db, writeLast }: Transaction,
  decision: EscrowDecision,
  now: number,
  believed?: EscrowState,
): void {
  const { id } = decision.state
  let row = db.updateTable('escrow').set(changing(decision, now)).where('id', '=', id)
  if (believed) row = row.where(sql<boolean>`is_escrow_as_believed(${id}, ${stringifyEscrow(believed)})`)
  writeLast(sql`${row}`)
}

/** `ES001` of `is_escrow_as_believed`, and `lock_not_available`. */
export function isNotAsBelieved(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ES001' || error.code === '55P03')
}

function changing(decision: EscrowDecision, now: number) {
  const { state } = decision
  return {
    worker: state.worker,
    arbiter: state.arbiter,
    phase: state.phase,
    state: stringifyEscrow(state),
    look_at: lookAt(decision, now),
    guardian_height: guardianHeight(state),
    committed_msat: state.milestones.reduce((sum, milestone) => sum + committedMsat(milestone), 0n),
    open_holds: state.milestones.filter(hasOpenHold).length,
    taken_holds: state.milestones.filter(takesPlace).length,
    // Also those that were final already: the guardian asks once more.
    open_claims: state.milestones.map(claimedHash).filter((hash) => hash !== null),
    premature_settlements: state.milestones.filter(marksWorker).length,
  }
}

/** Locks the row until the transaction ends. */
export async function lockEscrow(db: Kysely<Database>, id: string): Promise<EscrowState | null> {
  const row = await db
    .selectFrom('escrow')
    .select('state')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row ? decodeEscrow(row.state) : null
}

export async function findEscrow(db: Kysely<Database>, id: string): Promise<EscrowState | null> {
  const row = await db.selectFrom('escrow').select('state').where('id', '=', id).executeTakeFirst()
  return row ? decodeEscrow(row.state) : null
}

/** False: some escrow has had this hash before. Two who ask at once wait for each other here. */
export async function takeHash(
  db: Kysely<Database>,
  hash: { paymentHash: string; escrowId: string; milestone: number; now: number },
): Promise<boolean> {
  const taken = await db
    .insertInto('escrow_hash')
    .values({
      payment_hash: hash.paymentHash,
      escrow_id: hash.escrowId,
      milestone: hash.milestone,
      taken_at: new Date(hash.now),
    })
    .onConflict((conflict) => conflict.column('payment_hash').doNothing())
    .executeTakeFirst()
  return taken.numInsertedOrUpdatedRows === 1n
}

/** How many hashes a milestone has had, those of invoices included. */
export async function countHashes(
  db: Kysely<Database>,
  { id, milestone }: { id: string; milestone: number },
): Promise<number> {
  const { count } = await db
    .selectFrom('escrow_hash')
    .select(({ fn }) => fn.countAll<bigint>().as('count'))
    .where('escrow_id', '=', id)
    .where('milestone', '=', milestone)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** What the operator's node has promised already. */
export type TakenRoom = { readonly committedMsat: bigint; readonly open: HoldLimits }

/** What is taken, by that buyer and by all; until the transaction ends nobody else is told. */
export async function lockRoom(db: Kysely<Database>, buyer: string): Promise<TakenRoom> {
  const { rows } = await sql<{ committed: bigint; of_all: bigint; of_buyer: bigint }>`
    select * from lock_room(${buyer})`.execute(db)
  const [taken] = rows
  if (taken === undefined) throw new Error('lock_room answers one row.')
  return {
    committedMsat: taken.committed,
    open: { ofOneBuyer: Number(taken.of_buyer), ofAll: Number(taken.of_all) },
  }
}

/** A milestone that has had a payment hash, and the escrow as it is now. */
export type OfHash = { readonly milestone: number; readonly escrow: EscrowState }

/** Whose hashes they are; those that are missing are none of ours. */
export async function findByHashes(
  db: Kysely<Database>,
  paymentHashes: readonly string[],
): Promise<Map<string, OfHash>> {
  if (paymentHashes.length === 0) return new Map()
  const { rows } = await sql<{ payment_hash: string; milestone: number; state: JsonObject }>`
    select payment_hash, milestone, state from escrow_hash join escrow on escrow.id = escrow_hash.escrow_id
    where payment_hash = any(${paymentHashes}::text[])`.execute(db)
  return new Map(
    rows.map(({ payment_hash, milestone, state }) => [
      payment_hash,
      { milestone, escrow: decodeEscrow(state) },
    ]),
  )
}

/** By how many premature settlements each of these keys is marked as a worker; those that are missing by none. */
export async function countPrematureSettlements(
  db: Kysely<Database>,
  workers: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await sql<{ worker: string; count: number }>`
    select worker, sum(premature_settlements)::integer as count from escrow
    where premature_settlements > 0 and worker = any (${workers}::text[]) group by worker`.execute(db)
  return new Map(rows.map(({ worker, count }) => [worker, count]))
}

export type SilentEscrow = { readonly id: string; readonly lookAt: Date }

/** Escrows about which nothing was heard although something was due before `dueBefore`, longest silence first. */
export async function findSilent(
  db: Kysely<Database>,
  { dueBefore, limit, after }: { dueBefore: Date; limit: number; after: SilentEscrow | null },
): Promise<SilentEscrow[]> {
  let query = db
    .selectFrom('escrow')
    .select(['id', 'look_at as lookAt'])
    .where('look_at', '<', dueBefore)
    .orderBy('look_at')
    .orderBy('id')
    .limit(limit)
    .$narrowType<{ lookAt: Date }>()
  if (after !== null) query = query.where(sql<boolean>`(look_at, id) > (${after.lookAt}, ${after.id}::uuid)`)
  return query.execute()
}

export type DueEscrow = { readonly id: string; readonly height: number }

/** Escrows that the guardian must look at, those with the least time left first. */
export async function findDueAt(
  db: Kysely<Database>,
  { height, limit, after }: { height: number; limit: number; after: DueEscrow | null },
): Promise<DueEscrow[]> {
  let query = db
    .selectFrom('escrow')
    .select(['id', 'guardian_height as height'])
    .where('guardian_height', '<=', height)
    .orderBy('guardian_height')
    .orderBy('id')
    .limit(limit)
    .$narrowType<{ height: number }>()
  if (after !== null)
    query = query.where(sql<boolean>`(guardian_height, id) > (${after.height}, ${after.id}::uuid)`)
  return query.execute()
}

export type OpenClaims = { readonly id: string; readonly paymentHashes: readonly string[] }

/** Escrows with claims of which the node has not said yet that nobody can undo them, in the order of their ids. */
export async function findOpenClaims(
  db: Kysely<Database>,
  { limit, after }: { limit: number; after: { readonly id: string } | null },
): Promise<OpenClaims[]> {
  let query = db
    .selectFrom('escrow')
    .select(['id', 'open_claims as paymentHashes'])
    .where('open_claims', '<>', sql<string[]>`'{}'`)
    .orderBy('id')
    .limit(limit)
  if (after !== null) query = query.where('id', '>', after.id)
  return query.execute()
}

/** What is final stays so: whoever keeps the escrow at this moment takes nothing back. */
export async function endClaims(
  db: Kysely<Database>,
  claims: { readonly ids: readonly string[]; readonly paymentHashes: readonly string[] },
): Promise<void> {
  await sql`
    update escrow set open_claims = array(
      select hash from unnest(open_claims) as hash where hash <> all (${claims.paymentHashes}::text[])
    )
    where id = any (${claims.ids}::uuid[])`.execute(db)
}

/** Escrows that have not ended, in the order of their ids. */
export async function findOpen(
  db: Kysely<Database>,
  { limit, after }: { limit: number; after: { readonly id: string } | null },
): Promise<{ id: string }[]> {
  let query = db.selectFrom('escrow').select('id').where('look_at', 'is not', null).orderBy('id').limit(limit)
  if (after !== null) query = query.where('id', '>', after.id)
  return query.execute()
}

/** Something is due at `at`, or (absent) nothing: until then and a while longer the sweeper need not look. */
export async function postponeLook(
  db: Kysely<Database>,
  id: string,
  { now, at }: { now: number; at?: number },
): Promise<void> {
  await db
    .updateTable('escrow')
    .set({ look_at: new Date((at ?? now + LOOK_EVERY_MS) + SILENCE_MS) })
    .where('id', '=', id)
    .where('look_at', 'is not', null)
    .execute()
}

export async function readCursor(db: Kysely<Database>, nodeId: string): Promise<number> {
  const row = await db
    .selectFrom('escrow_node')
    .select('event_cursor')
    .where('node_id', '=', nodeId)
    .executeTakeFirst()
  return Number(row?.event_cursor ?? 0)
}

/** Never goes back: two instances may read the same events. */
export async function keepCursor(db: Kysely<Database>, nodeId: string, cursor: number): Promise<void> {
  await db
    .insertInto('escrow_node')
    .values({ node_id: nodeId, event_cursor: BigInt(cursor) })
    .onConflict((conflict) =>
      conflict
        .column('node_id')
        .doUpdateSet({ event_cursor: BigInt(cursor) })
        .where('escrow_node.event_cursor', '<', BigInt(cursor)),
    )
    .execute()
}

/** Null: nothing will ever be due. */
function lookAt({ state, effects }: EscrowDecision, now: number): Date | null {
  if ('endedAt' in state) return null
  const due = Math.min(now + LOOK_EVERY_MS, ...effects.map((effect) => effect.at))
  return new Date(Math.max(due, now) + SILENCE_MS)
}
