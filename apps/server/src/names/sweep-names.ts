import type { OpenDatabase } from '../platform/database.ts'
import { sweepRows } from '../platform/sweep-rows.ts'
import type { TellName } from './name-saga.ts'
import { findInTrouble, findOverdue, type Overdue } from './name-store.ts'

type SweepDeps = { database: Pick<OpenDatabase, 'db'>; clock: () => number; tell: TellName }

const NAMES = { what: 'names', pageSize: 100 } as const

/** Stands behind the jobs: a name about which nothing was heard for too long is looked at again. */
export function sweepNames({ database, clock, tell }: SweepDeps): Promise<number> {
  const now = clock()
  return sweepRows<Overdue>({
    ...NAMES,
    pageAfter: (after) => findOverdue(database.db, now, { limit: NAMES.pageSize, after }),
    look: ({ id }) => tell(id, { kind: 'time-passed' }),
  })
}

/** After a start, before which somebody may have mended the zone, its key or a node, what has failed is tried again. */
export function reconcileNames({ database, tell }: Omit<SweepDeps, 'clock'>): Promise<number> {
  return sweepRows({
    ...NAMES,
    pageAfter: (after) => findInTrouble(database.db, { limit: NAMES.pageSize, after }),
    look: ({ id }) => tell(id, { kind: 'try-again' }),
  })
}
