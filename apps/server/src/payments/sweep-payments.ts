import type { OpenDatabase } from '../platform/database.ts'
import type { TellPayment } from './payment-saga.ts'
import { findOpen, findSilent } from './payment-store.ts'

type ReconcileDeps = { database: Pick<OpenDatabase, 'db'>; tell: TellPayment }
type SweepDeps = ReconcileDeps & { clock: () => number }

const AT_ONCE = 100

/** Stands behind the jobs: a payment about which nothing was heard for too long is asked about again. */
export async function sweepPayments({ database, clock, tell }: SweepDeps): Promise<number> {
  const silent = await findSilent(database.db, new Date(clock()), AT_ONCE)
  for (const id of silent) await tell(id, { kind: 'time-passed' })
  return silent.length
}

/** After a start the node is asked first about every payment that has not ended: `time-passed` never pays. */
export async function reconcilePayments({ database, tell }: ReconcileDeps): Promise<number> {
  let count = 0
  for (let after: string | null = null; ; ) {
    const open = await findOpen(database.db, after, AT_ONCE)
    for (const id of open) await tell(id, { kind: 'time-passed' })
    count += open.length
    after = open.at(-1) ?? null
    if (open.length < AT_ONCE) return count
  }
}
