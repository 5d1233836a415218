import { EventEmitter } from 'node:events'
import type { JsonObject } from '@holdfast/core'
import { type JobHelpers, run, type WorkerEvents } from 'graphile-worker'
import type pg from 'pg'
import type { AtOnce } from './at-once.ts'
import type { OpenDatabase } from './database.ts'
import { graphileLog } from './graphile-log.ts'
import type { Log } from './log.ts'
import { pause } from './pause.ts'
import type { RightOfWay } from './right-of-way.ts'
import { within } from './within.ts'
import { keepWorkerAlive, type WorkerLiveness } from './worker-liveness.ts'

export type JobContext = {
  jobId: string
  /**
   * 1 for the first of a worker. One that a crash of the worker cut short does not count, nor does one that was begun at
   * once, which is 0.
   */
  attempt: number
  maxAttempts: number
  /** Aborted when the worker must stop before the job has ended. */
  signal: AbortSignal
  /** What `left` of the job has said a moment ago; absent: it has to be read. */
  left?: unknown
  log: Log
}

/**
 * Performs one effect. It may be run again after it was done (a crash before that was recorded), so its effect must be
 * idempotent. Throwing makes it run again after e^attempt seconds (at most e^10), until `maxAttempts`; then the job
 * stays as a row with its last error: the dead letter.
 */
export type Task = (payload: JsonObject, context: JobContext) => Promise<void>

export type Worker = {
  /** Takes no more jobs and resolves when the running ones have ended; after the grace their signals are aborted. */
  stop(): Promise<void>
}

export type WorkerOptions = {
  database: OpenDatabase
  /** Only jobs of these tasks are taken. */
  tasks: Record<string, Task>
  concurrency: number
  log: Log
  /** How long `stop` lets running jobs go on before it aborts their signals. Default 10 s. */
  graceMs?: number
  /** Jobs start when it is their turn. Without it: at once. */
  rightOfWay?: Pick<RightOfWay, 'turn'>
  /** What it has a place for is begun as soon as it is committed, beside the jobs that this worker takes. */
  atOnce?: AtOnce
  /** Nobody waits for its jobs: it looks for them some ten times a second, however many are added for others. */
  unhurried?: boolean
}

/** Runs jobs until stopped. A worker pool that ends by itself, because the database went away, is replaced. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { database, log } = options
  // Not the server's pool: graphile-worker writes its ids as JSON, which has no bigint.
  const pool = database.openPlainPool({
    applicationName: 'worker',
    // One per worker that takes or ends a job, and the one that listens.
    maxConnections: options.concurrency + 1,
    // It only writes that a job was taken or has ended; a job of which that is lost runs again, as after any crash.
    lastCommitsMayBeLost: true,
  })
  const liveness = await keepWorkerAlive({ database, log })
  const stopping = new AbortController()
  let runner = await startWorkerPool(options, pool, liveness)
  const atOnce = options.atOnce?.serve({
    tasks: Object.keys(options.tasks),
    places: options.concurrency,
    graceMs: options.graceMs ?? GRACE_MS,
    carryOut({ task, payload, maxAttempts = MAX_ATTEMPTS, left }, jobId, signal) {
      const context = { jobId, attempt: 0, maxAttempts, signal, left: left?.() }
      // As it would be read back.
      return perform(options, task, JSON.parse(JSON.stringify(payload)), context)
    },
  })

  const supervised = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await runner.ended
        if (!stopping.signal.aborted) runner = await startWorkerPool(options, pool, liveness)
      } catch (error) {
        log.error({ err: error }, 'the worker pool could not start; trying again')
        await pause(1_000, stopping.signal)
      }
    }
    // One that was starting while we were told to stop.
    await runner.stop()
  })()

  return {
    async stop() {
      stopping.abort()
      await Promise.all([runner.stop(), atOnce?.stop()])
      await supervised
      await liveness.stop()
      await pool.end()
    },
  }
}

/** graphile-worker's. */
const MAX_ATTEMPTS = 25
const GRACE_MS = 10_000
/** Also when no NOTIFY comes, jobs are looked for that often. */
const POLL_MS = 1_000
/** So long after its last successful look a pool is replaced. */
const BLIND_MS = 5_000
/** Jobs that were fetched but found no free place are given back to other processes after so long. */
const KEPT_MS = 5_000
/** So long after the grace a pool that does not end is given up. */
const GIVEN_UP_MS = 5_000
/** Of a worker that is in no hurry, between two looks that found less than it could do. */
const UNHURRIED = { durationMs: 100, threshold: 1, maxAbortThreshold: Number.MAX_SAFE_INTEGER }

