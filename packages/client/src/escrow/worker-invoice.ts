import type { Milestone } from './operations.generated.ts'

/** What the worker's wallet has to be asked for. */
export type InvoiceTerms = {
  /** Exactly. */
  readonly amountMsat: bigint
  /** At least: how long the invoice must be payable. */
  readonly expirySeconds: number
  /** At most: `min_final_cltv_expiry_delta`. */
  readonly maxFinalCltv: number
}

/** An invoice that is made a little late must still last: clocks differ, and somebody has to copy it. */
const MARGIN_SECONDS = 3_600

/** The invoice that `submitInvoice` will take; null while the milestone takes none. */
export function invoiceTerms(
  milestone: Pick<Milestone, 'payoutMsat' | 'invoiceNeededUntil' | 'maxFinalCltv'>,
  now: number,
): InvoiceTerms | null {
  const { payoutMsat: amountMsat, invoiceNeededUntil, maxFinalCltv } = milestone
  if (invoiceNeededUntil === null) return null
  const expirySeconds = Math.ceil(Math.max(0, invoiceNeededUntil - now) / 1_000) + MARGIN_SECONDS
  return { amountMsat, expirySeconds, maxFinalCltv }
}
