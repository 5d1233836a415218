import type { EscrowReport } from '@holdfast/core/escrow/escrow-states'
import type { NodeEvent } from '@holdfast/lightning'
import type { OpenDatabase } from '../platform/database.ts'
import type { TellEscrow } from './escrow-saga.ts'
import { findByHash, findEscrow, keepCursor, readCursor } from './escrow-store.ts'
import { sayHold } from './hold-effects.ts'
import type { OperatorNode } from './operator-node.ts'
import { currentPayment, say } from './payment-effects.ts'

const AT_ONCE = 100
const WAIT_MS = 5_000

type Deps = {
  database: Pick<OpenDatabase, 'db'>
  node: Pick<OperatorNode, 'nodeId' | 'events'>
  tell: TellEscrow
}

/** An event that cannot be heard so often is passed over; the sweeper finds what it said. */
const MOST_TRIES = 3

/** Answers how many events there were; waits for the first of them. */
export type FollowNode = (options?: { waitMs?: number }) => Promise<number>

/**
 * Hears what happened at the operator's node since the last time. The position is kept after the reports are: what a
 * crash makes us hear twice does no harm. A fault is thrown; called again, it begins with the event that had it.
 */
export function makeFollowNode(deps: Deps): FollowNode {
  const { database, node } = deps
  const failing = { cursor: 0, times: 0 }
  return async ({ waitMs = WAIT_MS } = {}) => {
    const cursor = await readCursor(database.db, node.nodeId)
    const events = await node.events.since(cursor, { limit: AT_ONCE, waitMs })
    let heard = cursor
    try {
      for (const event of events) {
        const isHopeless = failing.cursor === event.cursor && failing.times >= MOST_TRIES
        if (!isHopeless) await hear(deps, event)
        heard = event.cursor
      }
    } catch (error) {
      const next = events.find((event) => event.cursor > heard)?.cursor ?? heard
      failing.times = failing.cursor === next ? failing.times + 1 : 1
      failing.cursor = next
      throw error
    } finally {
      if (heard > cursor) await keepCursor(database.db, node.nodeId, heard)
    }
    return events.length
  }
}

async function hear({ database, tell }: Deps, event: NodeEvent): Promise<void> {
  const paymentHash = 'paymentHash' in event ? event.paymentHash : null
  const ours = paymentHash === null ? null : await findByHash(database.db, paymentHash)
  if (paymentHash === null || ours === null) return
  const report = await reportOf(database, event, { ...ours, paymentHash })
  if (report !== null) await tell(ours.id, report)
}

async function reportOf(
  { db }: Pick<OpenDatabase, 'db'>,
  event: NodeEvent,
  { id, milestone, paymentHash }: { id: string; milestone: number; paymentHash: string },
): Promise<EscrowReport | null> {
  switch (event.kind) {
    case 'hold-accepted': {
      const { amountMsat, claimDeadlineHeight } = event
      return sayHold(milestone, paymentHash, { state: 'held', amountMsat, claimDeadlineHeight })
    }
    case 'hold-settled':
      return sayHold(milestone, paymentHash, { state: 'settled', amountMsat: event.amountMsat })
    case 'hold-cancelled':
      return sayHold(milestone, paymentHash, { state: 'cancelled' })
    case 'payment-succeeded':
    case 'payment-failed': {
      const state = (await findEscrow(db, id))?.milestones[milestone]
      const now = state ? currentPayment(state) : null
      if (!state || now === null || now.payment.nodePaymentId !== event.paymentId) return null
      const { attempt } = now.payment
      if (event.kind === 'payment-failed') {
        const outcome = { state: 'failed', paymentHash, reason: event.reason } as const
        return say(state, now, { kind: 'outcome', attempt, outcome })
      }
      const { amountMsat, feeMsat } = event
      const outcome = { state: 'succeeded', paymentHash, amountMsat, feeMsat } as const
      return say(state, now, { kind: 'outcome', attempt, outcome })
    }
    case 'payment-received':
    case 'channel-ready':
    case 'channel-closed':
      return null
  }
}
