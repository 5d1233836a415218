import type { Msat } from '../money.ts'
import { type Refusal, refuse } from '../refusals.ts'
import { invoiceNeededUntil } from './schedule.ts'

/**
 * What the edge read in a BOLT 11 invoice. The signature was verified there, and the network compared, before anything
 * else was believed.
 */
export type InvoiceFacts = {
  readonly invoice: string
  /** 32 bytes in lower-case hex. */
  readonly paymentHash: string
  /** The payee's node, 33 bytes in lower-case hex. */
  readonly payee: string
  /** The invoice is for the network of the operator's node. */
  readonly rightNetwork: boolean
  /** Null: the payer is to choose. */
  readonly amountMsat: Msat | null
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** `min_final_cltv_expiry_delta` and what the shortest of its route hints asks for on top, in blocks. */
  readonly finalCltv: number
  /** No hold, payout or repayment has ever had this payment hash; a unique index stands behind it. */
  readonly hashIsNew: boolean
}

/** A worker's invoice that passed every check. */
export type Payee = {
  readonly invoice: string
  readonly paymentHash: string
  readonly expiresAt: number
}

/** The checks on a worker's invoice; the buyer's hold will be locked to its payment hash. */
export function checkWorkerInvoice(
  facts: InvoiceFacts,
  asked: {
    readonly payoutMsat: Msat
    readonly holdBlocks: number
    readonly finalCltvCap: number
    readonly nodeId: string
  },
  now: number,
): Payee | Refusal {
  const wrong = checkPayableInvoice(facts, { amountMsat: asked.payoutMsat, nodeId: asked.nodeId })
  if (wrong !== null) return wrong
  if (facts.expiresAt < invoiceNeededUntil(now, asked.holdBlocks)) {
    return refuse('ESCROW_INVOICE_EXPIRES_SOON', { neededUntil: invoiceNeededUntil(now, asked.holdBlocks) })
  }
  if (facts.finalCltv > asked.finalCltvCap) {
    return refuse('ESCROW_INVOICE_CLTV_TOO_HIGH', { finalCltv: facts.finalCltv, cap: asked.finalCltvCap })
  }
  const { invoice, paymentHash, expiresAt } = facts
  return { invoice, paymentHash, expiresAt }
}

/** What holds for every invoice that an escrow pays, to the worker or back to the buyer. Null: nothing is wrong. */
export function checkPayableInvoice(
  facts: InvoiceFacts,
  asked: { readonly amountMsat: Msat; readonly nodeId: string },
): Refusal | null {
  if (!facts.rightNetwork) return refuse('INVOICE_FOREIGN_CHAIN')
  if (facts.payee === asked.nodeId) return refuse('ESCROW_INVOICE_OF_OWN_NODE')
  // An amountless invoice lets the last hop keep the difference; another amount is not what was agreed.
  if (facts.amountMsat !== asked.amountMsat) {
    const amountMsat = facts.amountMsat === null ? null : `${facts.amountMsat}`
    return refuse('ESCROW_INVOICE_AMOUNT_WRONG', { amountMsat, neededMsat: `${asked.amountMsat}` })
  }
  // Whoever paid or routed an earlier payment on a hash knows its preimage, and takes the money on the way.
  if (!facts.hashIsNew) return refuse('ESCROW_INVOICE_HASH_USED')
  return null
}
