import { paymentHashOf } from '@holdfast/client'
import { DemoError } from '../demo-error.ts'
import type { Scene } from './begin-escrow.ts'
import type { Locked } from './outcome.ts'
import { timed } from './timed.ts'

/** What the buyer's own wallet has for the money that is gone. */
export type Paid = { readonly preimage: string; readonly routingMsat: bigint }

/** The worker shows the work; the buyer has a look and approves it; the worker is paid. */
export async function proveAndRelease(scene: Scene, locked: Locked, text: string): Promise<Paid> {
  const { buyer, worker, tell, taskId, watch } = scene
  const which = { taskId, milestone: locked.index }
  await worker.client.escrow.submitProof({ ...which, text })
  tell('escrow-proof', { ...which, text })
  const { value, ms } = await timed(async () => {
    await buyer.client.escrow.approveMilestone(which)
    return watch.reach(locked.index, 'RELEASED')
  })
  tell('escrow-released', { ...which, paidMsat: value.paidMsat, feeMsat: value.feeMsat, ms })
  return paidBy(scene, locked)
}

/** The end of the buyer's payment. Throws `DemoError` when what it brought is not the preimage of the lock. */
export async function paidBy({ buyer }: Scene, { paymentId, fundingHash }: Locked): Promise<Paid> {
  const { state, nodePaymentId, feeMsat } = await buyer.client.waitForPayment(paymentId)
  if (state !== 'succeeded')
    throw new DemoError('PAYMENT_FAILED', `The buyer’s payment is ${state} although the hold was claimed.`)
  const { preimage, paymentHash } = await buyer.device.proof(nodePaymentId)
  if (paymentHash !== fundingHash || paymentHashOf(preimage) !== fundingHash)
    throw new DemoError('ESCROW_NOT_HASH_LOCKED', 'The buyer’s proof is of another payment.')
  return { preimage, routingMsat: feeMsat ?? 0n }
}

/** The worker gives the money back; alone, the operator could do no more than this either. */
export async function refund(scene: Scene, locked: Locked): Promise<void> {
  const { buyer, worker, tell, taskId, milestones, watch } = scene
  const which = { taskId, milestone: locked.index }
  const { value, ms } = await timed(async () => {
    await worker.client.escrow.refundMilestone(which)
    await watch.reach(locked.index, 'REFUNDED')
    return buyer.client.waitForPayment(locked.paymentId)
  })
  if (value.state !== 'failed')
    throw new DemoError('ESCROW_ENDED_OTHERWISE', `The buyer’s payment is ${value.state} after the refund.`)
  const { heldMsat: refundedMsat } = locked
  tell('escrow-refunded', { ...which, of: milestones, refundedMsat, payment: value.state, ms })
}
