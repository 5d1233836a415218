import type { OpenDatabase } from '../platform/database.ts'
import { type PageAfter, sweepRows } from '../platform/sweep-rows.ts'
import type { BlockClock } from './block-clock.ts'
import type { TellEscrow } from './escrow-saga.ts'
import { type DueEscrow, findDueAt, findOpen, findSilent, type SilentEscrow } from './escrow-store.ts'

const PAGE_SIZE = 100

type Deps = { database: Pick<OpenDatabase, 'db'>; tell: TellEscrow }

/**
 * The guardian: wakes the escrows whose height has come, those with the least time left first. It only wakes; what
 * becomes of a hold is decided by the machine. Answers how many.
 */
export async function guardEscrows({
  database,
  tell,
  blocks,
}: Deps & { blocks: BlockClock }): Promise<number> {
  const { height } = await blocks.fresh()
  return wakeEach<DueEscrow>(tell, (after) => findDueAt(database.db, { height, limit: PAGE_SIZE, after }))
}

/** Stands behind the jobs: an escrow of which nothing was heard for too long is looked at again. */
export function sweepEscrows({ database, tell, clock }: Deps & { clock: () => number }): Promise<number> {
  const dueBefore = new Date(clock())
  return wakeEach<SilentEscrow>(tell, (after) =>
    findSilent(database.db, { dueBefore, limit: PAGE_SIZE, after }),
  )
}

/** After a start the node is asked first about everything that has not ended: `time-passed` asks before it pays. */
export function reconcileEscrows({ database, tell }: Deps): Promise<number> {
  return wakeEach(tell, (after) => findOpen(database.db, { limit: PAGE_SIZE, after }))
}

function wakeEach<Row extends { readonly id: string }>(
  tell: TellEscrow,
  pageAfter: PageAfter<Row>,
): Promise<number> {
  const look = ({ id }: Row) => tell(id, { kind: 'time-passed' })
  return sweepRows({ what: 'escrows', pageSize: PAGE_SIZE, pageAfter, look })
}
