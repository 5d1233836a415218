import { refuse } from '@holdfast/core'
import { RefusalError } from '../../platform/http/problem.ts'

export type Seats = {
  /** Throws RATE_LIMITED when the key has too many, OVERLOADED when all together have; answers how to leave. */
  take(key: string): () => void
}

const RETRY_AFTER_SECONDS = 30

/** Bounds how many may do something at once: each key, and all of them. */
export function makeSeats({ perKey, inAll }: { perKey: number; inAll: number }): Seats {
  const byKey = new Map<string, number>()
  let all = 0
  return {
    take(key) {
      const own = byKey.get(key) ?? 0
      if (own >= perKey) throw full('RATE_LIMITED')
      if (all >= inAll) throw full('OVERLOADED')
      byKey.set(key, own + 1)
      all++
      return () => {
        const left = (byKey.get(key) ?? 1) - 1
        if (left === 0) byKey.delete(key)
        else byKey.set(key, left)
        all--
      }
    },
  }
}

/** A seat of each, or of none: the refusal of one gives the others back. */
export function takeEach(takes: readonly (() => () => void)[]): () => void {
  const leaves: (() => void)[] = []
  const leave = () => {
    for (const one of leaves.splice(0)) one()
  }
  try {
    for (const take of takes) leaves.push(take())
  } catch (error) {
    leave()
    throw error
  }
  return leave
}

function full(code: 'RATE_LIMITED' | 'OVERLOADED'): RefusalError {
  return new RefusalError(refuse(code, { retryAfterSeconds: RETRY_AFTER_SECONDS }))
}
