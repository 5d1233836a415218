import type { Log } from '../platform/log.ts'
import { loopOnWake } from '../platform/loop-on-wake.ts'
import { repeat } from '../platform/repeat.ts'
import type { EscrowSlice } from './escrow-slice.ts'

/** How often the chain is asked for new blocks. */
const GUARD_EVERY_MS = 5_000
/** How long one look at the node's events waits for the first: also how long stopping may take. */
const FOLLOW_WAIT_MS = 1_000

/** Follows the operator's node and the chain until stopped; both go on after any fault. */
export function watchEscrows(
  { follow, guard, followClaims }: Pick<EscrowSlice, 'follow' | 'guard' | 'followClaims'>,
  log: Log,
): { stop(): Promise<void> } {
  const following = loopOnWake({
    // The node itself wakes us: it answers as soon as something happens.
    wakeUps: { subscribe: () => () => undefined },
    log,
    what: 'following the operator’s node',
    step: async () => {
      await follow({ waitMs: FOLLOW_WAIT_MS })
      return 'more'
    },
  })
  const guarding = repeat(GUARD_EVERY_MS, log, { guardian: guard, claims: followClaims })
  return {
    async stop() {
      await Promise.all([following.stop(), guarding.stop()])
    },
  }
}
