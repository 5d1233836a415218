import { isRefusal } from '@holdfast/core'
import type { Journal } from '../../platform/journal/journal.ts'
import type { JournalEntry } from '../../platform/journal/read-entries.ts'
import type { Log } from '../../platform/log.ts'

export type EscrowFeed = {
  /** Calls `wake` when the escrow may have changed, also for what happened in other instances. */
  subscribe(id: string, wake: () => void): () => void
  /** The escrows that somebody follows. */
  watched(): string[]
  stop(): void
}

const AGAIN_MS = 1_000
/** So long after the last one has left the journal is still followed: the next one may come soon. */
const LINGER_MS = 60_000

/**
 * One look at the journal's end for all who follow escrows in this process: what has changed they read themselves. While
 * there is nobody, nothing is read.
 */
export function makeEscrowFeed(deps: { journal: Pick<Journal, 'followLive'>; log: Log }): EscrowFeed {
  const { journal, log } = deps
  const waiting = new Map<string, Set<() => void>>()
  let following: AbortController | null = null
  let lingering: NodeJS.Timeout | undefined

  function stop(): void {
    clearTimeout(lingering)
    following?.abort()
    following = null
  }

  async function follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await followUntilLost(signal).catch((error) =>
        log.warn({ err: error }, 'the followers of escrows have lost the journal'),
      )
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref())
    }
  }

  async function followUntilLost(signal: AbortSignal): Promise<void> {
    const { promise: ended, resolve: end, reject: onEnd } = Promise.withResolvers<void>()
    const follower = await journal.followLive({ from: 'now', onEntries: wakeFollowersOf, onEnd })
    if (isRefusal(follower)) throw new Error(`The journal's end was refused: ${follower.refused}`)
    signal.addEventListener('abort', () => end())
    if (signal.aborted) end()
    // Whatever happened before is found by looking.
    for (const wakes of waiting.values()) for (const wake of wakes) wake()
    await ended
    follower.stop()
  }

  function wakeFollowersOf(entries: readonly JournalEntry[]): void {
    for (const { stream, entityId } of entries)
      if (stream === 'escrow') for (const wake of waiting.get(entityId) ?? []) wake()
  }

  return {
    subscribe(id, wake) {
      clearTimeout(lingering)
      if (following === null) {
        following = new AbortController()
        void follow(following.signal)
      }
      const wakes = waiting.get(id) ?? new Set()
      waiting.set(id, wakes.add(wake))
      return () => {
        wakes.delete(wake)
        if (wakes.size > 0 || waiting.get(id) !== wakes) return
        waiting.delete(id)
        if (waiting.size === 0 && following !== null) lingering = setTimeout(stop, LINGER_MS).unref()
      }
    },
    watched: () => [...waiting.keys()],
    stop,
  }
}
