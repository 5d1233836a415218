import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalJson } from './canonical-json.ts'
import type { JsonObject } from './json.ts'

/** The journal's number of lanes. It is part of the stored data: changing it renumbers nothing and breaks order. */
export const LANES = 8

/** What a change says about one entity; `data` holds no floats and no secrets, amounts as decimal strings. */
export type EntryContent = {
  /** The kind of entity: `name`, `payment`, … */
  readonly stream: string
  readonly entityId: string
  /** 1, 2, 3 … within the entity. */
  readonly seq: bigint
  /** What happened, in the past tense: `name.claimed`. */
  readonly kind: string
  readonly data: JsonObject
  /** Who caused it: a public key in hex, or `operator`, `system`, `node`, `dns`, `lightning-address`. */
  readonly actor: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** An entry with its link to the one before it of the same entity; both hashes are lower-case hex of 32 bytes. */
export type ChainedEntry = EntryContent & { readonly prevHash: string; readonly hash: string }

/** `prevHash` of an entity's first entry. */
export const GENESIS_HASH = '0'.repeat(64)

/** The lane in which all entries of an entity stand: the first byte of SHA-256 of its id, modulo `LANES`. */
export function laneOf(entityId: string): number {
  return sha256(utf8ToBytes(entityId))[0]! % LANES
}

/**
 * SHA-256 over the UTF-8 bytes of the canonical JSON array
 * `["holdfast-journal-1", prevHash, stream, entityId, seq as decimal, kind, actor, at in milliseconds, data]`.
 */
export function entryHash(content: EntryContent, prevHash: string): string {
  const { stream, entityId, seq, kind, actor, at, data } = content
  const encoded = canonicalJson([
    'holdfast-journal-1',
    prevHash,
    stream,
    entityId,
    seq.toString(),
    kind,
    actor,
    at,
    data,
  ])
  return bytesToHex(sha256(utf8ToBytes(encoded)))
}

/** Links `content` behind `previous`, the entity's last entry (`null`: there is none). */
export function chainEntry(
  content: Omit<EntryContent, 'seq'>,
  previous: { readonly seq: bigint; readonly hash: string } | null,
): ChainedEntry {
  const { stream, entityId, kind, data, actor, at } = content
  const numbered = { stream, entityId, seq: (previous?.seq ?? 0n) + 1n, kind, data, actor, at }
  const prevHash = previous?.hash ?? GENESIS_HASH
  return { ...numbered, prevHash, hash: entryHash(numbered, prevHash) }
}

export type ChainCheck =
  | { readonly intact: true; readonly entries: number; readonly head: string }
  | { readonly intact: false; readonly seq: bigint; readonly fault: ChainFault }

export type ChainFault = 'other-entity' | 'missing-entry' | 'link-broken' | 'content-changed'

/**
 * Checks the whole chain of one entity, given oldest first. A truncated tail cannot be seen from the chain alone:
 * compare `head` with a hash that was kept elsewhere.
 */
export function verifyChain(entries: readonly ChainedEntry[]): ChainCheck {
  const first = entries[0]
  let head = GENESIS_HASH
  for (const [index, entry] of entries.entries()) {
    const broken = (fault: ChainFault): ChainCheck => ({ intact: false, seq: entry.seq, fault })
    if (entry.stream !== first?.stream || entry.entityId !== first.entityId) return broken('other-entity')
    if (entry.seq !== BigInt(index) + 1n) return broken('missing-entry')
    if (entry.prevHash !== head) return broken('link-broken')
    if (entryHash(entry, entry.prevHash) !== entry.hash) return broken('content-changed')
    head = entry.hash
  }
  return { intact: true, entries: entries.length, head }
}
