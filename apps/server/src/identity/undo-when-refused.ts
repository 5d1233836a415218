import { isRefusal, type Refusal } from '@holdfast/core'
import { sql } from 'kysely'
import { RefusalError } from '../platform/http/problem.ts'
import type { NewEntry, NewJob, Transaction } from '../platform/transaction.ts'

/**
 * Runs `work` in a transaction that goes on when `work` refuses, by value or by `RefusalError`: what it wrote is
 * rolled back to a savepoint, what it appended and enqueued is dropped. A fault is thrown on.
 */
export async function undoWhenRefused<T>(
  tx: Transaction,
  work: (tx: Transaction) => Promise<T | Refusal>,
): Promise<T | Refusal> {
  const entries: NewEntry[] = []
  const jobs: NewJob[] = []
  const inner: Transaction = {
    db: tx.db,
    append: (entry) => void entries.push(entry),
    enqueue: (job) => void jobs.push(job),
  }
  await sql`savepoint before_work`.execute(tx.db)
  const result = await caught(work(inner))
  if (isRefusal(result)) {
    await sql`rollback to savepoint before_work`.execute(tx.db)
    return result
  }
  for (const entry of entries) tx.append(entry)
  for (const job of jobs) tx.enqueue(job)
  return result
}

async function caught<T>(result: Promise<T | Refusal>): Promise<T | Refusal> {
  try {
    return await result
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal
    throw error
  }
}
