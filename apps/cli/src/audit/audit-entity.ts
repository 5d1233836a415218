import { isDeepStrictEqual } from 'node:util'
import { type ChainedEntry, type ChainFault, type JsonObject, verifyChain } from '@holdfast/core'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { readEntity } from '@holdfast/server/platform/journal/read-entries'
import { REPLAYS } from './replays.ts'

export type EntityAudit =
  /** `compared`: its state in the table is what the entries lead to; else only the chain could be verified. */
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
  stream: string,
  id: string,
): Promise<EntityAudit> {
  const replay = REPLAYS.get(stream)
  // In one snapshot: an entry and the state that it leads to are committed together.
  const { entries, row } = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => ({
      entries: await readEntity(tx, stream, id),
      row: replay
        ? await tx
            .selectFrom(replay.table as 'escrow')
            .select('state')
            .where(replay.id as 'id', '=', id)
            .executeTakeFirst()
        : undefined,
    }))
  if (entries.length === 0) return { verdict: row ? 'journal-missing' : 'not-found' }
  const chain = verifyChain(entries)
  if (!chain.intact) return { verdict: 'chain-broken', seq: chain.seq.toString(), fault: chain.fault }
  const { head } = chain
  if (!replay) return { verdict: 'intact', entries, head, compared: false }
  if (!row) return { verdict: 'row-missing', head }
  return isDeepStrictEqual(replay.replay(entries), row.state as JsonObject)
    ? { verdict: 'intact', entries, head, compared: true }
    : { verdict: 'state-differs', head }
}
