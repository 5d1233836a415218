import type { JsonObject } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { Hex } from '@holdfast/lightning'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../platform/database.ts'
import { decodeEscrow } from '../escrow-codec.ts'
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

/** The escrow, null where there is none, and of what has happened to it at most `limit` behind `after`. */
export type Look = { readonly escrow: EscrowState | null; readonly changes: readonly Change[] }

type Page = { readonly after: number; readonly limit: number }

/** At most `limit` behind `after`, oldest first. */
export async function readChanges(db: Kysely<Database>, id: string, page: Page): Promise<Change[]> {
  const { rows } = await entriesOf(id, page).execute(db)
  return rows.map(changeIn)
}

/** Both of one moment: the state is neither older nor newer than the last change, unless there were more of them. */
export async function lookAt(db: Kysely<Database>, id: string, page: Page): Promise<Look> {
  const { rows } = await sql<{ state: JsonObject; changes: Entry[] }>`
    select state, (select coalesce(json_agg(entry), '[]') from (${entriesOf(id, page)}) as entry) as changes
    from escrow where id = ${id}`.execute(db)
  const [row] = rows
  if (row === undefined) return { escrow: null, changes: [] }
  return { escrow: decodeEscrow(row.state), changes: row.changes.map(changeIn) }
}

type Entry = {
  seq: number | bigint
  kind: string
  actor: string
  at: Date | string
  data: JsonObject
  hash: Hex
}

function entriesOf(id: string, { after, limit }: Page): RawBuilder<Entry> {
  return sql<Entry>`
    select seq, kind, actor, at, data, encode(hash, 'hex') as hash from journal
    where stream = 'escrow' and entity_id = ${id} and seq > ${after} order by seq limit ${limit}`
}

function changeIn({ seq, kind, actor, at, data, hash }: Entry): Change {
  const command = data.command as JsonObject
  const said = (word: string) => textOrNull(command[word])
  return {
    seq: Number(seq),
    kind: kind.replace(/^escrow\./, ''),
    actor,
    at: new Date(at).getTime(),
    milestone: typeof command.milestone === 'number' ? command.milestone : null,
    reason: said('reason'),
    text: said('text'),
    digest: said('digest'),
    requestId: textOrNull(data.requestId),
    signedRequest: textOrNull(data.signedRequest),
    hash,
  }
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
