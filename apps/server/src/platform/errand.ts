import type { Log } from './log.ts'
import { type Loop, loopOnWake } from './loop-on-wake.ts'

/** Something to be done soon after it was asked for; one round serves everybody who has asked by then. */
export type Errand = {
  /** Returns at once; the round begins a moment later. */
  ask(): void
  /** Resolves when a round that began after all askings until now has succeeded. */
  settled(): Promise<void>
  /** Performs a last round when one was asked for, and throws when it fails. */
  stop(): Promise<void>
}

/** So much rest may be owed before a round waits for it: only a long row of rounds ever does. */
const OWED_MS = 100
const LONGEST_REST_MS = 50

export function makeErrand(options: {
  log: Log
  what: string
  /** `more`: this round could not do all of it. */
  perform: () => Promise<'more' | 'done'>
  /** A round costs a rest of so many times its length: the busier the machine, the more one round serves. */
  rest: number
  /** How long the first who asks can wait. Default: until who waits for what was committed has been answered. */
  afterMs?: number
}): Errand {
  const { log, what, perform, rest, afterMs = 0 } = options
  let asked = 0
  let done = 0
  let restedAt = Number.NEGATIVE_INFINITY
  let waiting: { until: number; resolve: () => void }[] = []
  let wake: () => void = () => undefined
  let isWaking = false
  let waking: NodeJS.Timeout | undefined
  const subscribe = (listener: () => void) => {
    wake = listener
    return () => undefined
  }
  const loop: Loop = loopOnWake({ wakeUps: { subscribe }, log, what, step: round })

  async function round(): Promise<'more' | 'done'> {
    if (done === asked) return 'done'
    const early = restedAt - OWED_MS - performance.now()
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
    const began = performance.now()
    const serves = asked
    const outcome = await perform()
    const ended = performance.now()
    restedAt = Math.max(restedAt, ended) + Math.min(LONGEST_REST_MS, rest * (ended - began))
    if (outcome === 'done') {
      done = serves
      for (const { until, resolve } of waiting) if (until <= done) resolve()
      waiting = waiting.filter(({ until }) => until > done)
    }
    return done === asked ? 'done' : 'more'
  }

  return {
    ask() {
      asked++
      if (isWaking) return
      isWaking = true
      const begin = () => {
        isWaking = false
        wake()
      }
      // The answer is written before: the errand's statements would go out ahead of it.
      if (afterMs === 0) setImmediate(begin)
      else waking = setTimeout(begin, afterMs)
    },
    settled: () =>
      done === asked ? Promise.resolve() : new Promise((resolve) => waiting.push({ until: asked, resolve })),
    async stop() {
      clearTimeout(waking)
      await loop.stop()
      while ((await round()) === 'more');
    },
  }
}
