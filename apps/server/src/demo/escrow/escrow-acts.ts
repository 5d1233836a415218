import { invoiceTerms, paymentHashOf, type Task, type TaskKind } from '@holdfast/client'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import { DemoError } from '../demo-error.ts'
import type { Person, Tell } from '../story.ts'
import { type EscrowEnd, endOf, type Locked } from './escrow-end.ts'
import { type EscrowWatch, followEscrow } from './follow-escrow.ts'
import { settledBalances } from './settled-balances.ts'

const HOUR_MS = 3_600_000

export type EscrowCast = { readonly buyer: Person; readonly worker: Person }

export type EscrowWish = {
  readonly kind: TaskKind
  readonly title: string
  readonly milestones: readonly { readonly title: string; readonly payoutMsat: bigint }[]
}

/** An escrow under way, and who takes part. */
export type Scene = EscrowCast & {
  readonly tell: Tell
  readonly taskId: string
  readonly milestones: number
  readonly watch: EscrowWatch
  readonly before: { readonly buyerMsat: bigint; readonly workerMsat: bigint }
  readonly began: number
}

/** What the buyer's own wallet has for the money that is gone. */
export type Paid = { readonly preimage: string; readonly routingMsat: bigint }

/** How long `work` took, in whole milliseconds, besides what it answers. */
async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const began = performance.now()
  const value = await work()
  return { value, ms: Math.round(performance.now() - began) }
}

/** The buyer writes and publishes it. A task is then applied for and given to the worker; an order has a seller. */
export async function beginEscrow(cast: EscrowCast, tell: Tell, wish: EscrowWish): Promise<Scene> {
  const { buyer, worker } = cast
  const began = performance.now()
  const before = {
    buyerMsat: await buyer.device.balanceMsat(),
    workerMsat: await worker.device.balanceMsat(),
  }
  const created = await timed(async () => {
    const plan = {
      title: wish.title,
      deadlineAt: Date.now() + 24 * HOUR_MS,
      milestones: wish.milestones.map((milestone) => ({
        ...milestone,
        workMs: 4 * HOUR_MS,
        objectionMs: HOUR_MS,
      })),
    }
    const seller = wish.kind === 'ORDER' ? { worker: worker.device.pubkey } : {}
    const { task } = await buyer.client.escrow.createTask({ kind: wish.kind, ...seller, plan })
    await buyer.client.escrow.publishTask({ taskId: task.id })
    return task
  })
  const { id: taskId, kind, payoutMsat, feeMsat, milestones } = created.value
  const facts = { payoutMsat, feeMsat, milestones: milestones.length, ms: created.ms }
  tell('escrow-created', { taskId, kind, title: wish.title, custody: created.value.custody, ...facts })
  if (kind === 'TASK') await hire(cast, tell, taskId)
  const watch = followEscrow(buyer.client.escrow, taskId)
  return { ...cast, tell, taskId, milestones: milestones.length, watch, before, began }
}

async function hire({ buyer, worker }: EscrowCast, tell: Tell, taskId: string): Promise<void> {
  const { ms } = await timed(async () => {
    await worker.client.escrow.applyToTask({ taskId, message: 'I have done this before.' })
    await buyer.client.escrow.assignWorker({ taskId, worker: worker.device.pubkey })
  })
  tell('escrow-assigned', { taskId, worker: worker.device.pubkey, ms })
}

/** The worker's invoice, the buyer's payment, and the money is locked: `paymentHash` for a secret of the worker's. */
export async function lockMoney(scene: Scene, index: number, paymentHash?: string): Promise<Locked> {
  const { buyer, tell, taskId, watch } = scene
  const payoutHash = await askForPay(scene, index, paymentHash)
  const { funding } = await buyer.client.escrow.fundMilestone({ taskId, milestone: index })
  if (funding === null) throw new DemoError('ESCROW_TOO_SLOW', 'The operator’s node made no invoice in time.')
  const { paymentHash: fundingHash, amountMsat } = decodeInvoice(funding.invoice)
  // Believe the signed invoices, not the server: locked to the worker's hash, for the amount that was agreed.
  if (fundingHash !== payoutHash || amountMsat !== funding.payoutMsat + funding.feeMsat)
    throw new DemoError('ESCROW_NOT_HASH_LOCKED', 'The funding invoice is not what was agreed.')
  tell('escrow-funding', { taskId, milestone: index, fundingHash, payoutHash, amountMsat })

  const { value, ms } = await timed(async () => {
    const { id } = await buyer.client.pay({ to: funding.invoice })
    const held = await watch.reach(index, 'HELD')
    return { held, payment: await buyer.client.getPayment(id) }
  })
  const { held, payment } = value
  const proof = await buyer.device.findProof(payment.nodePaymentId)
  if (proof !== null || payment.state === 'succeeded')
    throw new DemoError('ESCROW_NOT_HELD', 'The buyer’s payment ended although the money is held.')
  const heldMsat = held.heldMsat ?? held.fundingMsat
  tell('escrow-held', {
    taskId,
    milestone: index,
    of: scene.milestones,
    heldMsat,
    payment: 'pending',
    preimageKnownTo: 'the worker’s wallet',
    blocksLeft: held.deadlines?.blocksLeft ?? null,
    buyerMsat: await buyer.device.balanceMsat(),
    workerMsat: await scene.worker.device.balanceMsat(),
    ms,
  })
  return { index, fundingHash, payoutHash, heldMsat, paymentId: payment.id }
}

async function askForPay(scene: Scene, index: number, paymentHash?: string): Promise<string> {
  const { worker, tell, taskId } = scene
  const { value, ms } = await timed(async () => {
    const terms = termsOf(await worker.client.escrow.task(taskId), index)
    const { amountMsat, expirySeconds } = terms
    const wish = { amountMsat, expirySeconds, description: 'My pay' }
    const invoice = await worker.device.makeInvoice(paymentHash ? { ...wish, paymentHash } : wish)
    await worker.client.escrow.submitInvoice({ taskId, milestone: index, invoice })
    return { payoutHash: decodeInvoice(invoice).paymentHash, amountMsat }
  })
  tell('escrow-invoice', { taskId, milestone: index, of: scene.milestones, ...value, ms })
  return value.payoutHash
}

function termsOf(task: Task, index: number) {
  const milestone = task.milestones[index]
  const terms = milestone && invoiceTerms(milestone, Date.now())
  if (!terms) throw new DemoError('ESCROW_ENDED_OTHERWISE', `Escrow ${task.id} takes no invoice.`)
  return terms
}

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
