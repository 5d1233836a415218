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

/**
 * Hears what happened at the operator's node since the last time, and waits a while for the first of it. The position
 * is kept after the reports are: what a crash makes us hear twice does no harm. Answers how many events there were.
 */
export async function followNode(deps: Deps, { waitMs = WAIT_MS } = {}): Promise<number> {
  const { database, node } = deps
  const cursor = await readCursor(database.db, node.nodeId)
  const events = await node.events.since(cursor, { limit: AT_ONCE, waitMs })
  for (const event of events) await hear(deps, event)
  const last = events.at(-1)
  if (last !== undefined) await keepCursor(database.db, node.nodeId, last.cursor)
  return events.length
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
