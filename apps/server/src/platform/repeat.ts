import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from './log.ts'

/** Runs every work at once and then every `everyMs`, one after the other; a fault is logged and tried again then. */
export function repeat(everyMs: number, log: Log, works: Record<string, () => Promise<unknown>>) {
  const stopped = new AbortController()
  const running = (async () => {
    while (!stopped.signal.aborted) {
      for (const [name, work] of Object.entries(works)) {
        try {
          await work()
        } catch (error) {
          log.error({ err: error, work: name }, 'a sweep failed and will be tried again')
        }
      }
      await sleep(everyMs, null, { signal: stopped.signal }).catch(() => undefined)
    }
  })()
  return {
    /** Resolves when the work under way has ended. */
    async stop() {
      stopped.abort()
      await running
    },
  }
}
