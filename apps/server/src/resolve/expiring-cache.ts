export type ExpiringCache<T> = {
  get(key: string, now: number): T | null
  /** `expiresAt`: milliseconds since 1970; from then on it is not known any more. */
  put(key: string, value: T, expiresAt: number): void
  forget(key: string): void
}

/** Keeps each value until it expires, and when there are too many those that were asked last. */
export function makeExpiringCache<T>(capacity: number): ExpiringCache<T> {
  // A Map keeps the order of insertion: the first key is the one that was not asked for the longest time.
  const known = new Map<string, { value: T; expiresAt: number }>()
  return {
    get(key, now) {
      const entry = known.get(key)
      if (entry === undefined) return null
      known.delete(key)
      if (entry.expiresAt <= now) return null
      known.set(key, entry)
      return entry.value
    },
    put(key, value, expiresAt) {
      known.delete(key)
      known.set(key, { value, expiresAt })
      const [oldest] = known.keys()
      if (known.size > capacity && oldest !== undefined) known.delete(oldest)
    },
    forget(key) {
      known.delete(key)
    },
  }
}
