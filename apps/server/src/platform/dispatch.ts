import { randomUUID } from 'node:crypto'
import { type AtOnce, makeAtOnce } from './at-once.ts'
import type { OpenDatabase } from './database.ts'
import { makeErrand } from './errand.ts'
import { JOURNAL_CHANNEL, type OwnCommits } from './journal/wake-ups.ts'
import type { Log } from './log.ts'

/** What a commit leaves to be done at once, but not within the transaction. */
export interface Dispatch {
  /** Of jobs that need no handing over. */
  readonly atOnce: AtOnce
  /** Of entries that were committed here; other processes hear of them by NOTIFY. */
  readonly ownCommits: OwnCommits
  /**
   * Returns at once; the jobs reach the worker, and the journal's followers are told to look, within milliseconds.
   * `jobs`: those for which a worker has to look. What is due later goes along, or after a second. `arePatient`: all of
   * these are, and go along when others that are left are looked at again; where it `isCrowded`, with those of others
   * that come within a moment.
   */
  committed(what: { entries: number; jobs: number; arePatient?: boolean; isCrowded?: boolean }): void
  /** Resolves when everything is done that was committed until now; patient jobs may still wait. */
  settled(): Promise<void>
  /** Resolves when the same holds, or once it failed: then another process, or the next start, does it. */
  stop(): Promise<void>
}

/** How often we look for jobs whose process died between its commit and here, and for those that are due later. */
export const POLL_MS = 1_000
const BATCH = 200
/** So many due jobs, the worker's own places not counted, wait where every worker looks; further patient ones do not. */
const ROOM = 20
/** How soon patient jobs that are left, or came in a crowd, are looked at. */
const SOON_MS = 20
/** Handing over costs the same for one job as for twenty; a NOTIFY is cheap, and screens of other processes wait for it. */
const REST = { jobs: 4, entries: 4 }
/** Other processes hear a moment later than ours: who waits here for what was committed reads their answer by then. */
const OTHERS_MS = 5

/**
 * Hands committed jobs over to graphile-worker and NOTIFYs the journal's followers, each for many commits at once. Its
 * own commits do not wait for the disk: when PostgreSQL loses one, the jobs are still in the outbox. Both are kept out
 * of the transactions themselves because PostgreSQL lets only one commit that NOTIFYs wait for the disk at a time,
 * whichever tables it wrote.
 */
export function startDispatch(options: {
  database: OpenDatabase
  log: Log
  /** No other process follows this journal: a NOTIFY wakes every LISTENing connection, each worker's too. */
  isAlone?: boolean
}): Dispatch {
  const { database, log, isAlone = false } = options
  const pool = database.openPlainPool({
    applicationName: 'dispatch',
    maxConnections: 2,
    lastCommitsMayBeLost: true,
  })
  /** Patient jobs that found no room: a round for them comes soon. */
  let areLeft = false
  const jobs = makeErrand({
    log,
    what: 'handing over jobs',
    rest: REST.jobs,
    async perform() {
      const { rows } = await pool.query<{ prompt_ones: number; are_left: boolean }>({
        name: 'hand over jobs',
        text: 'select * from hand_over_jobs($1, $2)',
        values: [BATCH, ROOM],
      })
      const { prompt_ones, are_left } = rows[0]!
      areLeft = are_left
      if (are_left) askSoon()
      return prompt_ones >= BATCH ? 'more' : 'done'
    },
  })
  let soon: NodeJS.Timeout | undefined
  const askSoon = () => {
    soon ??= setTimeout(askNow, SOON_MS).unref()
  }
  const askNow = () => {
    clearTimeout(soon)
    soon = undefined
    jobs.ask()
  }
  const followers = new Set<() => void>()
  const processId = randomUUID()
  const entries = makeErrand({
    log,
    what: 'waking the followers of the journal in other processes',
    rest: REST.entries,
    afterMs: OTHERS_MS,
    async perform() {
      await pool.query({
        name: 'notify',
        text: 'select pg_notify($1, $2)',
        values: [JOURNAL_CHANNEL, processId],
      })
      return 'done'
    },
  })
  let isWaking = false
  const wakeOwnFollowers = () => {
    isWaking = false
    for (const look of followers) look()
  }
  const atOnce = makeAtOnce({ pool, log })
  jobs.ask()
  const poll = setInterval(() => jobs.ask(), POLL_MS)
  poll.unref()

  return {
    atOnce,
    ownCommits: {
      processId,
      subscribe(look) {
        followers.add(look)
        return () => void followers.delete(look)
      },
    },
    committed(what) {
      if (what.jobs > 0) what.arePatient && (areLeft || what.isCrowded) ? askSoon() : jobs.ask()
      if (what.entries === 0) return
      // The answer to who waits is written before.
      if (!isWaking) setImmediate(wakeOwnFollowers)
      isWaking = true
      if (!isAlone) entries.ask()
    },
    async settled() {
      jobs.ask()
      await Promise.all([jobs.settled(), entries.settled(), atOnce.settled()])
    },
    async stop() {
      clearInterval(poll)
      if (soon) askNow()
      for (const stopped of await Promise.allSettled([jobs.stop(), entries.stop(), atOnce.stop()]))
        if (stopped.status === 'rejected')
          log.warn({ err: stopped.reason }, 'what was committed last is dispatched later')
      await pool.end()
    },
  }
}
