import { UsageError } from '../command.ts'
import { REPLAYS } from './replays.ts'

/** One entity of the journal. */
export type EntityName = { readonly stream: string; readonly id: string }

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** Zones go by their domain. */
const HAS_UUIDS = new Set([...REPLAYS.keys()].filter((stream) => stream !== 'zone'))

/**
 * `stream:id`, or the id of an escrow alone.
 * @throws UsageError
 */
export function readEntityName(word: string): EntityName {
  const [, stream, id] = /^([a-z][a-z0-9-]*):(.+)$/.exec(word) ?? []
  if (stream !== undefined && id !== undefined) {
    if (!HAS_UUIDS.has(stream)) return { stream, id }
    if (!UUID.test(id)) throw new UsageError(`${id} is no id of ${stream}: 32 hex digits in five groups`)
    return { stream, id: id.toLowerCase() }
  }
  if (!UUID.test(word))
    throw new UsageError(`${word} is neither the id of an escrow nor stream:id, such as zone:shop.example`)
  return { stream: 'escrow', id: word.toLowerCase() }
}
