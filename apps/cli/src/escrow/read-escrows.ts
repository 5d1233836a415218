import type { JsonObject } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import { decodeEscrow } from '@holdfast/server/escrow/escrow-codec'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { UsageError } from '../command.ts'

export type EscrowFilter = {
  /** Of the escrow; empty: any. */
  readonly phases: readonly string[]
  /** Of at least one of its milestones; empty: any. */
  readonly milestonePhases: readonly string[]
  readonly limit: number
  /** `next` of the page before. */
  readonly after: string | null
}

/** Newest first. */
export type EscrowPage = { readonly escrows: readonly EscrowState[]; readonly next: string | null }

type Row = { id: string; created_ms: string; state: JsonObject }

/** @throws UsageError when `after` is none of ours. */
export async function listEscrows({ pool }: OpenDatabase, filter: EscrowFilter): Promise<EscrowPage> {
  const { phases, milestonePhases, limit } = filter
  const [createdMs, id] = filter.after === null ? [null, null] : readCursor(filter.after)
  const { rows } = await pool.query<Row>(
    `select id, (extract(epoch from created_at) * 1000)::bigint::text as created_ms, state from escrow
     where (cardinality($1::text[]) = 0 or phase = any ($1))
       and (cardinality($2::text[]) = 0 or exists (
         select from jsonb_array_elements(state -> 'milestones') as milestone where milestone ->> 'phase' = any ($2)))
       and ($3::bigint is null or (created_at, id) < (to_timestamp($3 / 1000.0), $4::uuid))
     order by created_at desc, id desc limit $5`,
    [phases, milestonePhases, createdMs, id, limit + 1],
  )
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    escrows: page.map(({ state }) => decodeEscrow(state)),
    next: rows.length > limit && last ? `${last.created_ms}.${last.id}` : null,
  }
}

/** Every escrow that has not ended, page after page; `lookAt` is when the sweeper should have heard of it. */
export async function* openEscrows({
  pool,
}: OpenDatabase): AsyncGenerator<{ state: EscrowState; lookAt: Date | null }> {
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await pool.query<{ id: string; state: JsonObject; look_at: Date | null }>(
      'select id, state, look_at from escrow where look_at is not null and id > $1 order by id limit 200',
      [after],
    )
    for (const { state, look_at: lookAt } of rows) yield { state: decodeEscrow(state), lookAt }
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
