import { type Refusal, refuse } from '@holdfast/core'
import { BulkheadRejectedError, bulkhead, TaskCancelledError } from 'cockatiel'

/** Work that strangers ask for costs us something, and they decide how much: only so much is done at once. */
export type Crowd = {
  readonly atOnce: number
  /** How many more may wait for their turn; all others are refused at once. */
  readonly waiting: number
  /** Whose turn has not come by then is refused. */
  readonly patienceMs: number
  /** How much one asker may have done or waiting, so that a few slow ones do not take all places. Absent: no limit. */
  readonly perAsker?: number
}

/** Does the work when its turn comes, or refuses it: OVERLOADED, or RATE_LIMITED when this asker has too much of it. */
export type Turnstile = <T>(work: () => Promise<T>, asker?: string) => Promise<T | Refusal>

/** Together with the work well within the time that a request may take. */
export const CROWD = { atOnce: 8, waiting: 64, patienceMs: 4_000, perAsker: 4 } satisfies Crowd

/** How long the refused should stay away. */
const RETRY_AFTER_SECONDS = 2

export function makeTurnstile({
  atOnce,
  waiting,
  patienceMs,
  perAsker = Number.POSITIVE_INFINITY,
}: Crowd): Turnstile {
  const places = bulkhead(atOnce, waiting)
  const busy = new Map<string, number>()
  const takePlace = (asker: string, by: 1 | -1) => {
    const count = (busy.get(asker) ?? 0) + by
    if (count === 0) busy.delete(asker)
    else busy.set(asker, count)
  }

  const inTurn = async <T>(work: () => Promise<T>): Promise<T | Refusal> => {
    try {
      return await places.execute(work, AbortSignal.timeout(patienceMs))
    } catch (error) {
      if (error instanceof BulkheadRejectedError || error instanceof TaskCancelledError) {
        return refuse('OVERLOADED', { retryAfterSeconds: RETRY_AFTER_SECONDS })
      }
      throw error
    }
  }
  return async (work, asker) => {
    if (asker === undefined) return inTurn(work)
    if ((busy.get(asker) ?? 0) >= perAsker) {
      return refuse('RATE_LIMITED', { retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
    takePlace(asker, 1)
    try {
      return await inTurn(work)
    } finally {
      takePlace(asker, -1)
    }
  }
}
