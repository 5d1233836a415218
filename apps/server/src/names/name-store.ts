import type { NameDecision } from '@holdfast/core/names/name-machine'
import { CLAIMING_PHASES, type NameState } from '@holdfast/core/names/name-states'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../platform/database.ts'
import { comesAfter, type PagePosition } from '../platform/page-cursor.ts'
import './name-tables.ts'

/** How long after an effect was due the sweeper begins to doubt that its job still exists. */
const SILENCE_MS = 60_000

/** False when the name, or one that looks like it, is claimed; waits for a concurrent claim to be decided. */
export async function insertName(db: Kysely<Database>, { state, effects }: NameDecision): Promise<boolean> {
  const inserted = await db
    .insertInto('name_registration')
    .values({
      id: state.id,
      owner: state.owner,
      user_part: state.user,
      domain: state.domain,
      skeleton: state.skeleton,
      phase: state.phase,
      state: JSON.stringify(state),
      requested_at: new Date(state.requestedAt),
      look_at: lookAt({ state, effects }),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted !== undefined
}

export async function updateName(db: Kysely<Database>, decision: NameDecision): Promise<void> {
  const { state } = decision
  await db
    .updateTable('name_registration')
    .set({ phase: state.phase, state: JSON.stringify(state), look_at: lookAt(decision) })
    .where('id', '=', state.id)
    .executeTakeFirstOrThrow()
}

/** Locks the row until the transaction ends. */
export async function lockName(db: Kysely<Database>, id: string): Promise<NameState | null> {
  const row = await db
    .selectFrom('name_registration')
    .select('state')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row?.state ?? null
}

export async function findName(db: Kysely<Database>, id: string): Promise<NameState | null> {
  const row = await db.selectFrom('name_registration').select('state').where('id', '=', id).executeTakeFirst()
  return row?.state ?? null
}

/** The registration that holds the claim on this name. */
export async function findClaim(
  db: Kysely<Database>,
  user: string,
  domain: string,
): Promise<NameState | null> {
  const row = await db
    .selectFrom('name_registration')
    .select('state')
    .where('user_part', '=', user)
    .where('domain', '=', domain)
    .where('phase', 'in', CLAIMING_PHASES)
    .executeTakeFirst()
  return row?.state ?? null
}

/** Counts the owner's claims, and keeps the owner's other requests waiting until the transaction ends. */
export async function countClaims(db: Kysely<Database>, owner: string): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`name-owner:${owner}`}, 0))`.execute(db)
  const { count } = await db
    .selectFrom('name_registration')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('owner', '=', owner)
    .where('phase', 'in', CLAIMING_PHASES)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** An owner's registrations, newest first, those that have ended included. */
export async function listNames(
  db: Kysely<Database>,
  page: { owner: string; limit: number; after: PagePosition | null },
): Promise<NameState[]> {
  let query = db
    .selectFrom('name_registration')
    .select('state')
    .where('owner', '=', page.owner)
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
  if (page.after) query = query.where(comesAfter(page.after))
  return (await query.execute()).map((row) => row.state)
}

export async function findOverdue(db: Kysely<Database>, now: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('name_registration')
    .select('id')
    .where('look_at', '<', new Date(now))
    .orderBy('look_at')
    .limit(limit)
    .execute()
  return rows.map((row) => row.id)
}

function lookAt({ state, effects }: NameDecision): Date | null {
  if (state.phase === 'freed') return null
  const due = effects.filter((effect) => effect.kind !== 'wake' || state.phase === 'active')
  if (due.length === 0) return state.phase === 'active' ? null : new Date(state.deadlineAt + SILENCE_MS)
  return new Date(Math.max(...due.map((effect) => effect.at)) + SILENCE_MS)
}
