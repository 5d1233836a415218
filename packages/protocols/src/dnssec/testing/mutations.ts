/** A small generator with a seed (mulberry32), so that a failure can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One bit, some bytes, the end, or a stretch of the bytes changed. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = (length: number) => Math.floor(random() * length)
  const copy = Uint8Array.from(bytes)
  switch (at(4)) {
    case 0:
      copy[at(copy.length)]! ^= 1 << at(8)
      return copy
    case 1:
      for (let i = 0; i < 1 + at(4); i++) copy[at(copy.length)] = at(256)
      return copy
    case 2:
      return copy.slice(0, at(copy.length))
    default: {
      const [from, to, length] = [at(copy.length), at(copy.length), at(40)]
      copy.set(bytes.slice(from, from + Math.min(length, copy.length - to)), to)
      return copy
    }
  }
}

/** `HOLDFAST_MUTATIONS=50000 npm test -- mutated-` is the long run: of answers it makes 50,000 for each kind of denial. */
export function mutationRuns(usual: number): number {
  const { process } = globalThis as { process?: { env: Record<string, string | undefined> } }
  return Number(process?.env.HOLDFAST_MUTATIONS ?? usual)
}
