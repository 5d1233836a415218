import { type ChainedEntry, chainEntry, laneOf } from '@holdfast/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database.ts'
import { AND_COMMIT } from '../prepared-statements.ts'
import type { NewEntry } from '../transaction.ts'
import { type Head, type Heads, makeHeads } from './heads.ts'

/** An entity of which we believed another last entry. */
type Correction = { in_stream: string; of_entity: string; last_seq: bigint | null; last_hash: Buffer | null }

/**
 * Appends to the journal as the last act of a transaction. Each lane's advisory lock is held until the commit is
 * visible, so that within a lane positions follow commit order and have no gaps (see `append_to_journal` in the
 * migrations). Needs READ COMMITTED.
 *
 * `heads` saves asking for each entity's last entry before: what it says is verified under the lock, and where it was
 * wrong the hashes are computed again. `writes` are carried out in the same round trip, and so are `calls` of functions,
 * these before a lane is locked.
 *
 * `andCommit`: the COMMIT goes with it, too, so that nobody waits for us while the lanes are locked. Then nothing can be
 * computed again: where `heads` was wrong it throws an error of which `isStaleHead` is true.
 */
export async function appendEntries(
  db: Kysely<Database>,
  entries: readonly NewEntry[],
  {
    heads = makeHeads(0),
    calls = [],
    writes = [],
    andCommit = false,
  }: {
    heads?: Heads
    calls?: readonly RawBuilder<unknown>[]
    writes?: readonly RawBuilder<unknown>[]
    andCommit?: boolean
  } = {},
): Promise<void> {
  const believed = new Map(entries.map((entry) => [keyOf(entry), heads.get(keyOf(entry))]))
  let chained = chain(entries, believed)
  const corrections = await append(db, chained.rows, { calls, writes, andCommit })
  if (corrections.length > 0) {
    for (const { in_stream, of_entity, last_seq: seq, last_hash: hash } of corrections) {
      const head = seq === null || hash === null ? null : { seq, hash: hash.toString('hex') }
      believed.set(keyOf({ stream: in_stream, entityId: of_entity }), head)
    }
    chained = chain(entries, believed)
    // The lanes are locked by now: nobody else can have appended meanwhile.
    if ((await append(db, chained.rows, { calls: [], writes: [], andCommit: false })).length > 0)
      throw new Error('An entity got another last entry while its lane of the journal was locked.')
  }
  for (const [key, head] of chained.last) heads.put(key, head)
}

function chain(entries: readonly NewEntry[], heads: ReadonlyMap<string, Head | null>) {
  const last = new Map<string, ChainedEntry>()
  const rows = entries.map((entry) => {
    const { at = new Date(), isFirst: _, ...content } = entry
    const key = keyOf(entry)
    const chained = chainEntry({ ...content, at: at.getTime() }, last.get(key) ?? heads.get(key) ?? null)
    last.set(key, chained)
    return toRow(chained)
  })
  return { rows, last }
}

/** Answers where the entries do not continue what stands in the journal; then none was appended. */
async function append(
  db: Kysely<Database>,
  rows: readonly ReturnType<typeof toRow>[],
  {
    calls,
    writes,
    andCommit,
  }: {
    calls: readonly RawBuilder<unknown>[]
    writes: readonly RawBuilder<unknown>[]
    andCommit: boolean
  },
): Promise<Correction[]> {
  const named = writes.map((write, index) => sql`${sql.id(`write_${index}`)} as (${write})`)
  const first = named.length > 0 ? sql`with ${sql.join(named)}` : sql``
  const json = JSON.stringify(rows)
  // What a statement selects from it has before it computes what it selects.
  const after = calls.length > 0 ? sql`from ${sql.join(calls)}` : sql``
  if (andCommit) {
    await sql`${sql.raw(AND_COMMIT)}${first} select append_to_journal_or_fail(${json}::jsonb) ${after}`.execute(
      db,
    )
    return []
  }
  if (calls.length > 0) await sql`select ${after}`.execute(db)
  const answer = await sql<Correction>`${first} select * from append_to_journal(${json}::jsonb)`.execute(db)
  return answer.rows
}

/** Whether all of these can be chained without asking what stands before them. */
export function areHeadsKnown(entries: readonly NewEntry[], heads: Heads): boolean {
  return entries.every((entry) => entry.isFirst || heads.get(keyOf(entry)) !== null)
}

/** What `append_to_journal_or_fail` raises. */
export function isStaleHead(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'JL001'
}

function keyOf({ stream, entityId }: { stream: string; entityId: string }): string {
  return JSON.stringify([stream, entityId])
}

function toRow(entry: ChainedEntry) {
  return {
    lane: laneOf(entry.entityId),
    stream: entry.stream,
    entity_id: entry.entityId,
    seq: entry.seq.toString(),
    kind: entry.kind,
    data: entry.data,
    actor: entry.actor,
    at: new Date(entry.at),
    prev_hash: entry.prevHash,
    hash: entry.hash,
  }
}
