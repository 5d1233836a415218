import { blocksFor } from '@holdfast/core/escrow/schedule'
import type { OpenDatabase } from '@holdfast/server/platform/database'

/** How high the chain is at most; `seenAt` null: somebody said so. */
export type ChainHeight = { readonly height: number; readonly seenAt: number | null }

/** So many entries of each lane are searched, newest first. */
const SEARCHED = 50_000

/**
 * The last height that an escrow's journal knows, and the blocks that may have come since, counted fast: a deadline is
 * announced too early rather than too late. Null: no escrow was touched lately.
 */
export async function estimateHeight({ pool }: OpenDatabase, now: number): Promise<ChainHeight | null> {
  const { rows } = await pool.query<{ height: number; at: Date }>(
    `select (data ->> 'height')::int as height, at from generate_series(0, 7) as l (lane), lateral (
       select data, at from (
         select stream, data, at, position from journal where journal.lane = l.lane order by position desc limit $1
       ) as latest where stream = 'escrow' order by position desc limit 1
     ) as entry order by at desc limit 1`,
    [SEARCHED],
  )
  const [last] = rows
  if (!last) return null
  const seenAt = last.at.getTime()
  return { height: last.height + blocksFor(Math.max(0, now - seenAt)), seenAt }
}
