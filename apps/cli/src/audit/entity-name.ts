import { UsageError } from '../command.ts'

/** One entity of the journal. */
export type EntityName = { readonly stream: string; readonly id: string }

/**
 * `stream:id`, or the id of an escrow alone.
 * @throws UsageError
 */
export function readEntityName(word: string): EntityName {
  const [, stream, id] = /^([a-z][a-z0-9-]*):(.+)$/.exec(word) ?? []
  if (stream !== undefined && id !== undefined) return { stream, id }
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(word))
    throw new UsageError(`${word} is neither the id of an escrow nor stream:id, such as zone:shop.example`)
  return { stream: 'escrow', id: word.toLowerCase() }
}
