/** Choices that are the same in every run with the same seed. */
export type Random = {
  /** 0 ≤ x < 1. */
  fraction(): number
  /** A whole number, 0 ≤ x < limit. */
  below(limit: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  shuffled<T>(items: readonly T[]): T[]
}

/** Begins anew with each seed that it is given. */
export type ReseededRandom = Random & { reseed(seed: number): void }

export function seededRandom(seed: number): ReseededRandom {
  let next = mulberry32(seed)
  const fraction = () => next()
  const below = (limit: number) => Math.floor(fraction() * limit)
  return {
    reseed(other) {
      next = mulberry32(other)
    },
    fraction,
    below,
    chance: (probability) => fraction() < probability,
    pick(items) {
      if (items.length === 0) throw new RangeError('There is nothing to pick from.')
      return items[below(items.length)]!
    },
    shuffled(items) {
      const mixed = [...items]
      // Fisher and Yates.
      for (let last = mixed.length - 1; last > 0; last--) {
        const other = below(last + 1)
        ;[mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!]
      }
      return mixed
    },
  }
}

/** Small, and the same on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
