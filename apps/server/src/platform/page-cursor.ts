import { type Refusal, refuse } from '@holdfast/core'

/** Where a page of a list, newest first, goes on. */
export type PagePosition = { readonly at: number; readonly id: string }

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
