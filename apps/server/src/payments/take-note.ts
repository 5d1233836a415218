import { type Refusal, refuse } from '@holdfast/core'
import type { Payable } from '@holdfast/core/payments/payment-states'

/** Nodes of LDK, ours included, do not answer a request for an invoice with a longer one (`PAYER_NOTE_LIMIT`). */
const OFFER_NOTE_BYTES = 512

/** Whoever sends an offer a longer note would wait in vain until the deadline. */
export function takeNote(payable: Payable, note: string | undefined): Payable | Refusal {
  const isTooLong =
    payable.kind === 'bolt12' && note !== undefined && Buffer.byteLength(note) > OFFER_NOTE_BYTES
  return isTooLong ? refuse('NOTE_NOT_ACCEPTED') : payable
}
