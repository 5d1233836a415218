import type { ReceivedPayment } from '@holdfast/lightning'
import type { PayerData } from '@holdfast/protocols/lnurl/payer-data'

/** An invoice that somebody asked for at a Lightning Address. Times are milliseconds since 1970. */
export type AddressInvoice = {
  readonly id: string
  readonly paymentHash: string
  readonly owner: string
  readonly user: string
  readonly domain: string
  /** BOLT 11. */
  readonly invoice: string
  readonly amountMsat: bigint
  /** What the payer wrote (LUD-12); null: nothing, or forgotten. */
  readonly comment: string | null
  /** What the payer told of themselves (LUD-18), not verified. */
  readonly payerData: PayerData | null
  /** The raw zap request (NIP-57). */
  readonly zapRequest: string | null
  readonly requestedAt: number
  readonly expiresAt: number
} & InvoicePhase

export type InvoicePhase =
  | { readonly phase: 'open'; readonly lookAt: number }
  | { readonly phase: 'paid'; readonly paidAt: number; readonly receivedMsat: bigint }
  | { readonly phase: 'expired' }
  /** The node never told what became of it. */
  | { readonly phase: 'unknown' }

/** What the owner's node says of it; `silent`: it could not be asked. */
export type NodeAnswer = ReceivedPayment | 'silent' | 'never-heard-of'

/**
 * An HTLC may arrive until the expiry, is then on its way for a while, and LDK takes it up to two hours late, because
 * its clock is the last block's.
 */
export const GRACE_MS = 3 * 3600_000
/** A node that has not answered by then is not asked any more. */
export const PATIENCE_MS = 7 * 24 * 3600_000
const SOONEST_MS = 5_000
const LATEST_MS = 30 * 60_000

/**
 * What is known once the node was asked. A report is never refused, and is safe to hear twice. Between two looks
 * that are due, as when payers ask, only a payment is news.
 */
export function hearNode(invoice: AddressInvoice, answer: NodeAnswer, now: number): AddressInvoice {
  if (invoice.phase === 'paid') return invoice
  if (typeof answer === 'object' && answer.state === 'paid') {
    const { paidAt, amountMsat: receivedMsat } = answer
    return { ...termsOf(invoice), phase: 'paid', paidAt, receivedMsat }
  }
  if (invoice.phase !== 'open' || now < invoice.lookAt) return invoice
  const end = invoice.expiresAt + (answer === 'silent' ? PATIENCE_MS : GRACE_MS)
  if (now < end) return { ...invoice, lookAt: now + pauseAfter(now - invoice.requestedAt) }
  const phase = typeof answer === 'object' ? 'expired' : 'unknown'
  return { ...termsOf(invoice), phase }
}

/** Most are paid within seconds or never: the older it is, the longer until the next look. */
export function pauseAfter(ageMs: number): number {
  return Math.min(Math.max(Math.floor(ageMs / 2), SOONEST_MS), LATEST_MS)
}

function termsOf(invoice: AddressInvoice) {
  const { id, paymentHash, owner, user, domain, requestedAt, expiresAt } = invoice
  const { amountMsat, comment, payerData, zapRequest } = invoice
  const names = { id, paymentHash, owner, user, domain, invoice: invoice.invoice }
  return { ...names, amountMsat, comment, payerData, zapRequest, requestedAt, expiresAt }
}