type WorkerPool = {
  /** Resolves when it takes no more jobs and none of them runs, or when it was given up. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

async function startWorkerPool(
  options: WorkerOptions,
  pgPool: pg.Pool,
  liveness: WorkerLiveness,
): Promise<WorkerPool> {
  const { tasks, concurrency, log, graceMs = GRACE_MS, unhurried = false } = options
  const ids = new Set<string>()
  const announce: GraphileConfig.Plugin = {
    name: 'HoldfastLiveness',
    version: '1.0.0',
    worker: {
      hooks: {
        // Awaited before the pool's first job starts.
        startWorker: (_context, { worker: { workerPool } }) => {
          ids.add(workerPool.id)
          return liveness.announce(workerPool.id)
        },
      },
    },
  }
  const events: WorkerEvents = new EventEmitter()
  const mayFetch = watchFetches(events)
  const runner = await run({
    pgPool,
    concurrency,
    events,
    noHandleSignals: true,
    parsedCronItems: [],
    logger: graphileLog(log),
    taskList: Object.fromEntries(
      Object.keys(tasks).map((name) => [
        name,
        (payload: unknown, { job, abortSignal: signal }: JobHelpers) =>
          perform(options, name, payload as JsonObject, {
            jobId: job.id,
            attempt: job.attempts,
            maxAttempts: job.max_attempts,
            signal,
          }),
      ]),
    ),
    preset: {
      plugins: [announce],
      worker: {
        pollInterval: POLL_MS,
        gracefulShutdownAbortTimeout: graceMs,
        // One look for all free places: without it each of them looks at every NOTIFY, also for jobs of others.
        localQueue: { size: concurrency, ttl: KEPT_MS, ...(unhurried && { refetchDelay: UNHURRIED }) },
        // Only its batches try again when the database was away as a job ended; without them that is an unhandled
        // rejection, which ends the process.
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  })
  const over = Promise.withResolvers<void>()
  /** What it could not give back is taken over. */
  const end = async () => {
    clearInterval(watch)
    for (const id of ids) await liveness.withdraw(id)
    over.resolve()
  }
  let stopped = Promise.resolve()
  const stop = async () => {
    stopped = runner.stop().catch(() => undefined)
    await over.promise
  }
  // graphile-worker 0.18 may never end: its batches of ended jobs miscount those that failed at the same time.
  events.once('pool:gracefulShutdown', () => {
    const ended = runner.promise.then(() => stopped)
    within(graceMs + GIVEN_UP_MS, ended)
      .catch((error) => log.warn({ err: error }, 'a worker pool does not end well; it is given up'))
      .then(end)
  })
  // A pool whose connection breaks at its very first look keeps the failure for ever (graphile-worker 0.18 caches the
  // rejected promise of its task ids).
  const watch = setInterval(() => {
    if (mayFetch()) return
    log.warn('the worker pool finds no jobs any more; it is replaced')
    clearInterval(watch)
    void stop()
  }, POLL_MS)
  watch.unref()
  return { ended: over.promise, stop }
}

/** Tells whether the pool's looks for jobs succeed; while all its places are taken it does not look. */
function watchFetches(events: WorkerEvents): () => boolean {
  let isLooking = true
  let lastLook = performance.now()
  events.on('localQueue:getJobs:complete', () => {
    lastLook = performance.now()
  })
  events.on('localQueue:setMode', ({ newMode }) => {
    isLooking = newMode === 'POLLING'
    lastLook = performance.now()
  })
  return () => !isLooking || performance.now() - lastLook < BLIND_MS
}

async function perform(
  { tasks, log, rightOfWay }: WorkerOptions,
  task: string,
  payload: JsonObject,
  context: Omit<JobContext, 'log'>,
): Promise<void> {
  const { jobId, attempt, maxAttempts, signal } = context
  const jobLog = log.child({ jobId, task, attempt })
  try {
    await rightOfWay?.turn(signal)
    await tasks[task]!(payload, { ...context, log: jobLog })
  } catch (error) {
    if (attempt < maxAttempts) jobLog.warn({ err: error }, 'a job failed and will be tried again')
    else jobLog.error({ err: error }, 'a job failed for the last time and is kept as a dead letter')
    throw error
  }
}
