import type { OpenDatabase } from '../platform/database.ts'
import type { TellPayment } from './payment-saga.ts'
import { findOpen, findSilent, type Silent } from './payment-store.ts'

type ReconcileDeps = { database: Pick<OpenDatabase, 'db'>; tell: TellPayment }
type SweepDeps = ReconcileDeps & { clock: () => number }

const AT_ONCE = 100

/** Stands behind the jobs: a payment about which nothing was heard for too long is asked about again. */
export function sweepPayments({ database, clock, tell }: SweepDeps): Promise<number> {
  const dueBefore = new Date(clock())
  return tellEach<Silent>(tell, (after) => findSilent(database.db, { dueBefore, limit: AT_ONCE, after }))
}

/** After a start the node is asked first about every payment that has not ended: `time-passed` never pays. */
export function reconcilePayments({ database, tell }: ReconcileDeps): Promise<number> {
  return tellEach(tell, (after) => findOpen(database.db, { limit: AT_ONCE, after }))
}

/**
 * Tells each that time has passed, page by page; answers how many. One that cannot be told keeps no other waiting; what
 * was wrong is thrown at the end.
 */
async function tellEach<Row extends { id: string }>(
  tell: TellPayment,
  pageAfter: (after: Row | null) => Promise<Row[]>,
): Promise<number> {
  const faults: unknown[] = []
  let count = 0
  for (let after: Row | null = null; ; ) {
    const page: Row[] = await pageAfter(after)
    for (const { id } of page) {
      await tell(id, { kind: 'time-passed' }).catch((cause: unknown) => {
        faults.push(new Error(`payment ${id} cannot be looked at`, { cause }))
      })
    }
    count += page.length
    after = page.at(-1) ?? null
    if (page.length < AT_ONCE) break
  }
  if (faults.length > 0) {
    throw new AggregateError(faults, `${faults.length} of ${count} payments were passed over`)
  }
  return count
}
