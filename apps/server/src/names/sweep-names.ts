import type { OpenDatabase } from '../platform/database.ts'
import { eachRow } from '../platform/each-row.ts'
import type { TellName } from './name-saga.ts'
import { findInTrouble, findOverdue, type Overdue } from './name-store.ts'

type SweepDeps = { database: Pick<OpenDatabase, 'db'>; clock: () => number; tell: TellName }

const PAGE = { what: 'name registration', limit: 100 } as const

/** Stands behind the jobs: a name about which nothing was heard for too long is looked at again. */
export function sweepNames({ database, clock, tell }: SweepDeps): Promise<number> {
  const now = clock()
  return eachRow<Overdue>({
    ...PAGE,
    pageAfter: (after) => findOverdue(database.db, now, { limit: PAGE.limit, after }),
    work: ({ id }) => tell(id, { kind: 'time-passed' }),
  })
}

/** After a start, before which somebody may have mended the zone, its key or a node, what has failed is tried again. */
export function reconcileNames({ database, tell }: Omit<SweepDeps, 'clock'>): Promise<number> {
  return eachRow({
    ...PAGE,
    pageAfter: (after) => findInTrouble(database.db, { limit: PAGE.limit, after }),
    work: ({ id }) => tell(id, { kind: 'try-again' }),
  })
}
