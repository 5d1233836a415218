import { makeBlockClock } from '@holdfast/server/escrow/block-clock'
import { guardEscrows } from '@holdfast/server/escrow/guard-escrows'
import type { BenchWorld } from '../bench-world.ts'

/** Times one round of the guardian as the server makes it every few seconds: how high the chain is, and what is due. */
export function makeTimeGuard({ database, operator }: BenchWorld): () => Promise<number> {
  const blocks = makeBlockClock({ clock: Date.now, height: operator.height })
  const tell = async () => {
    throw new Error('Nothing that the bench holds is due.')
  }
  return async () => {
    const began = performance.now()
    await guardEscrows({ database, blocks, tell })
    return performance.now() - began
  }
}
