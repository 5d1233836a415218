import type { OpenDatabase } from '../platform/database.ts'
import { sweepRows } from '../platform/sweep-rows.ts'
import type { TellPayment } from './payment-saga.ts'
import { findOpen, findSilent, type Silent } from './payment-store.ts'

type ReconcileDeps = { database: Pick<OpenDatabase, 'db'>; tell: TellPayment }
type SweepDeps = ReconcileDeps & { clock: () => number }

const PAYMENTS = { what: 'payments', pageSize: 100 } as const

/** Stands behind the jobs: a payment about which nothing was heard for too long is asked about again. */
export function sweepPayments({ database, clock, tell }: SweepDeps): Promise<number> {
  const dueBefore = new Date(clock())
  return sweepRows<Silent>({
    ...PAYMENTS,
    pageAfter: (after) => findSilent(database.db, { dueBefore, limit: PAYMENTS.pageSize, after }),
    look: ({ id }) => tell(id, { kind: 'time-passed' }),
  })
}

/** After a start the node is asked first about every payment that has not ended: `time-passed` never pays. */
export function reconcilePayments({ database, tell }: ReconcileDeps): Promise<number> {
  return sweepRows({
    ...PAYMENTS,
    pageAfter: (after) => findOpen(database.db, { limit: PAYMENTS.pageSize, after }),
    look: ({ id }) => tell(id, { kind: 'time-passed' }),
  })
}
