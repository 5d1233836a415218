import type { ResolvedName } from './resolver.ts'

export type ResolutionCache = {
  get(name: string, now: number): ResolvedName | null
  put(resolved: ResolvedName): void
}

/** Keeps validated names no longer than their smallest signed TTL, and of those the ones that were asked last. */
export function makeResolutionCache(capacity: number): ResolutionCache {
  // A Map keeps the order of insertion: the first key is the one that was not asked for the longest time.
  const byName = new Map<string, ResolvedName>()
  return {
    get(name, now) {
      const known = byName.get(name)
      if (known === undefined) return null
      byName.delete(name)
      if (known.expiresAt <= now) return null
      byName.set(name, known)
      return known
    },
    put(resolved) {
      byName.delete(resolved.name)
      byName.set(resolved.name, resolved)
      const [oldest] = byName.keys()
      if (byName.size > capacity && oldest !== undefined) byName.delete(oldest)
    },
  }
}
