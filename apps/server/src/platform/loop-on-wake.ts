import type { Log } from './log.ts'
import { pause } from './pause.ts'

export type Loop = { stop(): Promise<void> }

/** Says "look now". It may say so for nothing. */
export type Wakes = {
  /** Calls `listener` whenever there may be something new; returns the function that ends it. */
  subscribe(listener: () => void): () => void
}

/** Pauses after failures, in milliseconds; the last one stays. */
const BACKOFF_MS = [50, 200, 1_000, 5_000]

/**
 * Calls `step` at the start and after each wake-up, again at once as long as it answers `more`, and never twice at the
 * same time. A failure is logged with `what` has failed and tried again, ever more slowly.
 */
export function loopOnWake(options: {
  wakeUps: Wakes
  log: Log
  what: string
  step: () => Promise<'more' | 'done'>
}): Loop {
  const { wakeUps, log, what, step } = options
  const stopping = new AbortController()
  let look = Promise.withResolvers<void>()
  const unsubscribe = wakeUps.subscribe(() => look.resolve())

  const running = (async () => {
    let failures = 0
    while (!stopping.signal.aborted) {
      // Renewed before looking: what is committed while we look wakes us again.
      look = Promise.withResolvers()
      try {
        const outcome = await step()
        failures = 0
        if (outcome === 'done') await look.promise
      } catch (error) {
        log.warn({ err: error }, `${what} failed; trying again`)
        await pause(BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)]!, stopping.signal)
      }
    }
  })()

  return {
    async stop() {
      unsubscribe()
      stopping.abort()
      look.resolve()
      await running
    },
  }
}
