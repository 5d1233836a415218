import type { PaymentDecision } from '@holdfast/core/payments/payment-machine'
import type { PaymentState } from '@holdfast/core/payments/payment-states'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../platform/database.ts'
import { comesAfter, type PagePosition } from '../platform/page-cursor.ts'
import type { Transaction } from '../platform/transaction.ts'
import { decodeState, stringifyPayment } from './payment-codec.ts'
import './payment-tables.ts'

/** How long after an effect was due the sweeper begins to doubt that its job still exists. */
const SILENCE_MS = 60_000

export function insertPayment({ db, writeLast }: Transaction, decision: PaymentDecision): void {
  const { state } = decision
  const row = db.insertInto('payment').values({
    id: state.id,
    node_payment_id: state.nodePaymentId,
    owner: state.owner,
    phase: state.phase,
    state: stringifyPayment(state),
    requested_at: new Date(state.requestedAt),
    look_at: lookAt(decision),
  })
  writeLast(sql`${row}`)
}

/**
 * Of a payment that the transaction has locked, or of one that nobody has and that is what it is `believed` to be: where
 * that is not so, the transaction fails with an error of which `isNotAsBelieved` is true.
 */
export function updatePayment(
  { db, writeLast }: Transaction,
  decision: PaymentDecision,
  believed?: PaymentState,
): void {
  const { state } = decision
  let row = db
    .updateTable('payment')
    .set({
      node_payment_id: state.nodePaymentId,
      phase: state.phase,
      state: stringifyPayment(state),
      look_at: lookAt(decision),
    })
    .where('id', '=', state.id)
  if (believed) row = row.where(sql<boolean>`is_as_believed(${state.id}, ${stringifyPayment(believed)})`)
  writeLast(sql`${row}`)
}

/** `PM001` of `is_as_believed`, and `lock_not_available`. */
export function isNotAsBelieved(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'PM001' || error.code === '55P03')
}

/** Locks the row until the transaction ends. */
export async function lockPayment(db: Kysely<Database>, id: string): Promise<PaymentState | null> {
  const row = await db
    .selectFrom('payment')
    .select('state')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row ? decodeState(row.state) : null
}

export async function findPayment(db: Kysely<Database>, id: string): Promise<PaymentState | null> {
  const row = await db.selectFrom('payment').select('state').where('id', '=', id).executeTakeFirst()
  return row ? decodeState(row.state) : null
}

/** An owner's payments, newest first. */
export async function listPayments(
  db: Kysely<Database>,
  page: { owner: string; limit: number; after: PagePosition | null },
): Promise<PaymentState[]> {
  let query = db
    .selectFrom('payment')
    .select('state')
    .where('owner', '=', page.owner)
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
  if (page.after) query = query.where(comesAfter(page.after))
  return (await query.execute()).map((row) => decodeState(row.state))
}

export type Silent = { id: string; look_at: Date | null }

/** Payments about which nothing was heard although something was due before `dueBefore`, longest silence first. */
export async function findSilent(
  db: Kysely<Database>,
  { dueBefore, limit, after }: { dueBefore: Date; limit: number; after: Silent | null },
): Promise<Silent[]> {
  let query = db
    .selectFrom('payment')
    .select(['id', 'look_at'])
    .where('look_at', '<', dueBefore)
    .orderBy('look_at')
    .orderBy('id')
    .limit(limit)
  if (after) query = query.where(sql<boolean>`(look_at, id) > (${after.look_at}, ${after.id}::uuid)`)
  return query.execute()
}

/** Payments that have not ended, in the order of their ids. */
export async function findOpen(
  db: Kysely<Database>,
  { limit, after }: { limit: number; after: { id: string } | null },
): Promise<{ id: string }[]> {
  let query = db
    .selectFrom('payment')
    .select('id')
    .where('look_at', 'is not', null)
    .orderBy('id')
    .limit(limit)
  if (after) query = query.where('id', '>', after.id)
  return query.execute()
}

/** Something was due at `at`: until then and a while longer the sweeper need not look. */
export async function postponeLook(db: Kysely<Database>, id: string, at: number): Promise<void> {
  await db
    .updateTable('payment')
    .set({ look_at: new Date(at + SILENCE_MS) })
    .where('id', '=', id)
    .where('look_at', 'is not', null)
    .execute()
}

function lookAt({ state, effects }: PaymentDecision): Date | null {
  if (state.phase === 'succeeded' || state.phase === 'failed') return null
  const due = effects.filter((effect) => effect.kind !== 'wake').map((effect) => effect.at)
  return new Date(Math.max(state.requestedAt, ...due) + SILENCE_MS)
}
