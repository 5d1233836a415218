import type { Clock } from './clock.ts'
import { clientError } from './holdfast-error.ts'

export type WaitOptions<T> = {
  /** Called with the first answer, and again whenever the answer has changed. */
  readonly onProgress?: (progress: T) => void
  /** Default: five minutes. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const DEFAULT_TIMEOUT_MS = 5 * 60_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
const GROWTH = 1.5

/**
 * Asks until `hasEnded`, more slowly as time passes and quickly again after each change. The server is asked to wait
 * for the end as long as we would pause, so that the end is known at once; one that answers sooner is not asked sooner.
 * The longer the first pause, the fewer questions, and the later what is not the end is seen.
 */
export async function waitUntilEnded<T>(
  ask: (waitMs: number) => Promise<T>,
  hasEnded: (value: T) => boolean,
  clock: Clock,
  { onProgress, timeoutMs = DEFAULT_TIMEOUT_MS, signal }: WaitOptions<T>,
  firstPauseMs = FIRST_PAUSE_MS,
): Promise<T> {
  const deadline = clock.now() + timeoutMs
  let seen = ''
  let pause = firstPauseMs
  for (;;) {
    const asked = clock.now()
    const value = await ask(pause)
    const waited = clock.now() - asked
    const fingerprint = JSON.stringify(value, (_, member) =>
      typeof member === 'bigint' ? `${member}` : member,
    )
    const changed = fingerprint !== seen
    seen = fingerprint
    if (changed) onProgress?.(value)
    if (hasEnded(value)) return value
    if (changed) pause = firstPauseMs
    const rest = Math.max(0, pause - waited)
    if (clock.now() + rest > deadline) {
      throw clientError(
        'WAIT_TIMED_OUT',
        `It has not ended within ${Math.round(timeoutMs / 1000)} seconds.`,
        'It goes on by itself: wait again, or look later.',
      )
    }
    if (rest > 0) await clock.sleep(rest, signal)
    pause = Math.min(pause * GROWTH, LONGEST_PAUSE_MS)
  }
}
