import { type ChainedEntry, type ChainFault, entryHash, GENESIS_HASH } from '@holdfast/core'

/** An entry does not follow from the one before it of the same entity. */
export type ChainBreak = {
  readonly stream: string
  readonly entityId: string
  readonly seq: string
  readonly fault: ChainFault
}

/** The last entry of an entity. */
export type Head = {
  readonly stream: string
  readonly entityId: string
  readonly seq: bigint
  readonly hash: string
}

/**
 * Verifies the chains of many entities at once, whose entries may come mixed, each entity's in order. `mayBegin`: a
 * chain may begin after its first entry, as in an export of a span of time.
 */
export function makeChainFollower({ mayBegin = false }: { mayBegin?: boolean } = {}) {
  const heads = new Map<string, Head>()
  return {
    /** Null: it follows. After a break the entity goes on from what it says, so that each break is told once. */
    follow(entry: ChainedEntry): ChainBreak | null {
      const { stream, entityId, seq } = entry
      const key = `${stream} ${entityId}`
      const before = heads.get(key)
      heads.set(key, { stream, entityId, seq, hash: entry.hash })
      const fault = faultOf(entry, before, mayBegin)
      return fault === null ? null : { stream, entityId, seq: seq.toString(), fault }
    },
    heads: (): Iterable<Head> => heads.values(),
    entities: (): number => heads.size,
  }
}

function faultOf(entry: ChainedEntry, before: Head | undefined, mayBegin: boolean): ChainFault | null {
  const begins = before === undefined && mayBegin && entry.seq > 1n
  if (!begins) {
    if (entry.seq !== (before?.seq ?? 0n) + 1n) return 'missing-entry'
    if (entry.prevHash !== (before?.hash ?? GENESIS_HASH)) return 'link-broken'
  }
  return entryHash(entry, entry.prevHash) === entry.hash ? null : 'content-changed'
}
