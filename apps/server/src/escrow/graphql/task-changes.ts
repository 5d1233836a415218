import type { JsonObject } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import type { Kysely } from 'kysely'
import type { Database } from '../../platform/database.ts'
import type { TaskView } from './task-view.ts'

/** One entry of an escrow's journal. */
export type Change = {
  readonly seq: number
  /** Of the command, as `packages/core/src/escrow` names it: `approve`, `hold-seen`. */
  readonly kind: string
  readonly actor: string
  readonly at: number
  readonly milestone: number | null
  /** Of an objection or a dispute. */
  readonly reason: string | null
  /** Of a proof. */
  readonly text: string | null
  /** Of a proof: SHA-256 of a document. */
  readonly digest: Hex | null
  readonly requestId: string | null
  /** The id of the NIP-98 event that authorized it; null: nobody's request did. */
  readonly signedRequest: Hex | null
  readonly hash: Hex
}

/** At most `limit` behind `after`, oldest first. */
export async function readChanges(
  db: Kysely<Database>,
  id: string,
  { after, limit }: { after: number; limit: number },
): Promise<Change[]> {
  const rows = await db
    .selectFrom('journal')
    .select(['seq', 'kind', 'actor', 'at', 'data', 'hash'])
    .where('stream', '=', 'escrow')
    .where('entity_id', '=', id)
    .where('seq', '>', BigInt(after))
    .orderBy('seq')
    .limit(limit)
    .execute()
  return rows.map(({ seq, kind, actor, at, data, hash }) => {
    const command = data.command as JsonObject
    const said = (word: string) => textOrNull(command[word])
    return {
      seq: Number(seq),
      kind: kind.replace(/^escrow\./, ''),
      actor,
      at: at.getTime(),
      milestone: typeof command.milestone === 'number' ? command.milestone : null,
      reason: said('reason'),
      text: said('text'),
      digest: said('digest'),
      requestId: textOrNull(data.requestId),
      signedRequest: textOrNull(data.signedRequest),
      hash: hash.toString('hex'),
    }
  })
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** The number of the last one; 0: there is no such escrow. */
export async function lastChange(db: Kysely<Database>, id: string): Promise<number> {
  const row = await db
    .selectFrom('journal')
    .select('seq')
    .where('stream', '=', 'escrow')
    .where('entity_id', '=', id)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return Number(row?.seq ?? 0)
}

/** Who did it: for the parties, of applications for the buyer and the applicant alone. */
export function seesActor({ role, viewer }: TaskView, { kind, actor }: Change): boolean {
  if (kind === 'apply') return role === 'buyer' || viewer === actor
  return role !== 'stranger'
}
