import type { OpenDatabase } from '../database.ts'
import { keepConnection } from '../lasting-connection.ts'
import type { Log } from '../log.ts'
import type { Wakes } from '../loop-on-wake.ts'

/** After a lost connection it wakes once for all that was missed. */
export type WakeUps = Wakes & { stop(): Promise<void> }

/** Of what this process has committed itself. */
export type OwnCommits = Wakes & {
  /** The payload of the NOTIFYs that say the same to others. */
  readonly processId: string
}

/** Where LISTENers are told that there is something new; the payload says by whom. */
export const JOURNAL_CHANNEL = 'holdfast_journal'

/** However quiet the notifications are, we look that often: a process may die between its commit and its NOTIFY. */
const POLL_MS = 1_000

/** One LISTEN connection for the process, made again when it breaks, with a poll behind it. */
export async function startWakeUps(options: {
  database: OpenDatabase
  log: Log
  /** Without it what is committed here is heard as from others. */
  ownCommits?: OwnCommits
  pollMs?: number
}): Promise<WakeUps> {
  const { database, log, ownCommits, pollMs = POLL_MS } = options
  const listeners = new Set<() => void>()
  const wakeAll = () => {
    for (const listener of listeners) listener()
  }
  const connection = await keepConnection({
    database,
    name: 'journal wake-ups',
    async prepare(client) {
      client.on('notification', ({ payload }) => {
        if (payload !== ownCommits?.processId) wakeAll()
      })
      await client.query(`listen ${JOURNAL_CHANNEL}`)
      wakeAll()
    },
    cannot: 'the journal cannot listen and polls',
    log,
  })
  const unsubscribe = ownCommits?.subscribe(wakeAll)
  const poll = setInterval(wakeAll, pollMs)
  poll.unref()

  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async stop() {
      clearInterval(poll)
      unsubscribe?.()
      await connection.stop()
    },
  }
}
