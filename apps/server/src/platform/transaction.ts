import type { JsonObject } from '@holdfast/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { AtOnce, Place } from './at-once.ts'
import type { Database, OpenDatabase } from './database.ts'
import { type Dispatch, POLL_MS } from './dispatch.ts'
import { insertJobs } from './job-outbox.ts'
import { appendEntries, areHeadsKnown, isStaleHead } from './journal/append-entries.ts'
import { type Heads, makeHeads } from './journal/heads.ts'
import { isStalePlan } from './prepared-statements.ts'
import type { RightOfWay } from './right-of-way.ts'

/** An entry for the journal, written when the transaction's work has ended. */
export type NewEntry = {
  /** The kind of entity: `name`, `payment`, … */
  stream: string
  entityId: string
  /** What happened, in the past tense: `name.claimed`. */
  kind: string
  /** Amounts as decimal strings, no floats, no secrets. */
  data: JsonObject
  /** As `EntryContent` of core says. */
  actor: string
  /** Default: now. */
  at?: Date
  /** The entity is new. Then nothing has to be asked before it is appended; where it is wrong, `work` runs again. */
  isFirst?: boolean
}

/** A durable job, added when the transaction's work has ended; it exists if and only if the transaction commits. */
export type NewJob = {
  task: string
  payload: JsonObject
  /** Default: at once. */
  runAt?: Date
  /**
   * A waiting job with the same key is replaced; one that runs already is left alone and a new one is added. One that is
   * begun at once replaces none: what waits finds that it is not wanted any more.
   */
  key?: string
  /** Attempts before the job is given up and kept as a dead letter. Default 25. */
  maxAttempts?: number
  /** Of two jobs that are due the one with the smaller number is taken first. Default: what `makeTransact` was given. */
  priority?: number
  /** Nobody waits for it: when there are many such jobs, the worker gets a few at a time. */
  patient?: boolean
  /**
   * What the transaction leaves of that which the job is about, asked for once it has committed. Only who begins the job
   * at once is told; all others read it.
   */
  left?: () => unknown
}

/** What `work` may do; everything is kept or nothing. */
export interface Transaction {
  readonly db: Kysely<Database>
  append(entry: NewEntry): void
  enqueue(job: NewJob): void
  /**
   * An INSERT or UPDATE that is carried out when the work has ended, in the same round trip as the entries: nothing of
   * the work sees it, and there may be only one about a row.
   */
  writeLast(write: RawBuilder<unknown>): void
  /**
   * A call of a function that is made when the work has ended, before the lanes are locked, in the same round trip: what
   * it answers nobody sees, and where it fails nothing is kept.
   */
  callFirst(call: RawBuilder<unknown>): void
  /**
   * Where the work, or a function that it calls first, fails with RQ001, nothing is kept and the work is done again
   * without beliefs. So it may take for granted what such a function confirms.
   */
  readonly mayBelieve?: boolean
}

/**
 * Runs `work` in one READ COMMITTED transaction and then, still in it, adds the jobs, locks the lanes and appends the
 * entries. When the database reports a serialization failure, a deadlock, a plan that a migration made stale or that
 * another process has appended to an entity, everything is rolled back and `work` is run again: it must not touch
 * anything outside of the transaction. Any other error rolls back and is thrown, also that of a statement whose error
 * `work` swallowed.
 */
export type Transact = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>

/** `serialization_failure` and `deadlock_detected`: the server has rolled back, so that trying again is safe. */
const RETRIED = new Set(['40001', '40P01'])
const ATTEMPTS = 5

export function makeTransact(options: {
  database: OpenDatabase
  dispatch: Pick<Dispatch, 'committed'>
  /** What it has a place for is begun as soon as it is committed. Without it: workers take all jobs. */
  atOnce?: Pick<AtOnce, 'reserve'>
  /** Of jobs that name none. Default 0. */
  jobPriority?: number
  /** Of what serves requests: jobs give way to it. */
  rightOfWay?: RightOfWay
  /** What this process remembers of the journal; give one to all that append, so that each knows what the others wrote. */
  heads?: Heads
}): Transact {
  const { database, dispatch, atOnce, jobPriority = 0, rightOfWay, heads = makeHeads() } = options
  const transact: Transact = async (work) => {
    let mayAsk = false
    for (let attempt = 1; ; attempt++) {
      const places: Place[] = []
      try {
        const { result, ...left } = await once({ database, heads, atOnce, places, jobPriority, mayAsk }, work)
        for (const place of places) place.begin()
        dispatch.committed({ ...left, isCrowded: rightOfWay?.isCrowded() ?? false })
        return result
      } catch (error) {
        for (const place of places) place.giveUp()
        if (attempt === ATTEMPTS || !isRetried(error)) throw error
        mayAsk ||= isStaleHead(error)
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt))
      }
    }
  }
  return rightOfWay ? (work) => rightOfWay.request(() => transact(work)) : transact
}

async function once<T>(
  options: {
    database: OpenDatabase
    heads: Heads
    atOnce: Pick<AtOnce, 'reserve'> | undefined
    /** Gets what was reserved. */
    places: Place[]
    jobPriority: number
    mayAsk: boolean
  },
  work: (tx: Transaction) => Promise<T>,
): Promise<{ result: T; entries: number; jobs: number; arePatient: boolean }> {
  const { database, heads, atOnce, places, jobPriority, mayAsk } = options
  const entries: NewEntry[] = []
  const jobs: NewJob[] = []
  const writes: RawBuilder<unknown>[] = []
  const calls: RawBuilder<unknown>[] = []
  return database.db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (db) => {
      const result = await work({
        db,
        append: (entry) => void entries.push(entry),
        enqueue: (job) => void jobs.push(job),
        writeLast: (write) => void writes.push(write),
        callFirst: (call) => void calls.push(call),
      })
      const held = jobs.map((job) => {
        const place = atOnce?.reserve(job) ?? null
        if (place === null) return job
        places.push(place)
        return { ...job, ticket: place.ticket }
      })
      if (held.length > 0) writes.push(insertJobs(held, jobPriority))
      const andCommit = !mayAsk && areHeadsKnown(entries, heads)
      // Last, because the lanes stay locked until the commit is visible.
      if (entries.length > 0) await appendEntries(db, entries, { heads, calls, writes, andCommit })
      else {
        for (const call of calls) await sql`select ${call}`.execute(db)
        for (const write of writes) await write.execute(db)
      }
      const due = held.filter(isForWorker)
      const arePatient = due.every(({ patient }) => patient)
      return { result, entries: entries.length, jobs: due.length, arePatient }
    })
}

/** Every worker looks when jobs are handed over, so what is due later is no reason to. */
function isForWorker(job: NewJob & { ticket?: string }): boolean {
  return job.ticket === undefined && (job.runAt?.getTime() ?? 0) < Date.now() + POLL_MS
}

function isRetried(error: unknown): boolean {
  if (isStalePlan(error) || isStaleHead(error)) return true
  return error instanceof Error && 'code' in error && RETRIED.has(String(error.code))
}
