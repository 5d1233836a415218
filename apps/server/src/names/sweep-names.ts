import type { OpenDatabase } from '../platform/database.ts'
import type { TellName } from './name-saga.ts'
import { findOverdue, type Overdue } from './name-store.ts'

const AT_ONCE = 100

/**
 * Stands behind the jobs: a name about which nothing was heard for too long is looked at again. One that cannot be
 * looked at keeps nobody waiting; what was wrong with it is thrown at the end.
 */
export async function sweepNames(deps: {
  database: Pick<OpenDatabase, 'db'>
  clock: () => number
  tell: TellName
}): Promise<number> {
  const now = deps.clock()
  const faults: unknown[] = []
  let count = 0
  let after: Overdue | null = null
  do {
    const overdue: Overdue[] = await findOverdue(deps.database.db, now, { limit: AT_ONCE, after })
    for (const { id } of overdue) {
      await deps.tell(id, { kind: 'time-passed' }).catch((cause: unknown) => {
        faults.push(new Error(`name registration ${id} cannot be looked at`, { cause }))
      })
    }
    count += overdue.length
    after = overdue.length < AT_ONCE ? null : (overdue.at(-1) ?? null)
  } while (after !== null)
  if (faults.length > 0)
    throw new AggregateError(faults, `${faults.length} of ${count} names were passed over`)
  return count
}
