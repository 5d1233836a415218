import { isDeepStrictEqual } from 'node:util'
import { type ChainedEntry, type ChainFault, type JsonObject, verifyChain } from '@holdfast/core'
import { replayEscrow } from '@holdfast/core/escrow/escrow-machine'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import { sql } from 'kysely'
import type { OpenDatabase } from '../platform/database.ts'
import { readEntity } from '../platform/journal/read-entries.ts'
import { decodeCommand } from './escrow-codec.ts'
import { findEscrow } from './escrow-store.ts'

export type EscrowAudit =
  /** `head` is the hash of the last entry: whoever has kept an earlier one can tell that nothing was cut off. */
  | { readonly verdict: 'intact'; readonly entries: number; readonly head: string }
  | { readonly verdict: 'chain-broken'; readonly seq: bigint; readonly fault: ChainFault }
  /** The entries are as they were written, but do not lead to what stands in the table. */
  | { readonly verdict: 'state-differs'; readonly head: string }
  | { readonly verdict: 'not-found' }

/** Rebuilds an escrow from its journal alone, and compares it with the row. */
export async function auditEscrow({ db }: Pick<OpenDatabase, 'db'>, id: string): Promise<EscrowAudit> {
  // In one snapshot: an entry and the state that it leads to are committed together.
  const { entries, state } = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      await sql`set transaction read only`.execute(tx)
      return { entries: await readEntity(tx, 'escrow', id), state: await findEscrow(tx, id) }
    })
  if (entries.length === 0 && state === null) return { verdict: 'not-found' }
  const chain = verifyChain(entries)
  if (!chain.intact) return { verdict: 'chain-broken', seq: chain.seq, fault: chain.fault }
  const { head } = chain
  return isDeepStrictEqual(replayEntries(entries), state)
    ? { verdict: 'intact', entries: chain.entries, head }
    : { verdict: 'state-differs', head }
}

/** What the commands of the entries lead to, each decided at the moment at which it was. */
export function replayEntries(entries: readonly Pick<ChainedEntry, 'data' | 'at'>[]): EscrowState | null {
  return replayEscrow(
    entries.map(({ data, at: now }) => ({
      command: decodeCommand(data.command as JsonObject),
      at: { now, height: Number(data.height) },
    })),
  )
}
