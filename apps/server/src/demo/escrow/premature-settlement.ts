import type { WalletPayment, WorkerSecret } from '@holdfast/client'
import { DemoError } from '../demo-error.ts'
import type { Scene } from './begin-escrow.ts'
import { type Paid, paidBy } from './move-money.ts'
import type { Locked } from './outcome.ts'

const REPAYABLE_FOR_SECONDS = 24 * 3600

/**
 * The attack on a hash-locked escrow, and its defence. A worker gives the preimage to a node on the buyer's way, which
 * takes the money before the release. In doing so it hands the preimage to the buyer's wallet, that reports it; with it
 * the operator takes the money from the thief and pays it back to the buyer.
 *
 * Simulated is the thief alone: LDK does not claim a forwarded HTLC with a preimage that comes from elsewhere, so the
 * buyer's wallet is shown the preimage by us instead. The lock, the report, the claim, and the repayment are real.
 */
export async function catchPrematureSettlement(
  scene: Scene,
  locked: Locked,
  secret: WorkerSecret,
): Promise<Paid> {
  const { buyer, tell, taskId, watch } = scene
  const which = { taskId, milestone: locked.index }
  let shown: WalletPayment = { state: 'pending' }
  const watching = buyer.client.escrow.watchFunding({
    ...which,
    paymentHash: locked.fundingHash,
    lookUp: async () => shown,
    pollMs: 50,
  })
  shown = { state: 'succeeded', preimage: secret.reveal() }
  tell('escrow-leaked', {
    ...which,
    simulated: true,
    simulates: 'a node on the way claims before the release',
  })

  const began = performance.now()
  const since = () => Math.round(performance.now() - began)
  const { outcome } = await watching
  if (outcome !== 'premature')
    throw new DemoError('ESCROW_ENDED_OTHERWISE', `The early preimage was taken for ${outcome}.`)
  const { owedMsat } = await watch.reach(locked.index, 'PREMATURE')
  const paid = await paidBy(scene, locked)
  tell('escrow-premature', { ...which, owedMsat, reportedBy: 'the buyer’s wallet', ms: since() })

  const invoice = await buyer.device.makeInvoice({
    amountMsat: owedMsat ?? locked.heldMsat,
    description: 'What is owed to me',
    expirySeconds: REPAYABLE_FOR_SECONDS,
  })
  await buyer.client.escrow.submitRefundInvoice({ ...which, invoice })
  await watch.reach(locked.index, 'REPAID')
  tell('escrow-repaid', { ...which, repaidMsat: owedMsat, ms: since() })
  return paid
}
