import { type Refusal, refuse } from '@holdfast/core'
import { BulkheadRejectedError, bulkhead, TaskCancelledError } from 'cockatiel'

/** Work that strangers ask for costs us something, and they decide how much: only so much is done at once. */
export type Crowd = {
  readonly atOnce: number
  /** How many more may wait for their turn; all others are refused at once. */
  readonly waiting: number
  /** Whose turn has not come by then is refused. */
  readonly patienceMs: number
}

/** Does the work when its turn comes, or refuses it with OVERLOADED. */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T | Refusal>

/** Together with the work well within the time that a request may take. */
export const CROWD: Crowd = { atOnce: 8, waiting: 64, patienceMs: 4_000 }

/** How long the refused should stay away. */
const RETRY_AFTER_SECONDS = 2

export function makeTurnstile({ atOnce, waiting, patienceMs }: Crowd): Turnstile {
  const places = bulkhead(atOnce, waiting)
  return async (work) => {
    try {
      return await places.execute(work, AbortSignal.timeout(patienceMs))
    } catch (error) {
      if (error instanceof BulkheadRejectedError || error instanceof TaskCancelledError) {
        return refuse('OVERLOADED', { retryAfterSeconds: RETRY_AFTER_SECONDS })
      }
      throw error
    }
  }
}
