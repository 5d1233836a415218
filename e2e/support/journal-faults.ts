import { LANES, verifyChain } from '@holdfast/core'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { type JournalEntry, readEntries, START } from '@holdfast/server/platform/journal/read-entries'

/** The entries of each entity, by `stream id`. */
export type Chains = ReadonlyMap<string, readonly JournalEntry[]>

/** The whole journal, and what is wrong with it: a skipped position of a lane, a broken chain of an entity. */
export async function readJournal({ db }: OpenDatabase): Promise<{ chains: Chains; faults: string[] }> {
  const lanes = Array.from({ length: LANES }, (_, lane) => lane)
  const entries = await readEntries(db, START, lanes, 1_000_000)
  const faults: string[] = []
  const nextPosition = new Map(lanes.map((lane) => [lane, 1n]))
  for (const { lane, position } of entries) {
    if (position !== nextPosition.get(lane)) faults.push(`lane ${lane} skips to position ${position}`)
    nextPosition.set(lane, position + 1n)
  }
  const chains = Map.groupBy(entries, ({ stream, entityId }) => `${stream} ${entityId}`)
  for (const [entity, chain] of chains) {
    const check = verifyChain(chain)
    if (!check.intact) faults.push(`the chain of ${entity} is broken at ${check.seq}: ${check.fault}`)
  }
  return { chains, faults }
}
