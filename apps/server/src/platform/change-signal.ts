import { z } from 'zod'

const MAX_WAIT_SECONDS = 20
/** Between two looks at what another instance may have changed; it doubles from the one to the other. */
const SHORTEST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 1_000

/**
 * Wakes those in this process who wait for something to change. What has changed they are told by who has committed it,
 * or they read it from the database.
 */
export type ChangeSignal<State = never> = {
  /** `committed`: what the database holds since a moment ago. */
  notify(id: string, committed?: State): void
  /**
   * Resolves at the next `notify(id)` with what that told, and with null after `ms`: other instances do not notify us.
   */
  next(id: string, ms: number): Promise<State | null>
}

/** `closing`: whoever waits when the server stops is woken with null. */
export function makeChangeSignal<State = never>(closing?: AbortSignal): ChangeSignal<State> {
  const waiting = new Map<string, Set<(told: State | null) => void>>()
  closing?.addEventListener('abort', () => {
    for (const wakes of [...waiting.values()]) for (const wake of wakes) wake(null)
  })
  return {
    notify(id, committed) {
      for (const wake of waiting.get(id) ?? []) wake(committed ?? null)
    },
    next(id, ms) {
      return new Promise((resolve) => {
        const wakes = waiting.get(id) ?? new Set()
        waiting.set(id, wakes)
        const wake = (told: State | null) => {
          clearTimeout(timer)
          wakes.delete(wake)
          if (wakes.size === 0) waiting.delete(id)
          resolve(told)
        }
        const timer = setTimeout(wake, ms, null)
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

/**
 * Asks `look` until `done` or until `waitMs` have passed; answers what was seen last. `look` need not read what it is told
 * to have been committed, for a start as `committed` by who waits.
 */
export async function waitUntil<T, State = never>(
  signal: ChangeSignal<State>,
  id: string,
  waitMs: number,
  look: (told?: State) => Promise<T>,
  done: (seen: T) => boolean,
  committed?: State,
): Promise<T> {
  const until = performance.now() + waitMs
  let pause = SHORTEST_PAUSE_MS
  for (let known = committed; ; known = undefined) {
    // Listen before looking: a change between the two is not missed.
    const left = until - performance.now()
    const change = left > 0 ? signal.next(id, Math.min(left, pause)) : null
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
    const seen = await look(known)
    if (done(seen) || change === null) return seen
    const told = await change
    if (told === null) continue
    // Anything but the end may have changed again by now.
    const last = await look(told)
    if (done(last)) return last
  }
}
