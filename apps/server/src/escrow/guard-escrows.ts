import type { OpenDatabase } from '../platform/database.ts'
import type { BlockClock } from './block-clock.ts'
import type { TellEscrow } from './escrow-saga.ts'
import { findDueAt, findOpen, findSilent } from './escrow-store.ts'

const AT_ONCE = 100

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
  const due = await findDueAt(database.db, height, AT_ONCE)
  await tellAll(due, tell)
  return due.length
}

/** Stands behind the jobs: an escrow of which nothing was heard for too long is looked at again. */
export async function sweepEscrows({
  database,
  tell,
  clock,
}: Deps & { clock: () => number }): Promise<number> {
  const silent = await findSilent(database.db, new Date(clock()), AT_ONCE)
  await tellAll(silent, tell)
  return silent.length
}

/** After a start the node is asked first about everything that has not ended: `time-passed` asks before it pays. */
export async function reconcileEscrows({ database, tell }: Deps): Promise<number> {
  let count = 0
  for (let after: string | null = null; ; ) {
    const open: string[] = await findOpen(database.db, after, AT_ONCE)
    await tellAll(open, tell)
    count += open.length
    after = open.at(-1) ?? null
    if (open.length < AT_ONCE) return count
  }
}

/** One that fails must not keep the others from being looked at; the first failure is thrown after all were tried. */
async function tellAll(ids: readonly string[], tell: TellEscrow): Promise<void> {
  const failures: unknown[] = []
  for (const id of ids) {
    await tell(id, { kind: 'time-passed' }).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} escrows could not be looked at.`)
}
