import { isDeepStrictEqual } from 'node:util'
import { type ChainedEntry, type ChainFault, type JsonObject, verifyChain } from '@holdfast/core'
import { sql } from 'kysely'
import type { OpenDatabase } from '../database.ts'
import { readEntity } from './read-entries.ts'

/** A stream whose entries hold whole commands, so that a state can be rebuilt from them. */
export type Replay = {
  /** Where the state of its entities stands, and the column that is the entries' entity id. */
  readonly table: string
  readonly id: string
  /** The state as the table has it; null: the entries make none. */
  readonly replay: (entries: readonly Pick<ChainedEntry, 'data' | 'at'>[]) => JsonObject | null
}

export type EntityAudit =
  /**
   * `head` is the hash of the last entry: whoever has kept an earlier one can tell that nothing was cut off. `compared`:
   * its state in the table is what the entries lead to; else only the chain could be verified.
   */
  | {
      readonly verdict: 'intact'
      readonly entries: readonly ChainedEntry[]
      readonly head: string
      readonly compared: boolean
    }
  | { readonly verdict: 'chain-broken'; readonly seq: string; readonly fault: ChainFault }
  /** The entries are as they were written, but do not lead to what stands in the table. */
  | { readonly verdict: 'state-differs'; readonly head: string }
  | { readonly verdict: 'row-missing'; readonly head: string }
  | { readonly verdict: 'journal-missing' }
  | { readonly verdict: 'not-found' }

/** Recomputes the hash chain of one entity, rebuilds its state from the entries alone and compares it with its row. */
export async function auditEntity(
  { db }: Pick<OpenDatabase, 'db'>,
  { stream, id }: { readonly stream: string; readonly id: string },
  replay: Replay | undefined,
): Promise<EntityAudit> {
  // In one snapshot: an entry and the state that it leads to are committed together.
  const { entries, row } = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => ({
      entries: await readEntity(tx, stream, id),
      row: replay && (await readRow(tx, replay, id)),
    }))
  if (entries.length === 0) return { verdict: row ? 'journal-missing' : 'not-found' }
  const chain = verifyChain(entries)
  if (!chain.intact) return { verdict: 'chain-broken', seq: chain.seq.toString(), fault: chain.fault }
  const { head } = chain
  if (!replay) return { verdict: 'intact', entries, head, compared: false }
  if (!row) return { verdict: 'row-missing', head }
  return isDeepStrictEqual(replay.replay(entries), row.state)
    ? { verdict: 'intact', entries, head, compared: true }
    : { verdict: 'state-differs', head }
}

async function readRow(
  db: OpenDatabase['db'],
  { table, id: column }: Replay,
  id: string,
): Promise<{ state: JsonObject } | undefined> {
  const { rows } = await sql<{ state: JsonObject }>`
    select state from ${sql.table(table)} where ${sql.ref(column)} = ${id}`.execute(db)
  return rows[0]
}
