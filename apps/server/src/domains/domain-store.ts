import { domainDueAt } from '@holdfast/core/domains/domain-machine'
import type { DomainState } from '@holdfast/core/domains/domain-states'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../platform/database.ts'
import './domain-tables.ts'

/** How long after a check was due the sweeper begins to doubt that its job still exists. */
const SILENCE_MS = 60_000

export async function insertDomain(db: Kysely<Database>, state: DomainState): Promise<void> {
  const { id, domain, owner, label, requestedAt } = state
  await db
    .insertInto('domain_claim')
    .values({ id, domain, owner, label, requested_at: new Date(requestedAt), ...changingColumns(state) })
    .execute()
}

export async function updateDomain(db: Kysely<Database>, state: DomainState): Promise<void> {
  await db
    .updateTable('domain_claim')
    .set(changingColumns(state))
    .where('id', '=', state.id)
    .executeTakeFirstOrThrow()
}

function changingColumns(state: DomainState) {
  const dueAt = domainDueAt(state)
  return {
    phase: state.phase,
    state: JSON.stringify(state),
    look_at: dueAt === null ? null : new Date(dueAt + SILENCE_MS),
  }
}

/** Locks the row until the transaction ends. */
export async function lockDomain(db: Kysely<Database>, id: string): Promise<DomainState | null> {
  const row = await db
    .selectFrom('domain_claim')
    .select('state')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row?.state ?? null
}

export async function findDomain(db: Kysely<Database>, id: string): Promise<DomainState | null> {
  const row = await db.selectFrom('domain_claim').select('state').where('id', '=', id).executeTakeFirst()
  return row?.state ?? null
}

/** The owner's claim to this domain that has not ended. */
export async function findOwnDomain(
  db: Kysely<Database>,
  { owner, domain }: { owner: string; domain: string },
): Promise<DomainState | null> {
  const row = await db
    .selectFrom('domain_claim')
    .select('state')
    .where('owner', '=', owner)
    .where('domain', '=', domain)
    .where('phase', '<>', 'ended')
    .executeTakeFirst()
  return row?.state ?? null
}

/** The owner's claims that have not ended, oldest first. */
export async function listOwnDomains(db: Kysely<Database>, owner: string): Promise<DomainState[]> {
  const rows = await db
    .selectFrom('domain_claim')
    .select('state')
    .where('owner', '=', owner)
    .where('phase', '<>', 'ended')
    .orderBy('requested_at')
    .orderBy('id')
    .execute()
  return rows.map((row) => row.state)
}

/** Keeps the owner's other requests waiting until the transaction ends. */
export async function lockOwner(db: Kysely<Database>, owner: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`domain-owner:${owner}`}, 0))`.execute(db)
}

/** Who else has proven that the domain is theirs, locked; until the transaction ends nobody else can. */
export async function lockRival(
  db: Kysely<Database>,
  { id, domain }: { id: string; domain: string },
): Promise<DomainState | null> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`domain:${domain}`}, 0))`.execute(db)
  const row = await db
    .selectFrom('domain_claim')
    .select('state')
    .where('domain', '=', domain)
    .where('phase', 'in', ['active', 'lapsed'])
    .where('id', '<>', id)
    .forUpdate()
    .executeTakeFirst()
  return row?.state ?? null
}

/** The domains whose owners have proven that they are theirs. */
export async function listProven(db: Kysely<Database>): Promise<DomainState[]> {
  const rows = await db
    .selectFrom('domain_claim')
    .select('state')
    .where('phase', 'in', ['active', 'lapsed'])
    .execute()
  return rows.map((row) => row.state)
}

/** Claims at which nobody looked although it was due, in the order of their ids, after `after`. */
export async function findSilentDomains(
  db: Kysely<Database>,
  page: { now: number; limit: number; after: { id: string } | null },
): Promise<{ id: string }[]> {
  let query = db
    .selectFrom('domain_claim')
    .select('id')
    .where('look_at', '<', new Date(page.now))
    .orderBy('id')
    .limit(page.limit)
  if (page.after) query = query.where('id', '>', page.after.id)
  return query.execute()
}

/** The claims whose names live, or may yet live, below a label of this zone. */
export async function listHosted(
  db: Kysely<Database>,
  host: string,
): Promise<{ readonly label: string; readonly domain: string }[]> {
  return db
    .selectFrom('domain_claim')
    .select(['label', 'domain'])
    .where('phase', '<>', 'ended')
    .where(sql<boolean>`state ->> 'host' = ${host}`)
    .execute()
}

/** Whether somebody has shown that the domain is theirs. */
export async function isProven(db: Kysely<Database>, domain: string): Promise<boolean> {
  const row = await db
    .selectFrom('domain_claim')
    .select('id')
    .where('domain', '=', domain)
    .where('phase', 'in', ['active', 'lapsed'])
    .executeTakeFirst()
  return row !== undefined
}

/** Whether somebody has shown that the domain is theirs; until the transaction ends they cannot give it up. */
export async function lockProven(db: Kysely<Database>, domain: string): Promise<boolean> {
  const row = await db
    .selectFrom('domain_claim')
    .select('id')
    .where('domain', '=', domain)
    .where('phase', 'in', ['active', 'lapsed'])
    .forKeyShare()
    .executeTakeFirst()
  return row !== undefined
}

/** Of a claim that has ended: below which label of which zone its names lived, or of which domain it was. */
export async function findEnded(
  db: Kysely<Database>,
  claim: { label: string; host: string } | { domain: string },
): Promise<string | null> {
  const ended = db.selectFrom('domain_claim').select('domain').where('phase', '=', 'ended').limit(1)
  const query =
    'domain' in claim
      ? ended.where('domain', '=', claim.domain)
      : ended.where('label', '=', claim.label).where(sql<boolean>`state ->> 'host' = ${claim.host}`)
  return (await query.executeTakeFirst())?.domain ?? null
}

/** Of this domain, those that were proven once and have ended, as the journal says: names may have lived by them. */
export async function listFormer(db: Kysely<Database>, domain: string): Promise<DomainState[]> {
  const rows = await db
    .selectFrom('domain_claim as claim')
    .select('state')
    .where('domain', '=', domain)
    .where('phase', '=', 'ended')
    .where(
      sql<boolean>`exists (
        select from journal as entry where entry.stream = 'domain' and entry.entity_id = claim.id::text
          and entry.data ->> 'phase' = 'active'
      )`,
    )
    .execute()
  return rows.map((row) => row.state)
}

export async function findActiveOwner(db: Kysely<Database>, domain: string): Promise<string | null> {
  const row = await db
    .selectFrom('domain_claim')
    .select('owner')
    .where('domain', '=', domain)
    .where('phase', '=', 'active')
    .executeTakeFirst()
  return row?.owner ?? null
}
