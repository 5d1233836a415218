import { createHash } from 'node:crypto'
import { type Refusal, refuse } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import { acceptsPreimage } from '@holdfast/core/escrow/milestone-facts'
import { NodeError } from '@holdfast/lightning'
import type { OpenDatabase } from '../platform/database.ts'
import type { Transaction } from '../platform/transaction.ts'
import { within } from '../platform/within.ts'
import type { TellEscrow } from './escrow-saga.ts'
import { findEscrow } from './escrow-store.ts'
import { isUnreachable, lookUpHold } from './hold-effects.ts'
import { NODE_TIMEOUT_MS, type OperatorNode } from './operator-node.ts'

/**
 * A buyer's wallet says that its payment has succeeded although the milestone is not released: somebody gave the
 * preimage away. The node claims with it, and the machine believes what the node says then. The preimage passes
 * through and stays nowhere; a crash in between loses the request, which the wallet repeats.
 */
export async function reportPreimage(
  deps: { database: Pick<OpenDatabase, 'db'>; node: OperatorNode; tell: TellEscrow },
  about: { id: string; milestone: number; preimage: string },
): Promise<EscrowState | Refusal> {
  const { database, node, tell } = deps
  const escrow = await findEscrow(database.db, about.id)
  const milestone = escrow?.milestones[about.milestone]
  if (!milestone) return refuse('ESCROW_NOT_FOUND')
  const paymentHash = acceptsPreimage(milestone)
  if (paymentHash === null) return refuse('ESCROW_WRONG_PHASE', { phase: milestone.phase })
  if (!/^[0-9a-f]{64}$/.test(about.preimage) || sha256(about.preimage) !== paymentHash) {
    return refuse('ESCROW_PREIMAGE_WRONG')
  }
  try {
    await within(NODE_TIMEOUT_MS, node.holdInvoices.settle(paymentHash, about.preimage))
  } catch (error) {
    if (isUnreachable(error)) return refuse('NODE_OFFLINE')
    // Nothing is held any more: the look below tells the machine what became of it.
    if (!(error instanceof NodeError) || error.code !== 'not-held') throw error
  }
  const said = await lookUpHold(node, { milestone: about.milestone, paymentHash })
  const told = said === null ? null : await tell(about.id, said)
  return told ?? refuse('NODE_OFFLINE')
}

/**
 * Who said so. What the milestone becomes by it stands in the escrow's own stream, as what the
 * node has told.
 */
export function journalReport(
  tx: Transaction,
  { id, by, ...report }: { id: string; by: string; milestone: number; now: number },
): void {
  const { milestone, now } = report
  tx.append({
    stream: 'escrow-report',
    entityId: id,
    kind: 'escrow-report.preimage',
    data: { milestone },
    actor: by,
    at: new Date(now),
  })
}

function sha256(hex: string): string {
  return createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')
}
