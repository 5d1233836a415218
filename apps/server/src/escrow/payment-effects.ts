import type { EscrowReport } from '@holdfast/core/escrow/escrow-states'
import type { MilestoneState, Moment } from '@holdfast/core/escrow/milestone-states'
import { payoutOrder } from '@holdfast/core/escrow/payout'
import { repaymentOrder } from '@holdfast/core/escrow/repayment'
import type { Payee } from '@holdfast/core/escrow/worker-invoice'
import type { NodeOutcome, PaymentReport, PaymentState } from '@holdfast/core/payments/payment-states'
import { NodeError, type PayRequest } from '@holdfast/lightning'
import { keptOutcome } from '../payments/kept-outcome.ts'
import { within } from '../platform/within.ts'
import type { BlockClock } from './block-clock.ts'
import { isUnreachable, lookUpHold } from './hold-effects.ts'
import { NODE_TIMEOUT_MS, type OperatorNode } from './operator-node.ts'

export type PayDeps = {
  node: OperatorNode
  blocks: BlockClock
  /** How long one job follows a pending payment, before a later job does. */
  followMs: number
}

/** The payment that a milestone makes just now, to its worker or back to its buyer. */
export type Current = {
  readonly kind: 'payout' | 'repayment'
  readonly payment: Extract<PaymentState, { phase: 'sending' | 'unknown' }>
  /** BOLT 11. */
  readonly invoice: string
  readonly paymentHash: string
  readonly try: number
}

export function currentPayment(milestone: MilestoneState): Current | null {
  if (milestone.phase === 'releasing' || milestone.phase === 'payout-unknown') {
    return milestone.payout && current('payout', milestone.payout, milestone)
  }
  return milestone.phase === 'repaying'
    ? milestone.repayment && current('repayment', milestone.repayment, milestone)
    : null
}

function current(
  kind: Current['kind'],
  payment: Current['payment'],
  { payee: { invoice, paymentHash }, tries }: { payee: Payee; tries: number },
): Current {
  return { kind, payment, invoice, paymentHash, try: tries }
}

/** That the payee be paid is being committed: meanwhile the node reads the invoice, and is asked for the height. */
export function expectPayment(
  { node, blocks }: { node: Pick<OperatorNode, 'payer'>; blocks: Pick<BlockClock, 'expectFresh'> },
  milestone: MilestoneState,
): void {
  const now = currentPayment(milestone)
  if (now === null) return
  setImmediate(() => {
    blocks.expectFresh()
    node.payer.expect?.({ kind: 'bolt11', invoice: now.invoice })
  })
}

/**
 * Has the operator's node pay. The order is made at the last moment, with the height of that moment: too late, the node
 * is only asked. It pays a worker only while it holds the buyer's money, and where it does not the answer is what has
 * become of that. Doing it twice pays once: the id is the same.
 *
 * The end of what it has taken on is told by the node's events, and with it what became of the hold: null when
 * `isHeard` says so. Only where they are silent the node is asked.
 */
export async function payNow(
  deps: PayDeps,
  milestone: MilestoneState,
  now: Current,
  isHeard: () => Promise<boolean>,
): Promise<EscrowReport | null> {
  const { node } = deps
  const moment = await freshly(deps.blocks)
  if (moment === null) return say(milestone, now, unreachable(now, 'look-up'))
  const order: Order | null =
    now.kind === 'payout' ? payoutOrder(milestone, moment) : repaymentOrder(milestone, moment)
  if (order === null) return lookUpNow(deps, milestone, now)
  try {
    return await payAndFollow(deps, milestone, now, order, isHeard)
  } catch (error) {
    const { whileHeld } = order
    if (whileHeld === undefined || !(error instanceof NodeError) || error.code !== 'not-held') throw error
    const hold = await lookUpHold(node, { milestone: milestone.index, paymentHash: whileHeld })
    return hold ?? say(milestone, now, unreachable(now, 'look-up'))
  }
}

type Order = Omit<PayRequest, 'destination'> & { invoice: string }

/** Throws `NodeError('not-held')`. */
async function payAndFollow(
  { node }: PayDeps,
  milestone: MilestoneState,
  now: Current,
  { invoice, ...terms }: Order,
  isHeard: () => Promise<boolean>,
): Promise<EscrowReport | null> {
  const request = { ...terms, destination: { kind: 'bolt11', invoice } } as const
  const report = await told(now, 'pay', () => within(NODE_TIMEOUT_MS, node.payer.pay(request)))
  const isPending = report.kind === 'outcome' && report.outcome.state === 'pending'
  if (!isPending) return say(milestone, now, report)
  if (await isHeard()) return null
  const later = await told(now, 'look-up', () => ask(node, now, 0))
  // That the node has taken the payment on must not get lost because it does not answer just now.
  return say(milestone, now, later.kind === 'outcome' ? later : report)
}

/** Null: the node does not answer, and whether it is too late to pay is not known. */
async function freshly(blocks: BlockClock): Promise<Moment | null> {
  try {
    return await blocks.fresh()
  } catch (error) {
    if (isUnreachable(error)) return null
    throw error
  }
}

/** Asks the node what became of the payment, and waits a while for its end. */
export async function lookUpNow(
  { node, followMs }: PayDeps,
  milestone: MilestoneState,
  now: Current,
): Promise<EscrowReport> {
  return say(milestone, now, await told(now, 'look-up', () => ask(node, now, followMs)))
}

async function ask({ payer }: OperatorNode, { payment }: Current, waitMs: number): Promise<NodeOutcome> {
  const asking = payer.lookup(payment.nodePaymentId, { waitMs })
  return (await within(NODE_TIMEOUT_MS + waitMs, asking)) ?? { state: 'absent' }
}

export function say(milestone: MilestoneState, now: Current, report: PaymentReport): EscrowReport {
  const { kind, paymentHash } = now
  return { kind, milestone: milestone.index, paymentHash, try: now.try, report }
}

/** What the node said, or why it said nothing, as a report. */
async function told(
  now: Current,
  effect: 'pay' | 'look-up',
  act: () => Promise<NodeOutcome>,
): Promise<PaymentReport> {
  const { attempt } = now.payment
  try {
    return { kind: 'outcome', attempt, outcome: keptOutcome(await act()) }
  } catch (error) {
    if (isUnreachable(error)) return unreachable(now, effect)
    if (!(error instanceof NodeError) || error.code === 'not-held') throw error
    // A node that cannot say what became of the payment has not refused to make it.
    return effect === 'look-up'
      ? unreachable(now, effect)
      : { kind: 'pay-refused', attempt, code: 'NODE_CANNOT' }
  }
}

function unreachable({ payment }: Current, effect: 'pay' | 'look-up'): PaymentReport {
  return { kind: 'node-unreachable', attempt: payment.attempt, effect, code: 'NODE_OFFLINE' }
}
