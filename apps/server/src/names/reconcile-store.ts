import { skeletonOf } from '@holdfast/core/names/name'
import { CLAIMING_PHASES, type NameIn, type NameState } from '@holdfast/core/names/name-states'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../platform/database.ts'
import type { Reconciliation } from './reconciliation.ts'
import './name-tables.ts'

type Name = { readonly user: string; readonly domain: string }

/** The claims of these names, by `user@domain`. */
export async function findClaims(
  db: Kysely<Database>,
  names: readonly Name[],
): Promise<ReadonlyMap<string, NameState>> {
  if (names.length === 0) return new Map()
  const wanted = new Set(names.map(({ user, domain }) => `${user}@${domain}`))
  const rows = await db
    .selectFrom('name_registration')
    .select('state')
    .where('phase', 'in', CLAIMING_PHASES)
    .where('domain', 'in', [...new Set(names.map(({ domain }) => domain))])
    // By the index that guards the claims.
    .where('skeleton', 'in', [...new Set(names.map(({ user }) => skeletonOf(user)))])
    .execute()
  const claims = rows.map(({ state }) => [`${state.user}@${state.domain}`, state] as const)
  return new Map(claims.filter(([name]) => wanted.has(name)))
}

/**
 * The registration of exactly this name for which exactly this offer was made or brought, as the journal, which nobody
 * can change, says; of several the one that claims the name, else the latest. Null: such a record was never ours.
 */
export async function findPublisher(
  db: Kysely<Database>,
  { user, domain }: Name,
  offer: string,
): Promise<string | null> {
  const row = await db
    .selectFrom('name_registration as name')
    .innerJoin('journal as entry', (join) =>
      join.on('entry.stream', '=', 'name').on(sql<boolean>`entry.entity_id = name.id::text`),
    )
    .select('name.id')
    .where('name.user_part', '=', user)
    .where('name.domain', '=', domain)
    .where(
      sql<boolean>`${offer} in (entry.data #>> '{command,offer,offer}', entry.data #>> '{command,ready,offer}')`,
    )
    .orderBy(sql`name.phase = 'freed'`)
    .orderBy('name.requested_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.id ?? null
}

/** Live names of these domains, by id. */
export async function listActive(
  db: Kysely<Database>,
  page: { domains: readonly string[]; limit: number; after: string | null },
): Promise<NameIn<'active'>[]> {
  let query = db
    .selectFrom('name_registration')
    .select('state')
    .where('phase', '=', 'active')
    .where('domain', 'in', page.domains)
    .orderBy('id')
    .limit(page.limit)
  if (page.after !== null) query = query.where('id', '>', page.after)
  return (await query.execute()).map((row) => row.state as NameIn<'active'>)
}

/** Zones that are new are due at once; the others are as well when they have not been compared since `notSince`. */
export async function keepDue(
  db: Kysely<Database>,
  domains: readonly string[],
  { now, notSince }: { now: number; notSince: number },
): Promise<void> {
  if (domains.length === 0) return
  await db
    .insertInto('zone_reconciliation')
    .values(domains.map((domain) => ({ domain, due_at: new Date(now), at: null, report: null })))
    .onConflict((conflict) =>
      conflict
        .column('domain')
        .doUpdateSet({ due_at: new Date(now) })
        .where((eb) =>
          eb.or([
            eb('zone_reconciliation.at', 'is', null),
            eb('zone_reconciliation.at', '<=', new Date(notSince)),
          ]),
        ),
    )
    .execute()
}

/** Takes a zone that is due, until `until`; null: none is. */
export async function takeDueZone(
  db: Kysely<Database>,
  { domains, now, until }: { domains: readonly string[]; now: number; until: number },
): Promise<string | null> {
  if (domains.length === 0) return null
  const due = db
    .selectFrom('zone_reconciliation')
    .select('domain')
    .where('domain', 'in', domains)
    .where('due_at', '<=', new Date(now))
    .orderBy('due_at')
    .limit(1)
    .forUpdate()
    .skipLocked()
  const row = await db
    .updateTable('zone_reconciliation')
    .set({ due_at: new Date(until) })
    .where('domain', '=', due)
    .returning('domain')
    .executeTakeFirst()
  return row?.domain ?? null
}

export async function keepReconciliation(
  db: Kysely<Database>,
  report: Reconciliation,
  dueAt: number,
): Promise<void> {
  await db
    .updateTable('zone_reconciliation')
    .set({ due_at: new Date(dueAt), at: new Date(report.at), report: JSON.stringify(report) })
    .where('domain', '=', report.domain)
    .execute()
}

/** The latest of each zone. */
export async function listReconciliations(db: Kysely<Database>): Promise<Reconciliation[]> {
  const rows = await db
    .selectFrom('zone_reconciliation')
    .select('report')
    .where('report', 'is not', null)
    .orderBy('domain')
    .execute()
  return rows.flatMap(({ report }) => report ?? [])
}
