import type { OpenDatabase } from './database.ts'
import { makeErrand } from './errand.ts'
import { JOURNAL_CHANNEL } from './journal/wake-ups.ts'
import type { Log } from './log.ts'

/** What a commit leaves to be done at once, but not within the transaction. */
export interface Dispatch {
  /** Returns at once; the jobs reach the worker, and the journal's followers are told to look, within milliseconds. */
  committed(what: { entries: number; jobs: number }): void
  /** Resolves when everything is done of which `committed` was told until now; patient jobs may still wait. */
  settled(): Promise<void>
  /** Resolves when the same holds, or once it failed: then another process, or the next start, does it. */
  stop(): Promise<void>
}

/** How often we look for jobs whose process died between its commit and here. */
const POLL_MS = 1_000
const BATCH = 200
/** So many due jobs, the worker's own places not counted, wait where every worker looks; further patient ones do not. */
const ROOM = 20
/** How soon patient jobs that are left are looked at again. */
const SOON_MS = 20
/** Handing over costs the same for one job as for twenty; a NOTIFY is cheap, and screens wait for it. */
const REST = { jobs: 4, entries: 4 }

/**
 * Hands committed jobs over to graphile-worker and NOTIFYs the journal's followers, each for many commits at once. Its
 * own commits do not wait for the disk: when PostgreSQL loses one, the jobs are still in the outbox. Both are kept out
 * of the transactions themselves because PostgreSQL lets only one commit that NOTIFYs wait for the disk at a time,
 * whichever tables it wrote.
 */
export function startDispatch({ database, log }: { database: OpenDatabase; log: Log }): Dispatch {
  const pool = database.openPlainPool({
    applicationName: 'dispatch',
    maxConnections: 2,
    lastCommitsMayBeLost: true,
  })
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
      if (are_left) soon.refresh()
      return prompt_ones >= BATCH ? 'more' : 'done'
    },
  })
  const soon = setTimeout(() => jobs.ask(), SOON_MS)
  soon.unref()
  const entries = makeErrand({
    log,
    what: 'waking the followers of the journal',
    rest: REST.entries,
    async perform() {
      await pool.query({ name: 'notify', text: `select pg_notify($1, '')`, values: [JOURNAL_CHANNEL] })
      return 'done'
    },
  })
  jobs.ask()
  const poll = setInterval(() => jobs.ask(), POLL_MS)
  poll.unref()

  return {
    committed(what) {
      if (what.jobs > 0) jobs.ask()
      if (what.entries > 0) entries.ask()
    },
    async settled() {
      await Promise.all([jobs.settled(), entries.settled()])
    },
    async stop() {
      clearInterval(poll)
      clearTimeout(soon)
      for (const stopped of await Promise.allSettled([jobs.stop(), entries.stop()]))
        if (stopped.status === 'rejected')
          log.warn({ err: stopped.reason }, 'what was committed last is dispatched later')
      await pool.end()
    },
  }
}
