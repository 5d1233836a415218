import type { OpenDatabase } from '../platform/database.ts'
import type { TellPayment } from './payment-saga.ts'
import { findOverdue } from './payment-store.ts'

const AT_ONCE = 100

/** Stands behind the jobs: a payment about which nothing was heard for too long is asked for at its node. */
export async function sweepPayments(deps: {
  database: Pick<OpenDatabase, 'db'>
  clock: () => number
  tell: TellPayment
}): Promise<number> {
  const overdue = await findOverdue(deps.database.db, deps.clock(), AT_ONCE)
  for (const id of overdue) await deps.tell(id, { kind: 'time-passed' })
  return overdue.length
}
