import type { Clock } from '../clock.ts'
import { HoldfastError } from '../holdfast-error.ts'

export type WatchOptions = {
  /** `resume` of the last update that you have seen: whatever happened since comes first. */
  readonly after?: string
  /** Ends the watch; what waits for the next update then gets the signal's reason. */
  readonly signal?: AbortSignal
  /** Told each time the connection is lost, before it is made again. */
  readonly onTrouble?: (error: HoldfastError) => void
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 15_000

/**
 * Goes on where it stopped whenever the connection is lost: at least once, in order. Ends with `isLast`, and throws
 * what another connection cannot mend.
 */
export async function* followUpdates<Update extends { readonly resume: string }>(
  subscribe: (after: string | null, signal: AbortSignal) => AsyncIterable<Update>,
  isLast: (update: Update) => boolean,
  clock: Clock,
  { after = null, signal, onTrouble }: Omit<WatchOptions, 'after'> & { readonly after?: string | null },
): AsyncGenerator<Update, void> {
  const watch = new AbortController()
  const stop = () => watch.abort(signal?.reason)
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  let resume = after
  let failures = 0
  try {
    for (;;) {
      let error: HoldfastError | null = null
      try {
        for await (const update of subscribe(resume, watch.signal)) {
          // Each connection begins with how things are: that alone is no sign that it lasts.
          if (update.resume !== resume) failures = 0
          resume = update.resume
          yield update
          if (isLast(update)) return
        }
      } catch (thrown) {
        watch.signal.throwIfAborted()
        if (!(thrown instanceof HoldfastError) || !isPassing(thrown)) throw thrown
        error = thrown
        // The server has lost what we know: it begins with how things are now.
        if (thrown.code === 'RESUME_TOKEN_INVALID') resume = null
        onTrouble?.(thrown)
      }
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures++, LONGEST_PAUSE_MS)
      await clock.sleep(Math.max(retryAfterMs(error), pause * (0.5 + clock.random() / 2)), watch.signal)
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    // Whoever leaves the loop leaves the connection.
    watch.abort()
  }
}

const PASSING = new Set(['NETWORK_FAILED', 'SESSION_INVALID', 'RESUME_TOKEN_INVALID'])

/** What the next connection may not meet. */
export function isPassing({ code, status }: HoldfastError): boolean {
  return PASSING.has(code) || status === 408 || status === 429 || status >= 500
}

/** What the server asks for, at most a minute. */
export function retryAfterMs(error: HoldfastError | null): number {
  const seconds = Number(error?.data.retryAfterSeconds ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) * 1_000 : 0
}
