import type { ChainedEntry, JsonObject } from '@holdfast/core'
import type { AuthEvent } from '@holdfast/protocols/nip98'

/**
 * An export is JSON lines: a head, one line per entry, before it the signed request that it names (once), an end.
 * Whoever has it can recompute every hash with what the head says; entries of one entity stand in their order.
 */
export const EXPORT_FORMAT = 'holdfast-journal-export-2'

/** The first was without signed requests. */
const FORMATS: readonly unknown[] = ['holdfast-journal-export-1', EXPORT_FORMAT]

/** What the head tells a stranger. */
export const HASH_RULE =
  'hash is SHA-256 in hex of the UTF-8 bytes of the RFC 8785 JSON array ["holdfast-journal-1", prevHash, stream, entityId, seq, kind, actor, at, data]; prevHash is the hash of the entry before it of the same stream and entityId, 64 zeros for seq 1; at is in milliseconds since 1970'

export const SIGNED_RULE =
  'data.signedRequest is the id of the NIP-98 event (kind 27235, NIP-01 id and signature) by whose signer, the actor, the change was asked for: the event of the request itself, or of the POST /v1/sessions that opened the session in which it was asked for; the event stands in a line {"signedRequest":…} before the first entry that names it; entries of other actors, such as system, node and dns, are the server\'s own'

export type ExportHead = {
  readonly format: string
  /** ISO 8601, as are `from` and `to`. */
  readonly exportedAt: string
  /** `stream:id`; null: all. */
  readonly entity: string | null
  /** Entries of this moment and later; null: from the first. */
  readonly from: string | null
  /** Entries before this moment; null: to the last. */
  readonly to: string | null
  readonly rule: string
  /** ISO 8601: from then on every entry of a person names a signed request; null or absent: none must. */
  readonly signedSince?: string | null
  readonly signedRule?: string
}

export type ExportEnd = { readonly end: true; readonly entries: number; readonly entities: number }

export function entryLine(entry: ChainedEntry): string {
  const { stream, entityId, seq, kind, actor, at, data, prevHash, hash } = entry
  return JSON.stringify({ stream, entityId, seq: seq.toString(), kind, actor, at, data, prevHash, hash })
}

export function signedRequestLine(event: AuthEvent): string {
  return JSON.stringify({ signedRequest: event })
}

export type ExportLine =
  | { readonly is: 'head'; readonly head: ExportHead }
  | { readonly is: 'entry'; readonly entry: ChainedEntry }
  | { readonly is: 'signed-request'; readonly event: AuthEvent }
  | { readonly is: 'end'; readonly end: ExportEnd }

/** Null: none of these. A signed request is not verified here. */
export function readLine(line: string): ExportLine | null {
  const value = parse(line)
  if (value === null) return null
  if (FORMATS.includes(value.format)) return { is: 'head', head: value as unknown as ExportHead }
  if (value.end === true) {
    const { entries, entities } = value
    return Number.isSafeInteger(entries) && Number.isSafeInteger(entities)
      ? { is: 'end', end: value as unknown as ExportEnd }
      : null
  }
  const { signedRequest } = value
  if (isObject(signedRequest))
    return typeof signedRequest.id === 'string'
      ? { is: 'signed-request', event: signedRequest as unknown as AuthEvent }
      : null
  const entry = readEntry(value)
  return entry && { is: 'entry', entry }
}

function readEntry(value: JsonObject): ChainedEntry | null {
  const { stream, entityId, seq, kind, actor, at, data, prevHash, hash } = value
  const isText = [stream, entityId, kind, actor].every((one) => typeof one === 'string' && one !== '')
  const isHashed = [prevHash, hash].every((one) => typeof one === 'string' && /^[0-9a-f]{64}$/.test(one))
  const isNumbered = typeof seq === 'string' && /^[1-9][0-9]{0,18}$/.test(seq) && Number.isSafeInteger(at)
  if (!isText || !isHashed || !isNumbered || !isObject(data)) return null
  return { stream, entityId, seq: BigInt(seq), kind, actor, at, data, prevHash, hash } as ChainedEntry
}

function parse(line: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : null
  } catch {
    // A line that is no JSON is one that cannot be read, as one of another shape.
    return null
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
