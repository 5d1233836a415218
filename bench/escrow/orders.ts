import { createHoldfastClient, type HoldfastClient, invoiceTerms } from '@holdfast/client'
import type { BenchUser, BenchWorld } from '../bench-world.ts'
import { type Following, followMilestone } from './follow-milestone.ts'
import { makeInvoice, startPayment, untilPaid } from './node-payments.ts'

/** The least that a milestone may pay, so that thousands fit into the operator's channel. */
export const PAYOUT_MSAT = 1_000_000n
const HOUR_MS = 3_600_000

/** A user with the SDK's client. */
export type Party = BenchUser & { readonly client: HoldfastClient }

/** Its worker has submitted an invoice: the buyer may fund it. */
export type Order = { readonly taskId: string; readonly fundingMsat: bigint; readonly buyer: Party }

export async function makeParty(world: BenchWorld, name: string): Promise<Party> {
  const user = await world.user(name)
  return { ...user, client: createHoldfastClient({ baseUrl: world.url, signer: user.device.signer }) }
}

/** What precedes the money: the order is created, made known, and locked to an invoice of the worker's node. */
export async function placeOrder(buyer: Party, worker: Party): Promise<Order> {
  const spans = { workMs: 4 * HOUR_MS, objectionMs: HOUR_MS }
  const { task } = await buyer.client.escrow.createTask({
    kind: 'ORDER',
    worker: worker.device.pubkey,
    plan: {
      title: 'Two boxes of oranges',
      deadlineAt: Date.now() + 24 * HOUR_MS,
      milestones: [{ title: 'Both', payoutMsat: PAYOUT_MSAT, ...spans }],
    },
  })
  const taskId = task.id
  const published = await buyer.client.escrow.publishTask({ taskId })
  const [milestone] = published.task.milestones
  const terms = milestone && invoiceTerms(milestone, Date.now())
  if (!terms) throw new Error('An order takes no invoice.')
  const invoice = await makeInvoice(worker.node, terms)
  await worker.client.escrow.submitInvoice({ taskId, milestone: 0, invoice })
  return { taskId, fundingMsat: milestone.fundingMsat, buyer }
}

/** Fund and hold: the buyer asks for the invoice, pays it, and is told that the money is locked. */
export async function fundOrder({ taskId, buyer }: Order, told: Following): Promise<{ paymentId: string }> {
  const asked = await buyer.client.escrow.fundMilestone({ taskId, milestone: 0 })
  // The answer does not wait for a node that is very busy.
  const { invoice, amountMsat } = asked.funding ?? (await told.funding())
  const paymentId = await startPayment(buyer.node, { invoice, amountMsat })
  await told.until('HELD')
  return { paymentId }
}

/** Release and settle: the buyer approves, and is told that the worker is paid; the node, that the hold was claimed. */
async function releaseOrder(
  { taskId, buyer }: Order,
  told: Following,
  { paymentId }: { paymentId: string },
): Promise<void> {
  await buyer.client.escrow.approveMilestone({ taskId, milestone: 0 })
  await told.until('RELEASED')
  await untilPaid(buyer.node, paymentId)
}

/** A whole cycle: fund, hold, release, settle. */
export async function playOrder(order: Order, told: Following): Promise<void> {
  await releaseOrder(order, told, await fundOrder(order, told))
}

/** Plays with the milestone followed from before to after it. */
export async function withFollowing<T>(order: Order, play: (told: Following) => Promise<T>): Promise<T> {
  const told = await followMilestone(order.buyer.client.escrow, order.taskId)
  try {
    return await play(told)
  } finally {
    told.leave()
  }
}
