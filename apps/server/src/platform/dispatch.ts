import type { OpenDatabase } from './database.ts'
import { JOURNAL_CHANNEL } from './journal/wake-ups.ts'
import type { Log } from './log.ts'
import { loopOnWake } from './loop-on-wake.ts'

/** What a commit leaves to be done at once, but not within the transaction. */
export interface Dispatch {
  /** Returns at once; the jobs reach the worker, and the journal's followers are told to look, in a millisecond or two. */
  committed(what: { entries: number; jobs: number }): void
  /** Resolves when everything is done of which `committed` was told until now. */
  settled(): Promise<void>
  /** Resolves when the same holds, or once it failed: then another process, or the next start, does it. */
  stop(): Promise<void>
}

/** How often we look for jobs whose process died between its commit and here. */
const POLL_MS = 1_000
/** While much is committed, one round serves what was committed in so long. */
const ROUND_MS = 4
const BATCH = 200

/**
 * Hands committed jobs over to graphile-worker and NOTIFYs the journal's followers, many at once, on a connection of its
 * own. Its commits do not wait for the disk: when PostgreSQL loses one, the jobs are still in the outbox. Both are
 * kept out of the transactions themselves because PostgreSQL lets only one commit that NOTIFYs wait for the disk at a
 * time, whichever tables it wrote.
 */
export function startDispatch(options: { database: OpenDatabase; log: Log }): Dispatch {
  const { database, log } = options
  const pool = database.openPlainPool({
    applicationName: 'dispatch',
    maxConnections: 1,
    lastCommitsMayBeLost: true,
  })
  const pending = { jobs: true, entries: false }
  const rounds = { asked: 0, done: 0, startedAt: Number.NEGATIVE_INFINITY }
  let waiting: { round: number; resolve: () => void }[] = []
  const listeners = new Set<() => void>()

  const loop = loopOnWake({
    wakeUps: {
      subscribe(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
    log,
    what: 'handing over jobs',
    step,
  })
  const poll = setInterval(() => ask({ jobs: true, entries: false }), POLL_MS)
  poll.unref()

  function ask({ jobs, entries }: typeof pending): void {
    pending.jobs ||= jobs
    pending.entries ||= entries
    for (const listener of listeners) listener()
  }

  async function step(): Promise<'more' | 'done'> {
    if (!pending.jobs && !pending.entries) return 'done'
    const early = rounds.startedAt + ROUND_MS - performance.now()
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
    rounds.startedAt = performance.now()
    const round = rounds.asked
    const { jobs, entries } = pending
    pending.jobs = false
    pending.entries = false
    try {
      const isMore = (await perform(jobs, entries)) === BATCH
      pending.jobs ||= isMore
      if (!isMore) settle(round)
    } catch (error) {
      pending.jobs ||= jobs
      pending.entries ||= entries
      throw error
    }
    return pending.jobs || pending.entries ? 'more' : 'done'
  }

  /** Answers how many jobs were handed over. */
  async function perform(jobs: boolean, entries: boolean): Promise<number> {
    const { rows } = await pool.query<{ handed: number }>({
      name: 'dispatch',
      text: `select case when $1 then hand_over_jobs($2) else 0 end as handed,
        case when $3 then pg_notify($4, '') end`,
      values: [jobs, BATCH, entries, JOURNAL_CHANNEL],
    })
    return rows[0]!.handed
  }

  function settle(round: number): void {
    rounds.done = round
    for (const { resolve } of waiting.filter((one) => one.round <= round)) resolve()
    waiting = waiting.filter((one) => one.round > round)
  }

  return {
    committed({ entries, jobs }) {
      if (entries + jobs === 0) return
      rounds.asked++
      ask({ jobs: jobs > 0, entries: entries > 0 })
    },
    settled() {
      if (rounds.done >= rounds.asked) return Promise.resolve()
      return new Promise((resolve) => waiting.push({ round: rounds.asked, resolve }))
    },
    async stop() {
      clearInterval(poll)
      await loop.stop()
      // The loop may have ended before its last round.
      await step().catch((error) =>
        log.warn(
          { err: error },
          'jobs stay in the outbox; another process or the next start hands them over',
        ),
      )
      await pool.end()
    },
  }
}
