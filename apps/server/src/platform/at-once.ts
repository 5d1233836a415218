import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { makeErrand } from './errand.ts'
import type { Log } from './log.ts'
import type { NewJob } from './transaction.ts'

/** Carries a job out; throws when it must be tried again. */
export type CarryOut = (job: NewJob, ticket: string, signal: AbortSignal) => Promise<void>

/** A place for a job whose transaction is about to commit. */
export type Place = {
  /** Under which its row stands in the outbox. */
  readonly ticket: string
  /** After the commit. */
  begin(): void
  /** The transaction has failed. Where it has committed all the same, its job is handed over after a while. */
  giveUp(): void
}

/**
 * Begins committed jobs in the process that committed them, instead of handing them over to a worker: that costs three
 * transactions and as many wake-ups, and somebody waits. The outbox stays the truth: a row is held for a while, longer
 * while its job runs, and deleted when it has ended. What throws, outlives its process or lost its connection is handed
 * over to a worker, so a job may run again after it was done, as any may.
 */
export interface AtOnce {
  /** Jobs of these tasks are begun at once from now on, at most so many at a time. */
  serve(options: { tasks: readonly string[]; places: number; graceMs: number; carryOut: CarryOut }): {
    /** Begins no more and resolves when the running ones have ended; after the grace their signals are aborted. */
    stop(): Promise<void>
  }
  /** Null: it is not of these tasks, not due yet, or all places are taken. Then a worker takes it. */
  reserve(job: NewJob): Place | null
}

/** So long after it was last held a job is handed over. */
export const HELD_FOR = '20 seconds'
const HOLD_EVERY_MS = 5_000
/** As graphile-worker waits after a first attempt. */
const AGAIN_AFTER = '2.7 seconds'
/** Nobody waits for the rows to go; one round serves many. */
const TIDY = { rest: 4, afterMs: 50 }

type Server = { free: number; begin(job: NewJob, ticket: string): Promise<void> }

export function makeAtOnce({ pool, log }: { pool: pg.Pool; log: Log }): AtOnce & {
  settled(): Promise<void>
  stop(): Promise<void>
} {
  const servers = new Map<string, Server>()
  const running = new Set<string>()
  const ended = new Set<string>()
  const failed = new Set<string>()
  const errand = makeErrand({
    log,
    what: 'ending jobs that were begun at once',
    ...TIDY,
    async perform() {
      const [gone, again] = [[...ended], [...failed]]
      await pool.query({
        name: 'end jobs begun at once',
        text: `
          with ended as (delete from job_outbox where ticket = any($1::uuid[]))
          update job_outbox set held_until = null, run_at = now() + interval '${AGAIN_AFTER}'
          where ticket = any($2::uuid[])`,
        values: [gone, again],
      })
      for (const ticket of gone) ended.delete(ticket)
      for (const ticket of again) failed.delete(ticket)
      return 'done'
    },
  })
  const holding = setInterval(() => {
    if (running.size === 0) return
    pool
      .query(
        `update job_outbox set held_until = now() + interval '${HELD_FOR}' where ticket = any($1::uuid[])`,
        [[...running]],
      )
      .catch((error) => log.warn({ err: error }, 'running jobs may be begun a second time'))
  }, HOLD_EVERY_MS)
  holding.unref()

  async function run(server: Server, job: NewJob, ticket: string): Promise<void> {
    running.add(ticket)
    try {
      await server.begin(job, ticket)
      ended.add(ticket)
    } catch {
      // Whoever carries jobs out has logged why.
      failed.add(ticket)
    }
    running.delete(ticket)
    server.free++
    errand.ask()
  }

  return {
    serve({ tasks, places, graceMs, carryOut }) {
      const aborting = new AbortController()
      const jobs = new Set<Promise<void>>()
      const server: Server = {
        free: places,
        begin(job, ticket) {
          const carried = carryOut(job, ticket, aborting.signal)
          jobs.add(carried)
          const end = () => void jobs.delete(carried)
          carried.then(end, end)
          return carried
        },
      }
      for (const task of tasks) servers.set(task, server)
      return {
        async stop() {
          for (const task of tasks) servers.delete(task)
          const abort = setTimeout(() => aborting.abort(), graceMs)
          while (jobs.size > 0) await Promise.allSettled(jobs)
          clearTimeout(abort)
        },
      }
    },
    reserve(job) {
      const server = servers.get(job.task)
      if (server === undefined || server.free === 0 || job.runAt !== undefined) return null
      server.free--
      const ticket = randomUUID()
      return {
        ticket,
        begin: () => void run(server, job, ticket),
        giveUp: () => void server.free++,
      }
    },
    settled: () => errand.settled(),
    async stop() {
      clearInterval(holding)
      await errand.stop()
    },
  }
}
