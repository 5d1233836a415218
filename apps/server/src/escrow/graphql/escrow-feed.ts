import { isRefusal } from '@holdfast/core'
import type { Journal } from '../../platform/journal/journal.ts'
import type { Log } from '../../platform/log.ts'

export type EscrowFeed = {
  /** Calls `wake` when the escrow may have changed, also for what happened in other instances. */
  subscribe(id: string, wake: () => void): () => void
  /** The escrows that somebody follows. */
  watched(): string[]
  stop(): void
}

const AGAIN_MS = 1_000

/** One look at the journal's end for all who follow escrows in this process: what has changed they read themselves. */
export async function startEscrowFeed(deps: {
  journal: Pick<Journal, 'followLive'>
  log: Log
}): Promise<EscrowFeed> {
  const { journal, log } = deps
  const waiting = new Map<string, Set<() => void>>()
  let follower = await follow()
  let isStopped = false
  let retry: NodeJS.Timeout | undefined

  async function follow() {
    const started = await journal.followLive({
      from: 'now',
      onEntries(entries) {
        for (const { stream, entityId } of entries) {
          if (stream === 'escrow') for (const wake of waiting.get(entityId) ?? []) wake()
        }
      },
      onEnd(error) {
        log.warn({ err: error }, 'the followers of escrows lost the journal')
        again()
      },
    })
    if (isRefusal(started)) throw new Error(`The journal's end was refused: ${started.refused}`)
    return started
  }

  function again(): void {
    retry = setTimeout(async () => {
      try {
        follower = await follow()
        if (isStopped) return follower.stop()
        // Whatever happened in between is found by looking.
        for (const wakes of waiting.values()) for (const wake of wakes) wake()
      } catch (error) {
        log.warn({ err: error }, 'the followers of escrows have no journal yet')
        if (!isStopped) again()
      }
    }, AGAIN_MS)
  }

  return {
    subscribe(id, wake) {
      const wakes = waiting.get(id) ?? new Set()
      waiting.set(id, wakes.add(wake))
      return () => {
        wakes.delete(wake)
        if (wakes.size === 0 && waiting.get(id) === wakes) waiting.delete(id)
      }
    },
    watched: () => [...waiting.keys()],
    stop() {
      isStopped = true
      clearTimeout(retry)
      follower.stop()
    },
  }
}
