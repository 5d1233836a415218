import type { EscrowKind, EscrowPhase, EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { Hex } from '@holdfast/lightning'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../platform/database.ts'
import type { PagePosition } from '../../platform/page-cursor.ts'
import { decodeEscrow } from '../escrow-codec.ts'
import '../escrow-tables.ts'

/** Whose escrows: what everybody may see, or those in which a key has a part. */
export type Listed =
  | { readonly by: 'everybody' }
  | { readonly by: 'buyer' | 'worker' | 'arbiter' | 'applicant'; readonly key: Hex }

export type EscrowFilter = {
  readonly listed: Listed
  readonly phases: readonly EscrowPhase['phase'][] | null
  readonly kind: EscrowKind | null
  /** Words that title and description must hold, as a search engine reads them. */
  readonly text: string | null
}

export type EscrowPage = {
  readonly limit: number
  /** Older than this. */
  readonly after: PagePosition | null
  /** Newer than this. */
  readonly before?: PagePosition | null
  /** Of what is between them the oldest, not the newest. */
  readonly fromEnd?: boolean
}

/** Of tasks, what was published and came to something; the index `escrow_public` says so, too. */
const PUBLIC = sql<boolean>`escrow.kind = 'task' and phase in ('open', 'assigned', 'active', 'completed')`

/** The newest first, at most `limit`, between `after` and `before`. */
export async function listEscrows(
  db: Kysely<Database>,
  filter: EscrowFilter,
  page: EscrowPage,
): Promise<EscrowState[]> {
  const { listed, phases, kind, text } = filter
  const direction = page.fromEnd ? 'asc' : 'desc'
  let query = db
    .selectFrom('escrow')
    .select('state')
    .where(isListed(listed))
    .orderBy('created_at', direction)
    .orderBy('id', direction)
    .limit(page.limit)
  if (phases !== null) query = query.where('phase', 'in', phases)
  if (kind !== null) query = query.where('kind', '=', kind)
  if (text !== null) {
    query = query.where(
      sql<boolean>`exists (select from escrow_listing
        where escrow_id = escrow.id and words @@ websearch_to_tsquery('simple', fold_words(${text})))`,
    )
  }
  if (page.after) query = query.where(sql<boolean>`(created_at, id) < ${tuple(page.after)}`)
  if (page.before) query = query.where(sql<boolean>`(created_at, id) > ${tuple(page.before)}`)
  const rows = await query.execute()
  const escrows = rows.map(({ state }) => decodeEscrow(state))
  return page.fromEnd ? escrows.reverse() : escrows
}

function tuple({ at, id }: PagePosition) {
  return sql`(${new Date(at)}::timestamptz, ${id}::uuid)`
}

function isListed(listed: Listed) {
  switch (listed.by) {
    case 'everybody':
      return PUBLIC
    case 'buyer':
      return sql<boolean>`buyer = ${listed.key}`
    case 'worker':
      return sql<boolean>`worker = ${listed.key} and phase <> 'draft'`
    case 'arbiter':
      return sql<boolean>`arbiter = ${listed.key} and phase <> 'draft'
        and (worker is not null or phase not in ('cancelled', 'expired'))`
    case 'applicant':
      return sql<boolean>`escrow.id in (select escrow_id from escrow_listing where applicants @> array[${listed.key}]::text[])`
  }
}
