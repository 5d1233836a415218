import type { Log } from './log.ts'
import { within } from './within.ts'

export type Shutdown = {
  /** Adds what must be ended; the last added is ended first, as things stand on what was started before them. */
  add(name: string, stop: () => Promise<unknown>): void
  /** Ends everything, once; later calls wait for the same end. Answers whether all ended well and in time. */
  run(reason: string): Promise<boolean>
  /**
   * SIGINT, SIGTERM and SIGHUP run the shutdown and then exit with 0, or 1 when something did not end well. A second
   * signal exits at once with 130: what was cut short is taken up at the next start. SIGTERM and SIGHUP that come again
   * within a second are the same one: who signals a whole group reaches us, and who passes it on to us.
   */
  onSignals(): void
}

const TOLD_TWICE_WITHIN_MS = 1_000

/**
 * Ends a server in order: stop accepting, finish what runs, then what that stood on. Everything together has
 * `deadlineMs` (default 20 s); what comes after a part that hangs is still ended, with 500 ms each.
 */
export function makeShutdown(options: { log: Log; deadlineMs?: number }): Shutdown {
  const { log, deadlineMs = 20_000 } = options
  const parts: { name: string; stop: () => Promise<unknown> }[] = []
  let running: Promise<boolean> | undefined

  async function endAll(reason: string): Promise<boolean> {
    log.info({ reason }, 'shutting down')
    const deadline = performance.now() + deadlineMs
    let well = true
    for (const { name, stop } of parts.toReversed()) {
      const withinMs = Math.max(500, deadline - performance.now())
      try {
        await within(withinMs, stop())
        log.debug({ part: name }, 'ended')
      } catch (error) {
        well = false
        log.error({ err: error, part: name }, 'did not end well')
      }
    }
    return well
  }

  const shutdown: Shutdown = {
    add: (name, stop) => void parts.push({ name, stop }),
    run: (reason) => {
      running ??= endAll(reason)
      return running
    },
    onSignals() {
      const last = { signal: '', at: 0 }
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(signal, () => {
          const now = performance.now()
          const isToldTwice =
            signal !== 'SIGINT' && signal === last.signal && now - last.at < TOLD_TWICE_WITHIN_MS
          if (isToldTwice) return
          Object.assign(last, { signal, at: now })
          if (running) process.exit(130)
          void shutdown.run(signal).then((well) => process.exit(well ? 0 : 1))
        })
      }
    },
  }
  return shutdown
}
