import type { Moment } from '@holdfast/core/escrow/milestone-states'
import { within } from '../platform/within.ts'
import { type ChainHeight, NODE_TIMEOUT_MS } from './operator-node.ts'

export type BlockClock = {
  /** With the height that was seen last: for decisions, which count with blocks of margin. Asks only the first time. */
  moment(): Promise<Moment>
  /** With the height of just now: for what must not happen too late. Throws when the node cannot say. */
  fresh(): Promise<Moment>
}

export function makeBlockClock({ clock, height }: { clock: () => number; height: ChainHeight }): BlockClock {
  let seen: number | null = null
  const fresh = async (): Promise<Moment> => {
    seen = await within(NODE_TIMEOUT_MS, height())
    return { now: clock(), height: seen }
  }
  return {
    fresh,
    async moment() {
      return seen === null ? fresh() : { now: clock(), height: seen }
    },
  }
}
