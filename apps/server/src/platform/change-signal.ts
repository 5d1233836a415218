import { z } from 'zod'

const MAX_WAIT_SECONDS = 20

/** Wakes those in this process who wait for something to change; what has changed they read from the database. */
export type ChangeSignal = {
  notify(id: string): void
  /** Resolves at the next `notify(id)`, and after `ms` at the latest: other instances do not notify us. */
  next(id: string, ms: number): Promise<void>
}

export function makeChangeSignal(): ChangeSignal {
  const waiting = new Map<string, Set<() => void>>()
  return {
    notify(id) {
      for (const wake of waiting.get(id) ?? []) wake()
    },
    next(id, ms) {
      return new Promise((resolve) => {
        const wakes = waiting.get(id) ?? new Set()
        waiting.set(id, wakes)
        const wake = () => {
          clearTimeout(timer)
          wakes.delete(wake)
          if (wakes.size === 0) waiting.delete(id)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        wakes.add(wake)
      })
    },
  }
}

/** `?wait=` of a route that answers at once, or as soon as there is an end to tell. */
export const waitField = (what: string) =>
  z.coerce
    .number()
    .min(0)
    .max(MAX_WAIT_SECONDS)
    .default(0)
    .describe(`Answer when the ${what} has ended, or after so many seconds.`)

/** Asks `look` until `done` or until `waitMs` have passed; answers what was seen last. */
export async function waitUntil<T>(
  signal: ChangeSignal,
  id: string,
  waitMs: number,
  look: () => Promise<T>,
  done: (seen: T) => boolean,
): Promise<T> {
  const until = performance.now() + waitMs
  for (;;) {
    // Listen before looking: a change between the two is not missed.
    const left = until - performance.now()
    const change = left > 0 ? signal.next(id, Math.min(left, 250)) : null
    const seen = await look()
    if (done(seen) || change === null) return seen
    await change
  }
}
