import type { Transact } from '@holdfast/server/platform/transaction'

/** Time that began to pass `speed` times as fast as the real one at `since` (milliseconds since 1970). */
export type FastTime = { readonly since: number; readonly speed: number }

export function fastNow({ since, speed }: FastTime): number {
  return Math.floor(since + (Date.now() - since) * speed)
}

/** Jobs that are due in fast time run when the real clock has come there. */
export function inFastTime(transact: Transact, { since, speed }: FastTime): Transact {
  return inTimeOf(transact, (due) => since + (due - since) / speed)
}

/** Jobs that are due by another clock run when the real one has come to `realOf` that time. */
export function inTimeOf(transact: Transact, realOf: (due: number) => number): Transact {
  const real = (due: Date) => new Date(realOf(due.getTime()))
  return (work) =>
    transact((tx) =>
      work({
        ...tx,
        enqueue: (job) => tx.enqueue({ ...job, ...(job.runAt && { runAt: real(job.runAt) }) }),
      }),
    )
}
