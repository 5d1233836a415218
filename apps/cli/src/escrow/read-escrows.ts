import type { JsonObject } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import { decodeEscrow } from '@holdfast/server/escrow/escrow-codec'
import { countPrematureSettlements } from '@holdfast/server/escrow/escrow-store'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { UsageError } from '../command.ts'

export type EscrowFilter = {
  /** Of the escrow; empty: any. */
  readonly phases: readonly string[]
  /** Of at least one of its milestones; empty: any. */
  readonly milestonePhases: readonly string[]
  /** Only those with a claim that may still be undone. */
  readonly openClaims: boolean
  readonly limit: number
  /** `next` of the page before. */
  readonly after: string | null
}

/** Newest first. */
export type EscrowPage = { readonly escrows: readonly EscrowRow[]; readonly next: string | null }

export type EscrowRow = {
  readonly state: EscrowState
  /** Payment hashes of what the operator's node has claimed, and did not say yet that nobody can undo it. */
  readonly openClaims: readonly string[]
}

type Row = { id: string; created_ms: string; state: JsonObject; open_claims: string[] }

/** @throws UsageError when `after` is none of ours. */
export async function listEscrows({ pool }: OpenDatabase, filter: EscrowFilter): Promise<EscrowPage> {
  const { phases, milestonePhases, openClaims, limit } = filter
  const [createdMs, id] = filter.after === null ? [null, null] : readCursor(filter.after)
  const { rows } = await pool.query<Row>(
    `select id, (extract(epoch from created_at) * 1000)::bigint::text as created_ms, state, open_claims from escrow
     where (cardinality($1::text[]) = 0 or phase = any ($1))
       and (cardinality($2::text[]) = 0 or exists (
         select from jsonb_array_elements(state -> 'milestones') as milestone where milestone ->> 'phase' = any ($2)))
       and ($3::bigint is null or (created_at, id) < (to_timestamp($3 / 1000.0), $4::uuid))
       and (not $5::boolean or open_claims <> '{}')
     order by created_at desc, id desc limit $6`,
    [phases, milestonePhases, createdMs, id, openClaims, limit + 1],
  )
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    escrows: page.map(readRow),
    next: rows.length > limit && last ? `${last.created_ms}.${last.id}` : null,
  }
}

export type OneEscrow = EscrowRow & {
  /** Of all escrows of its worker; 0 while there is none. */
  readonly workerPrematureSettlements: number
}

export async function readEscrow({ pool, db }: OpenDatabase, id: string): Promise<OneEscrow | null> {
  const { rows } = await pool.query<Row>('select state, open_claims from escrow where id = $1', [id])
  if (!rows[0]) return null
  const escrow = readRow(rows[0])
  const { worker } = escrow.state
  const marks = worker === null ? undefined : (await countPrematureSettlements(db, [worker])).get(worker)
  return { ...escrow, workerPrematureSettlements: marks ?? 0 }
}

const readRow = ({ state, open_claims: openClaims }: Pick<Row, 'state' | 'open_claims'>): EscrowRow => ({
  state: decodeEscrow(state),
  openClaims,
})

/**
 * Every escrow of which something is still awaited, page after page; `lookAt` is when the sweeper should have heard of it,
 * null once it has ended and only claims are open.
 */
export async function* openEscrows({
  pool,
}: OpenDatabase): AsyncGenerator<EscrowRow & { lookAt: Date | null }> {
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await pool.query<Row & { look_at: Date | null }>(
      `select id, state, open_claims, look_at from escrow
       where (look_at is not null or open_claims <> '{}') and id > $1 order by id limit 200`,
      [after],
    )
    for (const row of rows) yield { ...readRow(row), lookAt: row.look_at }
    const last = rows.at(-1)
    if (!last) return
    after = last.id
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @throws UsageError */
export function escrowId(word: string): string {
  const id = word.toLowerCase()
  if (!UUID.test(id)) throw new UsageError(`${word} is no id of an escrow`)
  return id
}

function readCursor(cursor: string): [createdMs: string, id: string] {
  const [, createdMs, id] = /^([0-9]{1,15})\.([0-9a-f-]{36})$/.exec(cursor) ?? []
  if (createdMs === undefined || id === undefined || !UUID.test(id))
    throw new UsageError('--after takes what the page before ended with')
  return [createdMs, id]
}
