import type { OpenDatabase } from '../platform/database.ts'
import type { TellName } from './name-saga.ts'
import { findOverdue } from './name-store.ts'

const AT_ONCE = 100

/** Stands behind the jobs: a registration about which nothing was heard for too long is looked at again. */
export async function sweepNames(deps: {
  database: Pick<OpenDatabase, 'db'>
  clock: () => number
  tell: TellName
}): Promise<number> {
  const overdue = await findOverdue(deps.database.db, deps.clock(), AT_ONCE)
  for (const id of overdue) await deps.tell(id, { kind: 'time-passed' })
  return overdue.length
}
