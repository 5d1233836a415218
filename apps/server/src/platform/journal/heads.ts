/** The last entry of an entity. */
export type Head = { readonly seq: bigint; readonly hash: string }

/** What this process believes to be the last entries; whoever appends verifies it under the lane's lock. */
export type Heads = {
  /** Null: as far as we know, the entity has no entry yet. */
  get(key: string): Head | null
  put(key: string, head: Head): void
}

const CAPACITY = 5_000

/** Remembers the entities to which was appended last. */
export function makeHeads(capacity = CAPACITY): Heads {
  // A Map keeps the order of insertion.
  const byKey = new Map<string, Head>()
  return {
    get: (key) => byKey.get(key) ?? null,
    put(key, { seq, hash }) {
      byKey.delete(key)
      byKey.set(key, { seq, hash })
      const [oldest] = byKey.keys()
      if (byKey.size > capacity && oldest !== undefined) byKey.delete(oldest)
    },
  }
}
