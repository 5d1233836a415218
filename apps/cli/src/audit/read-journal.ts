import { LANES } from '@holdfast/core'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { type JournalEntry, readEntries, START } from '@holdfast/server/platform/journal/read-entries'

const PAGE = 500

/** How many entries the journal has up to now: positions have no gaps. */
export function countEntries(heads: readonly bigint[]): bigint {
  return heads.reduce((sum, head) => sum + head, 0n)
}

/** The journal up to `heads`, lane after lane, a page at a time; nothing is ever inserted before them. */
export async function* readJournal(
  { db }: Pick<OpenDatabase, 'db'>,
  heads: readonly bigint[],
): AsyncGenerator<readonly JournalEntry[]> {
  for (let lane = 0; lane < LANES; lane++) {
    const head = heads[lane] ?? 0n
    let after = 0n
    while (after < head) {
      const positions = START.map((start, at) => (at === lane ? after : start))
      const page = (await readEntries(db, positions, [lane], PAGE)).filter(({ position }) => position <= head)
      const last = page.at(-1)
      if (!last) break
      yield page
      after = last.position
    }
  }
}
