import { EventEmitter } from 'node:events'
import type { JsonObject } from '@holdfast/core'
import { type JobHelpers, type Runner, run, type WorkerEvents } from 'graphile-worker'
import type pg from 'pg'
import type { OpenDatabase } from './database.ts'
import { graphileLog } from './graphile-log.ts'
import type { Log } from './log.ts'
import { pause } from './pause.ts'
import type { RightOfWay } from './right-of-way.ts'
import { keepWorkerAlive, type WorkerLiveness } from './worker-liveness.ts'

export type JobContext = {
  jobId: string
  /** 1 for the first. An attempt that a crash of the worker cut short does not count. */
  attempt: number
  maxAttempts: number
  /** Aborted when the worker must stop before the job has ended. */
  signal: AbortSignal
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
  rightOfWay?: RightOfWay
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
  let runner = await startRunner(options, pool, liveness)

  const supervised = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await runner.promise
        if (!stopping.signal.aborted) runner = await startRunner(options, pool, liveness)
      } catch (error) {
        log.error({ err: error }, 'the worker pool has ended or could not start; trying again')
        await pause(1_000, stopping.signal)
      }
    }
    // One that was starting while we were told to stop.
    await stopRunner(runner)
  })()

  return {
    async stop() {
      stopping.abort()
      await stopRunner(runner)
      await supervised
      await liveness.stop()
      await pool.end()
    },
  }
}

/** Errors in a row after which a pool is replaced. */
const GET_JOB_ERRORS = 4

async function startRunner(
  options: WorkerOptions,
  pgPool: pg.Pool,
  liveness: WorkerLiveness,
): Promise<Runner> {
  const { tasks, concurrency, log, graceMs = 10_000 } = options
  const announce: GraphileConfig.Plugin = {
    name: 'HoldfastLiveness',
    version: '1.0.0',
    worker: {
      hooks: {
        // Awaited before the pool takes its first job, so that a locked job always belongs to an announced pool.
        startWorker: (_context, { worker }) => liveness.announce(worker.workerPool.id),
      },
    },
  }
  const events: WorkerEvents = new EventEmitter()
  const runner = await run({
    pgPool,
    concurrency,
    events,
    noHandleSignals: true,
    parsedCronItems: [],
    logger: graphileLog(log),
    taskList: Object.fromEntries(
      Object.entries(tasks).map(([name, task]) => [
        name,
        (payload: unknown, helpers: JobHelpers) => perform(task, payload as JsonObject, helpers, options),
      ]),
    ),
    preset: {
      plugins: [announce],
      worker: {
        pollInterval: 1_000,
        gracefulShutdownAbortTimeout: graceMs,
        // Only its batches try again when the database was away as a job ended; without them that is an unhandled
        // rejection, which ends the process.
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  })
  // A pool whose connection breaks at its very first look keeps the failure for ever (graphile-worker 0.18 caches the
  // rejected promise of its task ids).
  let errors = 0
  const works = () => {
    errors = 0
  }
  events.on('worker:getJob:empty', works)
  events.on('job:start', works)
  events.on('worker:getJob:error', () => {
    if (++errors === GET_JOB_ERRORS) void stopRunner(runner)
  })
  return runner
}

/** Ends a runner; one that has ended, or is ending because of an error, is left alone. */
async function stopRunner(runner: Runner): Promise<void> {
  await runner.stop().catch(() => runner.promise.catch(() => undefined))
}

async function perform(
  task: Task,
  payload: JsonObject,
  { job, abortSignal }: JobHelpers,
  { log, rightOfWay }: WorkerOptions,
) {
  const attempt = job.attempts
  const maxAttempts = job.max_attempts
  const jobLog = log.child({ jobId: job.id, task: job.task_identifier, attempt })
  try {
    await rightOfWay?.turn(abortSignal)
    await task(payload, { jobId: job.id, attempt, maxAttempts, signal: abortSignal, log: jobLog })
  } catch (error) {
    if (attempt < maxAttempts) jobLog.warn({ err: error }, 'a job failed and will be tried again')
    else jobLog.error({ err: error }, 'a job failed for the last time and is kept as a dead letter')
    throw error
  }
}
