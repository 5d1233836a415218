import { invoiceTerms, type Milestone, type Task } from '@holdfast/client'
import { decodeInvoice, type Invoice } from '@holdfast/protocols/bolt11'
import { DemoError } from '../demo-error.ts'
import type { Scene } from './begin-escrow.ts'
import type { Locked } from './outcome.ts'
import { readBalances } from './settled-balances.ts'
import { timed } from './timed.ts'

/**
 * The worker's invoice, the buyer's payment, and the money is locked. `paymentHash`: of a secret that the worker has;
 * else the worker's wallet makes one.
 */
export async function lockMoney(scene: Scene, index: number, paymentHash?: string): Promise<Locked> {
  const { buyer, tell, taskId, milestones: of } = scene
  const pay = await askForPay(scene, index, paymentHash)
  const funding = await askForFunding(scene, index, pay)

  const { value, ms } = await timed(async () => {
    const { id } = await buyer.client.pay({ to: funding.text })
    const held = await heldBy(scene, index, id)
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
    of,
    heldMsat,
    payment: 'pending',
    preimageKnownTo: 'worker',
    blocksLeft: held.deadlines?.blocksLeft ?? null,
    ...(await readBalances(scene)),
    ms,
  })
  const [fundingHash, payoutHash] = [funding.paymentHash, pay.paymentHash]
  return { index, fundingHash, payoutHash, heldMsat, paymentId: payment.id }
}

/** The money arrives, or the payment says why it does not. */
async function heldBy({ buyer, watch }: Scene, index: number, paymentId: string): Promise<Milestone> {
  const waiting = new AbortController()
  const ended = buyer.client
    .waitForPayment(paymentId, { signal: waiting.signal })
    .then(({ state, error }): never => {
      throw new DemoError(
        error?.code ?? 'ESCROW_NOT_HELD',
        `The buyer’s payment has ${state}; nothing is held.`,
      )
    })
  // Once the money is held nobody waits for this any more.
  ended.catch(() => undefined)
  try {
    return await Promise.race([watch.reach(index, 'HELD'), ended])
  } finally {
    waiting.abort()
  }
}

async function askForPay(scene: Scene, index: number, paymentHash?: string): Promise<Invoice> {
  const { worker, tell, taskId, milestones: of } = scene
  const { value, ms } = await timed(async () => {
    const { amountMsat, expirySeconds } = termsOf(await worker.client.escrow.task(taskId), index)
    const wish = { amountMsat, expirySeconds, description: 'My pay' }
    const invoice = await worker.device.makeInvoice(paymentHash ? { ...wish, paymentHash } : wish)
    await worker.client.escrow.submitInvoice({ taskId, milestone: index, invoice })
    return decodeInvoice(invoice)
  })
  const { paymentHash: payoutHash, amountMsat, payee } = value
  tell('escrow-invoice', { taskId, milestone: index, of, payoutHash, amountMsat, payee, ms })
  return value
}

/** The buyer's wallet believes the two signed invoices alone: one hash, made by the worker's node, for what was agreed. */
async function askForFunding(scene: Scene, index: number, pay: Invoice): Promise<Invoice> {
  const { buyer, tell, taskId, watch } = scene
  const { value, ms } = await timed(async () => {
    const { funding } = await buyer.client.escrow.fundMilestone({ taskId, milestone: index })
    return funding ?? watch.funding(index)
  })
  const { feeMsat, payoutMsat } = value
  const invoice = decodeInvoice(value.invoice)
  const isLocked = invoice.paymentHash === pay.paymentHash && invoice.payee !== pay.payee
  if (!isLocked || pay.amountMsat !== payoutMsat || invoice.amountMsat !== payoutMsat + feeMsat)
    throw new DemoError('ESCROW_NOT_HASH_LOCKED', 'The funding invoice is not what was agreed.')
  const { paymentHash: fundingHash, amountMsat, payee } = invoice
  tell('escrow-funding', { taskId, milestone: index, fundingHash, amountMsat, payee, ms })
  return invoice
}

function termsOf(task: Task, index: number) {
  const milestone = task.milestones[index]
  const terms = milestone && invoiceTerms(milestone, Date.now())
  if (!terms) throw new DemoError('ESCROW_ENDED_OTHERWISE', `Escrow ${task.id} takes no invoice.`)
  return terms
}
