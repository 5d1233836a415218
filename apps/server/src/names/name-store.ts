import { isRefusal } from '@holdfast/core'
import { readName, wildcardOf } from '@holdfast/core/names/name'
import { CLAIMING_PHASES, type NameJob, type NameState } from '@holdfast/core/names/name-states'
import { dueAt } from '@holdfast/core/names/pending-effects'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../platform/database.ts'
import { comesAfter, type PagePosition } from '../platform/page-cursor.ts'
import type { Transaction } from '../platform/transaction.ts'
import './name-tables.ts'

/** How long after an effect was due the sweeper begins to doubt that its job still exists. */
const SILENCE_MS = 60_000

/**
 * `quarantine`: who gave up this name, or one that looks like it, last, and until when nobody else may have it; no owner:
 * nobody at all.
 */
export type Claimed =
  | { readonly outcome: 'claimed'; readonly quarantine: { owner: string | null; until: number } | null }
  | { readonly outcome: 'too-many' | 'taken' | 'covered' }

/**
 * Claims the name of a first state for its owner, who may have `most`; waits for a concurrent claim to be decided, and
 * keeps the owner's other claims waiting until the transaction ends. After anything but `claimed` it must be undone.
 * Where beliefs are allowed the name is believed to be free.
 */
export async function claimName(
  { db, callFirst, mayBelieve }: Transaction,
  state: NameState,
  { now, most }: { now: number; most: number },
): Promise<Claimed> {
  const row = JSON.stringify({
    id: state.id,
    user_part: state.user,
    domain: state.domain,
    skeleton: state.skeleton,
    requested_at: new Date(state.requestedAt),
    ...changingColumns(state, now),
    state,
  })
  if (mayBelieve) {
    callFirst(sql`claim_name_or_fail(${row}::jsonb, ${most})`)
    return { outcome: 'claimed', quarantine: null }
  }
  const { rows } = await sql<{
    outcome: Claimed['outcome']
    held_by: string | null
    held_until: Date | null
  }>`
    select * from claim_name(${row}::jsonb, ${most})`.execute(db)
  const { outcome, held_by: owner, held_until: until } = rows[0]!
  if (outcome !== 'claimed') return { outcome }
  return { outcome, quarantine: until && { owner: owner || null, until: until.getTime() } }
}

/** Of a row that is locked. */
export function updateName({ db, writeLast }: Transaction, state: NameState, now: number): void {
  const row = db.updateTable('name_registration').set(changingColumns(state, now)).where('id', '=', state.id)
  writeLast(sql`${row}`)
}

function changingColumns(state: NameState, now: number) {
  const due = dueAt(state)
  const { phase, owner } = state
  const quarantineUntil = state.phase === 'freed' ? state.quarantineUntil : null
  return {
    phase,
    owner,
    state: JSON.stringify(state),
    look_at: due === null ? null : new Date(Math.max(due, now) + SILENCE_MS),
    job_id: state.job.id,
    quarantine_until: quarantineUntil === null ? null : new Date(quarantineUntil),
  }
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
  { user, domain }: { user: string; domain: string },
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

/** The registration by which this name is paid: its own, or, where it has none, the wildcard of its domain. */
export async function findAnswering(
  db: Kysely<Database>,
  name: { user: string; domain: string },
): Promise<NameState | null> {
  const own = await findClaim(db, name)
  return own || isRefusal(readName(name.user, name.domain)) ? own : findClaim(db, wildcardOf(name.domain))
}

/** Counts the owner's claims, and keeps the owner's other requests waiting until the transaction ends. */
export async function countClaims(db: Kysely<Database>, owner: string): Promise<number> {
  await sql`select lock_name_owner(${owner})`.execute(db)
  const { count } = await db
    .selectFrom('name_registration')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('owner', '=', owner)
    .where('phase', 'in', CLAIMING_PHASES)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Whether names of this domain are claimed, or the record of one that has ended may still stand in the zone. */
export async function isDomainInUse(db: Kysely<Database>, domain: string): Promise<boolean> {
  const claimed = db
    .selectFrom('name_registration')
    .select('id')
    .where('domain', '=', domain)
    .where('phase', 'in', CLAIMING_PHASES)
  const row = await db
    .selectFrom('name_registration')
    .select('id')
    .where('domain', '=', domain)
    // By the index of those that leave something.
    .where(sql<boolean>`phase = 'freed' and look_at is not null`)
    .where(sql<boolean>`jsonb_typeof(state -> 'cleaning') = 'object'`)
    .unionAll(claimed)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Whether other keys have names in the domain, or had them so lately that nobody else may have them yet. */
export async function isShared(
  db: Kysely<Database>,
  { domain, owner, now }: { domain: string; owner: string; now: number },
): Promise<boolean> {
  const row = await db
    .selectFrom('name_registration')
    .select('id')
    .where('domain', '=', domain)
    .where('owner', '<>', owner)
    .where((eb) => eb.or([eb('phase', 'in', CLAIMING_PHASES), eb('quarantine_until', '>', new Date(now))]))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
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

export type JobOfName = { readonly name: { user: string; domain: string }; readonly job: NameJob }

/** A job by its id, whether it is the latest of its name or others have followed it. */
export async function findJob(db: Kysely<Database>, id: string): Promise<JobOfName | null> {
  const latest = await db
    .selectFrom('name_registration')
    .select('state')
    .where('job_id', '=', id)
    .executeTakeFirst()
  if (latest) return { name: latest.state, job: latest.state.job }
  const earlier = await db
    .selectFrom('name_job')
    .innerJoin('name_registration as name', 'name.id', 'name_job.registration_id')
    .select(['name_job.job', 'name.state'])
    .where('name_job.id', '=', id)
    .executeTakeFirst()
  return earlier ? { name: earlier.state, job: earlier.job } : null
}

/** Keeps how a job ended, before another takes its place in the state. */
export async function keepJob(db: Kysely<Database>, registrationId: string, job: NameJob): Promise<void> {
  if (job.id === null) return
  await db
    .insertInto('name_job')
    .values({ id: job.id, registration_id: registrationId, job: JSON.stringify(job) })
    .execute()
}

export type Overdue = { readonly id: string; readonly look_at: Date | null }

/** Those that should have been looked at before `now`, in the order of that time, after `after`. */
export async function findOverdue(
  db: Kysely<Database>,
  now: number,
  page: { limit: number; after: Overdue | null },
): Promise<Overdue[]> {
  let query = db
    .selectFrom('name_registration')
    .select(['id', 'look_at'])
    .where('look_at', '<', new Date(now))
    .orderBy('look_at')
    .orderBy('id')
    .limit(page.limit)
  const { after } = page
  if (after) query = query.where(sql<boolean>`(look_at, id) > (${after.look_at}, ${after.id})`)
  return query.execute()
}

/** Those of which an effect has failed that is tried for ever, by id. */
export async function findInTrouble(
  db: Kysely<Database>,
  page: { limit: number; after: { id: string } | null },
): Promise<{ id: string }[]> {
  let query = db
    .selectFrom('name_registration')
    .select('id')
    .where('look_at', 'is not', null)
    .where(
      sql<boolean>`(state @? '$.cleaning.wait ? (@.lastFailure != null)'
        or state @? '$.retiring[*].wait ? (@.lastFailure != null)')`,
    )
    .orderBy('id')
    .limit(page.limit)
  if (page.after) query = query.where('id', '>', page.after.id)
  return query.execute()
}
