import { type Refusal, refuse } from '@holdfast/core'
import { type RawBuilder, sql } from 'kysely'
import { z } from 'zod'

/** Where a page of a list, newest first, goes on. */
export type PagePosition = { readonly at: number; readonly id: string }

/** What the query of every list takes. */
export const pageFields = {
  limit: z.coerce.number().int().min(1).max(100).default(50),
  after: z.string().max(200).optional().describe('`next` of the page before.'),
}

/** Cuts what was read with a limit of one more than the page holds: the one too many says that there is a next page. */
export function cutPage<Item extends { readonly requestedAt: number; readonly id: string }>(
  items: readonly Item[],
  limit: number,
): { page: Item[]; next: string | null } {
  const page = items.slice(0, limit)
  const last = page.at(-1)
  return {
    page,
    next: items.length > limit && last ? encodeCursor({ at: last.requestedAt, id: last.id }) : null,
  }
}

/** For rows in descending order of `requested_at` and `id`. */
export function comesAfter({ at, id }: PagePosition): RawBuilder<boolean> {
  return sql<boolean>`(requested_at, id) < (${new Date(at)}::timestamptz, ${id}::uuid)`
}

/** Opaque to clients. */
export function encodeCursor({ at, id }: PagePosition): string {
  return Buffer.from(`${at} ${id}`).toString('base64url')
}

export function decodeCursor(cursor: string): PagePosition | Refusal {
  const [, at, id] =
    /^([0-9]{1,15}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(
      Buffer.from(cursor, 'base64url').toString('latin1'),
    ) ?? []
  return at !== undefined && id !== undefined
    ? { at: Number(at), id }
    : refuse('REQUEST_INVALID', { field: 'after' })
}
