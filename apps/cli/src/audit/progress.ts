import type { Terminal } from '../command.ts'

const EVERY_MS = 2_000

/** Says how far long work has come, where the answer does not go; what is done quickly says nothing. */
export function makeProgress(terminal: Terminal, what: string, total: bigint | null) {
  let done = 0n
  let last = performance.now()
  return {
    add(more: number): void {
      done += BigInt(more)
      const now = performance.now()
      if (now - last < EVERY_MS) return
      last = now
      terminal.err(`${what}: ${done}${total === null ? '' : ` of ${total}`} …`)
    },
  }
}
