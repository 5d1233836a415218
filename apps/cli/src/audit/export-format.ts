import type { ChainedEntry, JsonObject } from '@holdfast/core'

/**
 * An export is JSON lines: a head, one line per entry, an end. Whoever has it can recompute every hash with what the
 * head says; entries of one entity stand in their order.
 */
export const EXPORT_FORMAT = 'holdfast-journal-export-1'

/** What the head tells a stranger. */
export const HASH_RULE =
  'hash is SHA-256 in hex of the UTF-8 bytes of the RFC 8785 JSON array ["holdfast-journal-1", prevHash, stream, entityId, seq, kind, actor, at, data]; prevHash is the hash of the entry before it of the same stream and entityId, 64 zeros for seq 1; at is in milliseconds since 1970'

export type ExportHead = {
  readonly format: typeof EXPORT_FORMAT
  /** ISO 8601, as are `from` and `to`. */
  readonly exportedAt: string
  /** `stream:id`; null: all. */
  readonly entity: string | null
  /** Entries of this moment and later; null: from the first. */
  readonly from: string | null
  /** Entries before this moment; null: to the last. */
  readonly to: string | null
  readonly rule: string
}

export type ExportEnd = { readonly end: true; readonly entries: number; readonly entities: number }

export function entryLine(entry: ChainedEntry): string {
  const { stream, entityId, seq, kind, actor, at, data, prevHash, hash } = entry
  return JSON.stringify({ stream, entityId, seq: seq.toString(), kind, actor, at, data, prevHash, hash })
}

export type ExportLine =
  | { readonly is: 'head'; readonly head: ExportHead }
  | { readonly is: 'entry'; readonly entry: ChainedEntry }
  | { readonly is: 'end'; readonly end: ExportEnd }

/** Null: none of the three. */
export function readLine(line: string): ExportLine | null {
  const value = parse(line)
  if (value === null) return null
  if (value.format === EXPORT_FORMAT) return { is: 'head', head: value as unknown as ExportHead }
  if (value.end === true) {
    const { entries, entities } = value
    return Number.isSafeInteger(entries) && Number.isSafeInteger(entities)
      ? { is: 'end', end: value as unknown as ExportEnd }
      : null
  }
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
