import type { Server } from 'node:http'
import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

const LOOK_EVERY_MS = 1_000
/** Share of that time in which the event loop worked: by itself a server at rest is at some hundredths. */
const AT_REST_BELOW = 0.1
/** A whole collection takes some 50 ms; for less than this it is not worth it. */
const WORTH_BYTES = 32 * 1024 * 1024

/** What is looked at, of the time since the last look. */
export type Rest = {
  /** 0 to 1. */
  busyShare(): number
  requests(): number
  /** Of the heap, garbage included. */
  usedBytes(): number
}

/**
 * A look: when nobody has asked for anything and the heap has grown by much since it was smallest, all of it is
 * collected. V8 by itself begins only when the heap is full, which is under load, and then requests wait.
 */
export function makeIdleLook({ busyShare, requests, usedBytes }: Rest, collect: () => void): () => void {
  let least = Number.POSITIVE_INFINITY
  return () => {
    const isAtRest = requests() === 0 && busyShare() < AT_REST_BELOW
    const used = usedBytes()
    least = Math.min(least, used)
    if (!isAtRest || used - least < WORTH_BYTES) return
    collect()
    least = usedBytes()
  }
}

/** Looks until `stop`. Without `collect`, which Node has only with `--expose-gc`, it does nothing. */
export function startIdleCollection(
  server: Server,
  collect: (() => void) | undefined = globalThis.gc,
): { stop(): void } {
  if (collect === undefined) return { stop: () => undefined }
  let requests = 0
  const count = () => void requests++
  server.on('request', count)
  let before = performance.eventLoopUtilization()
  const look = makeIdleLook(
    {
      busyShare() {
        const now = performance.eventLoopUtilization()
        const { utilization } = performance.eventLoopUtilization(now, before)
        before = now
        return utilization
      },
      requests() {
        const since = requests
        requests = 0
        return since
      },
      usedBytes: () => getHeapStatistics().used_heap_size,
    },
    collect,
  )
  const timer = setInterval(look, LOOK_EVERY_MS)
  timer.unref()
  return {
    stop() {
      clearInterval(timer)
      server.off('request', count)
    },
  }
}
