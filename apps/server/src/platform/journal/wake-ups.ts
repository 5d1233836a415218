import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { OpenDatabase } from '../database.ts'
import type { Log } from '../log.ts'
import type { Wakes } from '../loop-on-wake.ts'

/** After a lost connection it wakes once for all that was missed. */
export type WakeUps = Wakes & { stop(): Promise<void> }

/** Where LISTENers are told that there is something new; the payload says nothing. */
export const JOURNAL_CHANNEL = 'holdfast_journal'

/** However quiet the notifications are, we look that often: a process may die between its commit and its NOTIFY. */
const POLL_MS = 1_000

/** One LISTEN connection for the process, made again when it breaks, with a poll behind it. */
export async function startWakeUps(options: {
  database: OpenDatabase
  log: Log
  pollMs?: number
}): Promise<WakeUps> {
  const { database, log, pollMs = POLL_MS } = options
  const listeners = new Set<() => void>()
  const wakeAll = () => {
    for (const listener of listeners) listener()
  }
  let stopped = false
  let client = await listen()
  const poll = setInterval(wakeAll, pollMs)
  poll.unref()

  async function listen(): Promise<pg.Client> {
    const connected = await database.connect('journal wake-ups')
    connected.on('error', (error) => log.warn({ err: error }, 'the journal lost its LISTEN connection'))
    connected.on('notification', wakeAll)
    await connected.query(`listen ${JOURNAL_CHANNEL}`)
    connected.on('end', () => void reconnect())
    return connected
  }

  async function reconnect(): Promise<void> {
    while (!stopped) {
      try {
        client = await listen()
        wakeAll()
        return
      } catch (error) {
        log.warn({ err: error }, 'the journal cannot listen; polling until it can')
        await sleep(1_000, undefined, { ref: false })
      }
    }
  }

  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async stop() {
      stopped = true
      clearInterval(poll)
      await client.end()
    },
  }
}
