import type { JsonObject } from '@holdfast/core'
import { type Kysely, sql } from 'kysely'
import type { Database, OpenDatabase } from './database.ts'
import { addJobs } from './jobs.ts'
import { appendEntries } from './journal/append-entries.ts'

/** An entry for the journal, written when the transaction's work has ended. */
export type NewEntry = {
  /** The kind of entity: `name`, `payment`, … */
  stream: string
  entityId: string
  /** What happened, in the past tense: `name.claimed`. */
  kind: string
  /** Amounts as decimal strings, no floats, no secrets. */
  data: JsonObject
  /** Owner's public key in hex, or `system`, `node`, `dns`. */
  actor: string
  /** Default: now. */
  at?: Date
}

/** A durable job, added when the transaction's work has ended; it exists if and only if the transaction commits. */
export type NewJob = {
  task: string
  payload: JsonObject
  /** Default: at once. */
  runAt?: Date
  /** A waiting job with the same key is replaced; one that runs already is left alone and a new one is added. */
  key?: string
  /** Attempts before the job is given up and kept as a dead letter. Default 25. */
  maxAttempts?: number
}

/** What `work` may do; everything is kept or nothing. */
export interface Transaction {
  readonly db: Kysely<Database>
  append(entry: NewEntry): void
  enqueue(job: NewJob): void
}

/**
 * Runs `work` in one READ COMMITTED transaction and then, still in it, adds the jobs, locks the lanes and appends the
 * entries. When the database reports a serialization failure or a deadlock, everything is rolled back and `work` is
 * run again: it must not touch anything outside of the transaction. Any other error rolls back and is thrown.
 */
export type Transact = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>

/** `serialization_failure` and `deadlock_detected`: the server has rolled back, so that trying again is safe. */
const RETRIED = new Set(['40001', '40P01'])
const ATTEMPTS = 5

export function makeTransact({ database }: { database: OpenDatabase }): Transact {
  return async (work) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(database, work)
      } catch (error) {
        if (attempt === ATTEMPTS || !isRetried(error)) throw error
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt))
      }
    }
  }
}

async function once<T>(database: OpenDatabase, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const entries: NewEntry[] = []
  const jobs: NewJob[] = []
  return database.db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (db) => {
      const result = await work({
        db,
        append: (entry) => void entries.push(entry),
        enqueue: (job) => void jobs.push(job),
      })
      // When `work` swallowed a failed statement, COMMIT would roll back and say so to nobody: any statement tells.
      if (entries.length + jobs.length === 0) await sql`select 1`.execute(db)
      if (jobs.length > 0) await addJobs(db, jobs)
      // Last, because the lanes stay locked until the commit is visible.
      if (entries.length > 0) await appendEntries(db, entries)
      return result
    })
}

function isRetried(error: unknown): boolean {
  return error instanceof Error && 'code' in error && RETRIED.has(String(error.code))
}
