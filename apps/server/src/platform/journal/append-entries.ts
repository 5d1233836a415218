import { type ChainedEntry, chainEntry, laneOf } from '@holdfast/core'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import type { NewEntry } from '../transaction.ts'

/** First key of the advisory locks on lanes (`pg_advisory_xact_lock(int, int)`); the second is the lane. */
export const LANE_LOCK = 0x6a6c // "jl"

/** Where LISTENers are told that there is something new; the payload says nothing. */
export const JOURNAL_CHANNEL = 'holdfast_journal'

type Head = { seq: bigint; hash: string }

/**
 * Appends to the journal as the last act of a transaction. Each lane's advisory lock is held until the commit is
 * visible, so that within a lane positions follow commit order and have no gaps. Needs READ COMMITTED: the heads must
 * be read by a snapshot that is taken after the locks were granted.
 */
export async function appendEntries(db: Kysely<Database>, entries: readonly NewEntry[]): Promise<void> {
  // Ascending, so that two transactions can never wait for each other.
  const lanes = [...new Set(entries.map((entry) => laneOf(entry.entityId)))].sort((a, b) => a - b)
  await sql`select pg_advisory_xact_lock(${LANE_LOCK}, lane) from unnest(${lanes}::int[]) as lane`.execute(db)

  const { positions, heads } = await lastEntries(db, entries)
  const rows = entries.map((entry) => {
    const lane = laneOf(entry.entityId)
    const position = (positions.get(lane) ?? 0n) + 1n
    positions.set(lane, position)
    const { at = new Date(), ...content } = entry
    const chained = chainEntry({ ...content, at: at.getTime() }, heads.get(entityKey(entry)) ?? null)
    heads.set(entityKey(entry), chained)
    return toRow(lane, position, chained)
  })
  await db
    .with('written', (within) => within.insertInto('journal').values(rows))
    .selectNoFrom(sql`pg_notify(${JOURNAL_CHANNEL}, '')`.as('told'))
    .execute()
}

type Last = {
  stream: string
  entity_id: string
  lane: number
  position: bigint
  seq: bigint | null
  hash: Buffer | null
}

/** Of each lane the last position, of each entity that has one the last entry: one statement, as the lanes are locked. */
async function lastEntries(db: Kysely<Database>, entries: readonly NewEntry[]) {
  const entities = [...new Map(entries.map((entry) => [entityKey(entry), entry])).values()]
  const streams = entities.map(({ stream }) => stream)
  const ids = entities.map(({ entityId }) => entityId)
  const { rows } = await sql<Last>`
    select e.stream, e.entity_id, e.lane, last.seq, last.hash,
      (select coalesce(max(position), 0) from journal where journal.lane = e.lane) as position
    from unnest(${streams}::text[], ${ids}::text[], ${ids.map(laneOf)}::int[]) as e (stream, entity_id, lane)
    left join lateral (
      select seq, hash from journal
      where journal.stream = e.stream and journal.entity_id = e.entity_id order by seq desc limit 1
    ) as last on true`.execute(db)
  const heads = new Map<string, Head>()
  for (const { stream, entity_id: entityId, seq, hash } of rows) {
    if (seq !== null && hash !== null)
      heads.set(entityKey({ stream, entityId }), { seq, hash: hash.toString('hex') })
  }
  return { positions: new Map(rows.map(({ lane, position }) => [lane, position])), heads }
}

function entityKey({ stream, entityId }: { stream: string; entityId: string }): string {
  return JSON.stringify([stream, entityId])
}

function toRow(lane: number, position: bigint, entry: ChainedEntry) {
  return {
    lane,
    position,
    stream: entry.stream,
    entity_id: entry.entityId,
    seq: entry.seq,
    kind: entry.kind,
    data: JSON.stringify(entry.data),
    actor: entry.actor,
    at: new Date(entry.at),
    prev_hash: Buffer.from(entry.prevHash, 'hex'),
    hash: Buffer.from(entry.hash, 'hex'),
  }
}
