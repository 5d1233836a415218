import { type Refusal, refuse } from '@holdfast/core'
import type { In } from '@holdfast/core/escrow/milestone-states'
import { paymentIdOf } from '@holdfast/core/escrow/payout'
import { keptOutcome } from '../payments/kept-outcome.ts'
import { within } from '../platform/within.ts'
import type { TellEscrow } from './escrow-saga.ts'
import { NODE_TIMEOUT_MS, type OperatorNode } from './operator-node.ts'

/** A try may be unknown to the node because it was away then. */
const MOST_GAP = 20

/**
 * Whether the worker was paid although the milestone is said to be premature. A database that was restored from a backup
 * may have forgotten a release: the hold looks claimed too early, and to repay the buyer would be to pay twice. The ids
 * of payouts follow from the hash, so the node knows them still. Null: nothing was paid, the buyer is owed.
 */
export async function refuseIfPaidOut(
  { node, tell }: { node: Pick<OperatorNode, 'payer'>; tell: TellEscrow },
  id: string,
  { index: milestone, paymentHash }: In<'premature'>,
): Promise<Refusal | null> {
  let gap = 0
  for (let tries = 1; gap < MOST_GAP; tries++) {
    const nodePaymentId = paymentIdOf('payout', paymentHash, tries)
    const outcome = await within(NODE_TIMEOUT_MS, node.payer.lookup(nodePaymentId))
    gap = outcome === null ? gap + 1 : 0
    if (outcome === null || outcome.state === 'failed') continue
    const report = { kind: 'outcome', attempt: 0, outcome: keptOutcome(outcome) } as const
    const told = await tell(id, { kind: 'payout', milestone, paymentHash, try: tries, report })
    const now = told?.milestones[milestone]?.phase ?? null
    return refuse('ESCROW_WRONG_PHASE', {
      milestone,
      phase: outcome.state === 'succeeded' ? now : 'payout-unknown',
    })
  }
  return null
}
