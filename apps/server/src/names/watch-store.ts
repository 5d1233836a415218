import type { UnhealthyReason } from '@holdfast/core/names/name-health'
import type { NameIn } from '@holdfast/core/names/name-states'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../platform/database.ts'
import './name-tables.ts'

export type Watched = {
  readonly state: NameIn<'active'>
  /** What the look before found and did not say. */
  readonly finding: UnhealthyReason | null
}

/**
 * Takes the live name that has waited longest for its look, and keeps it from others until `until`: when whoever took it
 * dies, it is due again then. Null: none is due.
 */
export async function takeDueName(
  db: Kysely<Database>,
  { now, until }: { now: number; until: number },
): Promise<Watched | null> {
  const due = db
    .selectFrom('name_registration')
    .select('id')
    .where('phase', '=', 'active')
    .where('watch_at', '<=', new Date(now))
    .orderBy('watch_at')
    .limit(1)
    .forUpdate()
    .skipLocked()
  const row = await db
    .updateTable('name_registration')
    .set({ watch_at: new Date(until) })
    .where('id', '=', due)
    .returning(['state', 'watch_finding'])
    .executeTakeFirst()
  return row ? { state: row.state as NameIn<'active'>, finding: row.watch_finding } : null
}

/** When the name is looked at next, and what was found and not said. */
export async function keepLook(
  db: Kysely<Database>,
  id: string,
  { at, finding }: { at: number; finding: UnhealthyReason | null },
): Promise<void> {
  await db
    .updateTable('name_registration')
    .set({ watch_at: new Date(at), watch_finding: finding })
    .where('id', '=', id)
    .execute()
}

/** Live names with which something is wrong, by domain and user. */
export async function listUnhealthy(
  db: Kysely<Database>,
  page: { limit: number; after: { user: string; domain: string } | null },
): Promise<NameIn<'active'>[]> {
  let query = db
    .selectFrom('name_registration')
    .select('state')
    .where('phase', '=', 'active')
    .where(sql<boolean>`state ->> 'unhealthy' is not null`)
    .orderBy('domain')
    .orderBy('user_part')
    .limit(page.limit)
  const { after } = page
  if (after) query = query.where(sql<boolean>`(domain, user_part) > (${after.domain}, ${after.user})`)
  return (await query.execute()).map((row) => row.state as NameIn<'active'>)
}
