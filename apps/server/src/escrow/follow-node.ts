import type { EscrowReport, EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { NodeEvent } from '@holdfast/lightning'
import type { OpenDatabase } from '../platform/database.ts'
import type { TellEscrow } from './escrow-saga.ts'
import { findByHashes, keepCursor, readCursor } from './escrow-store.ts'
import { sayHold } from './hold-effects.ts'
import type { OperatorNode } from './operator-node.ts'
import { currentPayment, say } from './payment-effects.ts'

const AT_ONCE = 100
const WAIT_MS = 5_000
const ACKNOWLEDGE_EVERY_MS = 60 * 60_000

type Deps = {
  database: Pick<OpenDatabase, 'db'>
  node: Pick<OperatorNode, 'nodeId' | 'events'>
  tell: TellEscrow
  /** Asks the node about everything that has not ended. */
  reconcile: () => Promise<number>
  clock: () => number
}

type About = { readonly milestone: number; readonly paymentHash: string }

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
  let acknowledgedAt = 0
  return async ({ waitMs = WAIT_MS } = {}) => {
    const cursor = await readCursor(database.db, node.nodeId)
    if (deps.clock() - acknowledgedAt > ACKNOWLEDGE_EVERY_MS) {
      await node.events.acknowledge(cursor)
      acknowledgedAt = deps.clock()
    }
    const events = await node.events.since(cursor, { limit: AT_ONCE, waitMs })
    const isHopeless = ({ cursor }: NodeEvent) => failing.cursor === cursor && failing.times >= MOST_TRIES
    const outcomes = await Promise.allSettled(await hearEach(deps, events, isHopeless))
    const failed = outcomes.findIndex(({ status }) => status === 'rejected')
    const last = (failed < 0 ? events : events.slice(0, failed)).at(-1)
    if (last !== undefined) await keepCursor(database.db, node.nodeId, last.cursor)
    const outcome = outcomes[failed]
    if (outcome?.status === 'rejected') {
      const { cursor } = events[failed] as NodeEvent
      failing.times = failing.cursor === cursor ? failing.times + 1 : 1
      failing.cursor = cursor
      throw outcome.reason
    }
    return events.length
  }
}

type Turn = { readonly id: string; readonly about: { readonly event: NodeEvent; readonly which: About }[] }

/** Those of one escrow in their order; no escrow waits for another. */
async function hearEach(
  deps: Deps,
  events: readonly NodeEvent[],
  isHopeless: (event: NodeEvent) => boolean,
): Promise<Promise<void>[]> {
  const hashes = events.map(hashOf).filter((hash) => hash !== null)
  const ours = await findByHashes(deps.database.db, hashes)
  /** As each was seen last. */
  const seen = new Map([...ours.values()].map(({ escrow }) => [escrow.id, escrow]))
  const turns = new Map<NodeEvent, Turn>()
  const last = new Map<string, Turn>()
  for (const event of events) {
    const paymentHash = hashOf(event)
    const about = paymentHash === null ? undefined : ours.get(paymentHash)
    if (paymentHash === null || about === undefined || isHopeless(event)) continue
    const { milestone } = about
    const { id } = about.escrow
    const before = endsHold(event) ? last.get(id) : undefined
    const turn = before ?? { id, about: [] }
    turn.about.push({ event, which: { milestone, paymentHash } })
    last.set(id, turn)
    turns.set(event, turn)
  }
  const heard = new Map<string, Promise<void>>()
  const hearings = new Map<Turn, Promise<void>>()
  for (const turn of new Set(turns.values())) {
    const hearing = (heard.get(turn.id) ?? Promise.resolve()).then(() => hear(deps, turn, seen))
    heard.set(turn.id, hearing)
    hearings.set(turn, hearing)
  }
  return events.map(async (event) => {
    if (event.kind === 'events-forgotten') await deps.reconcile()
    const turn = turns.get(event)
    if (turn !== undefined) await hearings.get(turn)
  })
}

/** It comes with the end of the payout, and needs no transaction of its own. */
function endsHold({ kind }: NodeEvent): boolean {
  return kind === 'hold-settled' || kind === 'hold-cancelled'
}

function hashOf(event: NodeEvent): string | null {
  return 'paymentHash' in event ? event.paymentHash : null
}

async function hear({ tell }: Deps, { id, about }: Turn, seen: Map<string, EscrowState>): Promise<void> {
  const escrow = seen.get(id)
  if (escrow === undefined) return
  const reports = about
    .map(({ event, which }) => reportOf(escrow, event, which))
    .filter((report) => report !== null)
  const told = reports.length > 0 ? await tell(id, reports, escrow) : null
  if (told !== null) seen.set(id, told)
}

function reportOf(
  { milestones }: EscrowState,
  event: NodeEvent,
  { milestone, paymentHash }: About,
): EscrowReport | null {
  switch (event.kind) {
    case 'hold-accepted': {
      const { amountMsat, claimDeadlineHeight } = event
      return sayHold(milestone, paymentHash, { state: 'held', amountMsat, claimDeadlineHeight })
    }
    case 'hold-settled':
      return sayHold(milestone, paymentHash, { state: 'settled', amountMsat: event.amountMsat })
    case 'hold-cancelled':
      return sayHold(milestone, paymentHash, { state: 'cancelled' })
    case 'hold-lost':
      return sayHold(milestone, paymentHash, { state: 'lost', amountMsat: event.amountMsat })
    case 'payment-succeeded':
    case 'payment-failed': {
      const state = milestones[milestone]
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
    case 'events-forgotten':
      return null
  }
}
