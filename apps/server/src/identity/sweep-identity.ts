import { type Kysely, sql } from 'kysely'
import type { IdentityTables } from './identity-tables.ts'

/** Longer than the 24 hours that we promise, so that a retry at the last moment still finds its answer. */
const KEEP_IDEMPOTENCY_KEYS_MS = 48 * 3_600_000
/** Keeps each statement short, also after the sweeper has slept for days. */
const BATCH = 5_000

/** Deletes what nobody can use any more. Safe to run in several instances at once. */
export async function sweepIdentity(db: Kysely<IdentityTables>, now: number): Promise<void> {
  await sweepTable(db, 'nip98_event', 'expires_at', now)
  await sweepTable(db, 'session', 'expires_at', now)
  await sweepTable(db, 'idempotency_key', 'created_at', now - KEEP_IDEMPOTENCY_KEYS_MS)
}

async function sweepTable(
  db: Kysely<IdentityTables>,
  table: keyof IdentityTables,
  column: 'expires_at' | 'created_at',
  before: number,
): Promise<void> {
  for (;;) {
    const { numAffectedRows } = await sql`
      delete from ${sql.table(table)} where ctid = any(array(
        select ctid from ${sql.table(table)} where ${sql.ref(column)} < ${new Date(before)}
        limit ${BATCH} for update skip locked
      ))`.execute(db)
    if ((numAffectedRows ?? 0n) < BigInt(BATCH)) return
  }
}
