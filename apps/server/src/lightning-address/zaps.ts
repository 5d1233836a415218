import { type Refusal, refuse } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import type { EventTemplate } from '@holdfast/protocols/nip01'
import { readZapRequest, type ZapRequest, zapReceiptTemplate } from '@holdfast/protocols/nip57'
import type { AddressInvoice } from './address-invoice.ts'

/** Whoever signs zap receipts with the server's own Nostr key and brings them to relays. */
export type ZapReceipts = {
  /** x-only, hex: wallets check the receipts against it. */
  readonly pubkey: Hex
  /** Publishing twice is publishing once: the same template gives the same event. Throws when no relay took it. */
  publish(receipt: EventTemplate, relays: readonly string[]): Promise<void>
}

/** The zap request that came with a callback, or why it is none (NIP-57, Appendix D). */
export function acceptZap(
  receipts: ZapReceipts | null,
  raw: string,
  { owner, amountMsat }: { owner: Hex; amountMsat: bigint },
): ZapRequest | Refusal {
  if (receipts === null) return refuse('ZAP_UNSUPPORTED')
  const read = readZapRequest(raw, { amountMsat, receiptPubkey: receipts.pubkey, recipient: owner })
  return read.ok ? read.zap : refuse('ZAP_REQUEST_INVALID', { rule: read.code })
}

/** Publishes the receipt of a paid zap. Nothing happens for an invoice that is no zap, or is not paid. */
export async function publishReceipt(receipts: ZapReceipts, invoice: AddressInvoice): Promise<void> {
  if (invoice.zapRequest === null || invoice.phase !== 'paid') return
  const { owner, amountMsat, paidAt } = invoice
  const zap = acceptZap(receipts, invoice.zapRequest, { owner, amountMsat })
  // The key of the server, which a request may name, was changed since.
  if ('refused' in zap) return
  await receipts.publish(zapReceiptTemplate(zap, { invoice: invoice.invoice, paidAt }), zap.relays)
}
