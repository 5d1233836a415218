import type { Moment } from '@holdfast/core/escrow/milestone-states'
import { within } from '../platform/within.ts'
import { type ChainHeight, NODE_TIMEOUT_MS } from './operator-node.ts'

export type BlockClock = {
  /** With the height that was seen last: for decisions, which count with blocks of margin. Asks only the first time. */
  moment(): Promise<Moment>
  /** With the height of now, or of a second ago: for what must not happen too late. Throws when the node cannot say. */
  fresh(): Promise<Moment>
  /** Somebody is about to need `fresh`: asks already. */
  expectFresh(): void
}

/** Blocks come minutes apart. */
const FRESH_FOR_MS = 1_000

export function makeBlockClock({ clock, height }: { clock: () => number; height: ChainHeight }): BlockClock {
  let seen: number | null = null
  let expected: { readonly height: Promise<number>; readonly askedAt: number } | null = null
  const ask = () => within(NODE_TIMEOUT_MS, height())
  /** What was asked for beforehand, once. */
  const takeExpected = () => {
    const taken = expected
    expected = null
    return taken !== null && Math.abs(clock() - taken.askedAt) < FRESH_FOR_MS ? taken.height : null
  }
  const fresh = async (): Promise<Moment> => {
    seen = await (takeExpected() ?? ask())
    return { now: clock(), height: seen }
  }
  return {
    fresh,
    expectFresh() {
      const height = ask()
      // Whoever needs it is told.
      height.catch(() => undefined)
      expected = { height, askedAt: clock() }
    },
    async moment() {
      return seen === null ? fresh() : { now: clock(), height: seen }
    },
  }
}
