import { pause } from './pause.ts'

/** Lets requests go before jobs for which nobody waits; both share one event loop and one database. */
export interface RightOfWay {
  /** Serves a request. */
  request<T>(serve: () => Promise<T>): Promise<T>
  /** Whether more requests are being served than one. */
  isCrowded(): boolean
  /** Resolves when a job may start: at once, unless requests are being served. */
  turn(signal: AbortSignal): Promise<void>
}

/** So long after the last one requests count as being served. */
const BUSY_MS = 25
/** What a request may take without jobs being started less often. */
const QUICK_MS = 6
/** Between the starts of two jobs; the most is what sagas can rely on under any load. */
const INTERVAL_MS = { least: 4, most: 250 }
/** They keep each other in balance where one request in a hundred is not quick. */
const SLOWER = 3
const FASTER = 0.99

/**
 * While requests are being served, jobs start one after the other, so far apart as keeps requests quick: at first as far
 * as may be, since nobody knows how many will come; each quick request narrows the interval a little, each slow one
 * widens it.
 */
export function makeRightOfWay(
  time: { now(): number; wait(ms: number, signal: AbortSignal): Promise<void> } = {
    now: () => performance.now(),
    wait: pause,
  },
): RightOfWay {
  const { now, wait } = time
  let underWay = 0
  let lastEnd = Number.NEGATIVE_INFINITY
  let intervalMs = INTERVAL_MS.most
  let nextStart = Number.NEGATIVE_INFINITY
  const isRecent = () => now() - lastEnd < BUSY_MS
  const isBusy = () => underWay > 0 || isRecent()

  function learn(tookMs: number): void {
    const wanted = intervalMs * (tookMs > QUICK_MS ? SLOWER : FASTER)
    intervalMs = Math.min(INTERVAL_MS.most, Math.max(INTERVAL_MS.least, wanted))
  }

  return {
    async request(serve) {
      const began = now()
      if (!isBusy()) intervalMs = INTERVAL_MS.most
      underWay++
      try {
        return await serve()
      } finally {
        underWay--
        lastEnd = now()
        learn(lastEnd - began)
      }
    },
    isCrowded: () => underWay > 1 || isRecent(),
    async turn(signal) {
      if (!isBusy()) return
      const start = Math.max(now(), nextStart)
      nextStart = start + intervalMs
      // In short steps, because the requests may end sooner.
      for (let left = start - now(); left > 0 && isBusy() && !signal.aborted; left = start - now())
        await wait(Math.min(left, BUSY_MS), signal)
    },
  }
}
