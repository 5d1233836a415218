import type { Scene } from './begin-escrow.ts'
import type { Paid } from './move-money.ts'
import { type EscrowEnd, endOf, type Locked } from './outcome.ts'
import { settledBalances } from './settled-balances.ts'

/** What became of all of it, from the journal and from both wallets. */
export async function endEscrow(
  scene: Scene,
  locked: readonly Locked[],
  paid: Paid | null,
): Promise<{ readonly taskId: string; readonly end: EscrowEnd }> {
  const { taskId, tell, watch, before, began } = scene
  const { task, journalHead, journalEntries } = await watch.ended()
  const end = endOf(task, locked, paid?.preimage ?? null, journalHead)
  const after = await settledBalances(scene)
  tell('escrow-ended', {
    taskId,
    outcome: end.outcome,
    buyerBefore: before.buyerMsat,
    buyerAfter: after.buyerMsat,
    workerBefore: before.workerMsat,
    workerAfter: after.workerMsat,
    routingMsat: paid?.routingMsat ?? 0n,
    journalEntries,
    ms: Math.round(performance.now() - began),
  })
  return { taskId, end }
}
