import { type ChainCheck, type ChainedEntry, LANES, verifyChain } from '@holdfast/core'
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Database } from '../database.ts'
import type { JournalTable } from './journal-tables.ts'

/** An entry as it stands in the journal: which lane, and where in it. */
export type JournalEntry = ChainedEntry & { readonly lane: number; readonly position: bigint }

/** A place in the journal: the last position seen in each lane, by lane number; 0 before the first. */
export type Positions = readonly bigint[]

export const START: Positions = Array<bigint>(LANES).fill(0n)

/**
 * The next entries behind `after` in the given lanes, in order within each lane, at most `limit` of each. One lane has
 * no gaps: what is missing at the end is not committed yet.
 */
export async function readEntries(
  db: Kysely<Database>,
  after: Positions,
  lanes: readonly number[],
  limit: number,
): Promise<JournalEntry[]> {
  const { rows } = await sql<Selectable<JournalTable>>`
    select entry.* from unnest(${lanes}::int[], ${lanes.map((lane) => after[lane]!.toString())}::bigint[]) as l (lane, after),
    lateral (
      select * from journal where journal.lane = l.lane and position > l.after order by position limit ${limit}
    ) as entry
    order by entry.lane, entry.position`.execute(db)
  return rows.map(fromRow)
}

/** The last committed position of each lane. */
export async function readHeads(db: Kysely<Database>): Promise<Positions> {
  const { rows } = await sql<{ position: bigint }>`
    select coalesce((select max(position) from journal where journal.lane = l.lane), 0) as position
    from generate_series(0, ${LANES - 1}) as l (lane) order by l.lane`.execute(db)
  return rows.map(({ position }) => position)
}

/** All entries of one entity, oldest first: what its state can be rebuilt from. */
export async function readEntity(
  db: Kysely<Database>,
  stream: string,
  entityId: string,
): Promise<JournalEntry[]> {
  const rows = await db
    .selectFrom('journal')
    .selectAll()
    .where('stream', '=', stream)
    .where('entity_id', '=', entityId)
    .orderBy('seq')
    .execute()
  return rows.map(fromRow)
}

/** Recomputes the whole hash chain of one entity. */
export async function verifyEntity(
  db: Kysely<Database>,
  stream: string,
  entityId: string,
): Promise<ChainCheck> {
  return verifyChain(await readEntity(db, stream, entityId))
}

function fromRow(row: Selectable<JournalTable>): JournalEntry {
  return {
    lane: row.lane,
    position: row.position,
    stream: row.stream,
    entityId: row.entity_id,
    seq: row.seq,
    kind: row.kind,
    data: row.data,
    actor: row.actor,
    at: row.at.getTime(),
    prevHash: row.prev_hash.toString('hex'),
    hash: row.hash.toString('hex'),
  }
}
