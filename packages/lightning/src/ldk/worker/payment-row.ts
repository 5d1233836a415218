import { decodeInvoice } from '@holdfast/protocols/bolt11'
import { parseOffer } from '@holdfast/protocols/bolt12'
import { PaymentFailureReason } from 'lightningdevkit'
import type { Hex, PaymentFailure, PaymentOutcome, PayRequest } from '../../ports.ts'
import type { Order } from './hand-to-ldk.ts'

export const DEFAULT_MAX_TOTAL_CLTV = 1008

export type NewRow = {
  payment_id: Hex
  payment_hash: Hex | null
  kind: 'bolt11' | 'bolt12'
  destination: string
  amount_msat: string
  max_fee_msat: string
  payer_note: string | null
  payee: string | null
  max_cltv: number
  /** From where the cap counts; null: the row is older than this column. */
  begun_height: number | null
  /** A payment hash. */
  while_held: Hex | null
  deadline_at: number
}

export type Row = NewRow & {
  state: 'pending' | 'succeeded' | 'failed' | 'unknown'
  /** 1: LDK does not know it yet. */
  waits: 0 | 1
  fee_msat: string | null
  reason: PaymentFailure | null
  preimage: Hex | null
  /** Of the paths that are on their way. */
  sent_fee_msat: string
}

export function rowOf(
  request: PayRequest,
  paymentHash: Hex | null,
  { now, height }: { now: number; height: number },
): NewRow {
  const { destination } = request
  const isOffer = destination.kind === 'bolt12'
  return {
    payment_id: request.paymentId,
    payment_hash: paymentHash,
    kind: destination.kind,
    destination: isOffer ? destination.offer : destination.invoice,
    amount_msat: `${request.amountMsat}`,
    max_fee_msat: `${request.maxFeeMsat}`,
    payer_note: (isOffer && destination.payerNote) || null,
    payee: (isOffer && destination.payee) || null,
    max_cltv: request.maxTotalCltvExpiryDelta ?? DEFAULT_MAX_TOTAL_CLTV,
    begun_height: height,
    while_held: request.whileHeld ?? null,
    deadline_at: now + request.timeoutMs,
  }
}

export function orderOf(row: NewRow): Order {
  return {
    paymentId: row.payment_id,
    kind: row.kind,
    destination: row.destination,
    amountMsat: BigInt(row.amount_msat),
    maxFeeMsat: BigInt(row.max_fee_msat),
    payerNote: row.payer_note,
  }
}

/** Why LDK must not be given the payment any more, or null. */
export function whyTooLate(row: NewRow, now: number): PaymentFailureReason | null {
  if (expiryOf(row) <= now) return PaymentFailureReason.LDKPaymentFailureReason_PaymentExpired
  return row.deadline_at <= now ? PaymentFailureReason.LDKPaymentFailureReason_RouteNotFound : null
}

/** Of the invoice or the offer, in milliseconds since 1970. */
function expiryOf({ kind, destination }: NewRow): number {
  if (kind === 'bolt11') return decodeInvoice(destination).expiresAt
  const seconds = parseOffer(destination).absoluteExpirySeconds
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000
}

export function outcomeOf(row: Row): PaymentOutcome {
  switch (row.state) {
    case 'pending':
      return { state: 'pending', paymentHash: row.payment_hash }
    case 'succeeded':
      return {
        state: 'succeeded',
        paymentHash: row.payment_hash ?? '',
        amountMsat: BigInt(row.amount_msat),
        feeMsat: BigInt(row.fee_msat ?? '0'),
      }
    case 'failed':
      return { state: 'failed', paymentHash: row.payment_hash, reason: row.reason ?? 'other' }
    case 'unknown':
      return { state: 'unknown' }
  }
}

/** `awaitedInvoice`: the payment ended before the offer's issuer had sent an invoice. */
export function reasonOf(reason: PaymentFailureReason | null, awaitedInvoice: boolean): PaymentFailure {
  switch (reason) {
    case PaymentFailureReason.LDKPaymentFailureReason_RecipientRejected:
      return 'rejected'
    case PaymentFailureReason.LDKPaymentFailureReason_UserAbandoned:
      return awaitedInvoice ? 'invoice-request-unanswered' : 'abandoned'
    case PaymentFailureReason.LDKPaymentFailureReason_RetriesExhausted:
      return 'retries-exhausted'
    case PaymentFailureReason.LDKPaymentFailureReason_PaymentExpired:
      return 'expired'
    case PaymentFailureReason.LDKPaymentFailureReason_RouteNotFound:
      return 'no-route'
    case PaymentFailureReason.LDKPaymentFailureReason_InvoiceRequestExpired:
      return 'invoice-request-unanswered'
    case PaymentFailureReason.LDKPaymentFailureReason_InvoiceRequestRejected:
      return 'invoice-request-rejected'
    case PaymentFailureReason.LDKPaymentFailureReason_UnexpectedError:
    case PaymentFailureReason.LDKPaymentFailureReason_UnknownRequiredFeatures:
    case PaymentFailureReason.LDKPaymentFailureReason_BlindedPathCreationFailed:
    case null:
      return 'other'
  }
}
