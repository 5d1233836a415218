import type { ZoneDecision } from '@holdfast/core/zones/zone-moves'
import type { ZoneState } from '@holdfast/core/zones/zone-states'
import type { Kysely } from 'kysely'
import type { Database } from '../platform/database.ts'
import './zone-tables.ts'

/** How long after a look was due the sweeper begins to doubt that its job still exists. */
const SILENCE_MS = 60_000

/** False when the zone is known already. */
export async function insertZone(db: Kysely<Database>, { state, effects }: ZoneDecision): Promise<boolean> {
  const inserted = await db
    .insertInto('zone')
    .values({
      domain: state.domain,
      phase: state.phase,
      state: JSON.stringify(state),
      look_at: lookAt(effects),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('domain')
    .executeTakeFirst()
  return inserted !== undefined
}

export async function updateZone(db: Kysely<Database>, { state, effects }: ZoneDecision): Promise<void> {
  await db
    .updateTable('zone')
    .set({
      phase: state.phase,
      state: JSON.stringify(state),
      // Without an effect the look that was due stays due.
      ...(effects.length > 0 && { look_at: lookAt(effects) }),
    })
    .where('domain', '=', state.domain)
    .executeTakeFirstOrThrow()
}

/** Locks the row until the transaction ends. */
export async function lockZone(db: Kysely<Database>, domain: string): Promise<ZoneState | null> {
  const row = await db
    .selectFrom('zone')
    .select('state')
    .where('domain', '=', domain)
    .forUpdate()
    .executeTakeFirst()
  return row?.state ?? null
}

export async function findZone(db: Kysely<Database>, domain: string): Promise<ZoneState | null> {
  const row = await db.selectFrom('zone').select('state').where('domain', '=', domain).executeTakeFirst()
  return row?.state ?? null
}

export async function listZones(db: Kysely<Database>): Promise<ZoneState[]> {
  const rows = await db.selectFrom('zone').select('state').orderBy('domain').execute()
  return rows.map((row) => row.state)
}

/** Zones at which nobody looked although it was due, in the order of their names, after `after`. */
export async function findSilentZones(
  db: Kysely<Database>,
  page: { now: number; limit: number; after: { id: string } | null },
): Promise<{ id: string }[]> {
  let query = db
    .selectFrom('zone')
    .select('domain as id')
    .where('look_at', '<', new Date(page.now))
    .orderBy('domain')
    .limit(page.limit)
  if (page.after) query = query.where('domain', '>', page.after.id)
  return query.execute()
}

function lookAt(effects: ZoneDecision['effects']): Date {
  return new Date(Math.max(...effects.map(({ at }) => at)) + SILENCE_MS)
}
