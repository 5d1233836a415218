import { randomBytes } from 'node:crypto'
import type { LightningNode } from '@holdfast/lightning'

export const MAX_FEE_MSAT = 10_000n
const HOUR_SECONDS = 3_600
const ENDED_WITHIN_MS = 60_000

type Node = Pick<LightningNode, 'invoices' | 'payer'>

export async function makeInvoice(
  { invoices }: Node,
  { amountMsat, expirySeconds = HOUR_SECONDS }: { amountMsat: bigint; expirySeconds?: number },
): Promise<string> {
  const made = await invoices?.create({ amountMsat, description: 'bench', expirySeconds })
  if (!made) throw new Error('A node makes no invoices.')
  return made.invoice
}

/** Answers the id of the payment as soon as the node has taken it on. */
export async function startPayment(
  { payer }: Node,
  { invoice, amountMsat }: { invoice: string; amountMsat: bigint },
): Promise<string> {
  const paymentId = randomBytes(32).toString('hex')
  await payer?.pay({
    paymentId,
    destination: { kind: 'bolt11', invoice },
    amountMsat,
    maxFeeMsat: MAX_FEE_MSAT,
    timeoutMs: ENDED_WITHIN_MS,
  })
  return paymentId
}

export async function untilPaid({ payer }: Node, paymentId: string): Promise<void> {
  const outcome = await payer?.lookup(paymentId, { waitMs: ENDED_WITHIN_MS })
  if (outcome?.state !== 'succeeded') throw new Error(`A payment is ${outcome?.state ?? 'unknown'}.`)
}
