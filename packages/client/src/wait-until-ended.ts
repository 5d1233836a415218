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

/** Asks until `hasEnded`, more slowly as time passes and quickly again after each change. */
export async function waitUntilEnded<T>(
  ask: () => Promise<T>,
  hasEnded: (value: T) => boolean,
  clock: Clock,
  { onProgress, timeoutMs = DEFAULT_TIMEOUT_MS, signal }: WaitOptions<T>,
): Promise<T> {
  const deadline = clock.now() + timeoutMs
  let seen = ''
  let pause = FIRST_PAUSE_MS
  for (;;) {
    const value = await ask()
    const fingerprint = JSON.stringify(value, (_, member) =>
      typeof member === 'bigint' ? `${member}` : member,
    )
    if (fingerprint !== seen) {
      seen = fingerprint
      pause = FIRST_PAUSE_MS
      onProgress?.(value)
    }
    if (hasEnded(value)) return value
    if (clock.now() + pause > deadline) {
      throw clientError(
        'WAIT_TIMED_OUT',
        `It has not ended within ${Math.round(timeoutMs / 1000)} seconds.`,
        'It goes on by itself: wait again, or look later.',
      )
    }
    await clock.sleep(pause, signal)
    pause = Math.min(pause * GROWTH, LONGEST_PAUSE_MS)
  }
}
