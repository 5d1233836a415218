import { verifyEvent } from 'nostr-tools/pure'
import { type Hex, isHex } from './hex.ts'

/** A signed Nostr event (NIP-01). */
export type NostrEvent = {
  readonly id: Hex
  readonly pubkey: Hex
  /** Seconds since 1970. */
  readonly created_at: number
  readonly kind: number
  readonly tags: readonly (readonly string[])[]
  readonly content: string
  readonly sig: Hex
}

/** What is signed: an event before it has a key, an id and a signature. */
export type EventTemplate = Pick<NostrEvent, 'created_at' | 'kind' | 'tags' | 'content'>

const EVENT_KEYS = ['content', 'created_at', 'id', 'kind', 'pubkey', 'sig', 'tags']

/**
 * The event's own fields in a fresh object, or null when one is missing, malformed or too many. Fresh, because
 * nostr-tools remembers on the object itself whether it was verified. The signature is not checked here.
 */
export function readEvent(value: unknown, maxTags: number): NostrEvent | null {
  if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== EVENT_KEYS.join())
    return null
  const { id, pubkey, created_at, kind, tags, content, sig } = value as Record<string, unknown>
  if (!isHexText(id, 32) || !isHexText(pubkey, 32) || !isHexText(sig, 64)) return null
  if (!Number.isSafeInteger(created_at) || (created_at as number) < 0 || !Number.isSafeInteger(kind))
    return null
  if (typeof content !== 'string' || !isTags(tags, maxTags)) return null
  return { id, pubkey, created_at: created_at as number, kind: kind as number, tags, content, sig }
}

/** Whether the id is the event's hash and the signature its author's. Costs a curve operation: check the rest first. */
export function hasValidSignature(event: NostrEvent): boolean {
  return verifyEvent({ ...event, tags: event.tags.map((tag) => [...tag]) })
}

/** The second items of the tags with this name; an empty string where there is none. */
export function valuesOfTag(event: Pick<NostrEvent, 'tags'>, name: string): string[] {
  return event.tags.filter((tag) => tag[0] === name).map((tag) => tag[1] ?? '')
}

function isHexText(value: unknown, bytes: number): value is Hex {
  return typeof value === 'string' && isHex(value, bytes)
}

function isTags(value: unknown, maxTags: number): value is string[][] {
  return (
    Array.isArray(value) &&
    value.length <= maxTags &&
    value.every((tag) => Array.isArray(tag) && tag.every((part) => typeof part === 'string'))
  )
}
