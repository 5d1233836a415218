import { Bolt11Error, decodeInvoice } from '@holdfast/protocols/bolt11'
import { Bolt12Error, offerChains, parseOffer } from '@holdfast/protocols/bolt12'
import {
  Bolt11Invoice,
  Offer,
  Option_StrZ,
  Option_u64Z,
  PaymentFailureReason,
  Result_Bolt11InvoiceParseOrSemanticErrorZ_OK,
  Result_C3Tuple_ThirtyTwoBytesRecipientOnionFieldsRouteParametersZNoneZ_OK,
  Result_NoneBolt12SemanticErrorZ_Err,
  Result_NoneRetryableSendFailureZ_Err,
  Result_OfferBolt12ParseErrorZ_OK,
  Retry,
  RetryableSendFailure,
  UtilMethods,
} from 'lightningdevkit'
import {
  type Hex,
  NodeError,
  type PaymentFailure,
  type PaymentOutcome,
  type PayRequest,
} from '../../ports.ts'
import { fromHex, toHex } from './bytes.ts'
import { listChannels } from './channels.ts'
import { checkAmount, checkFee, checkHash, checkWhole } from './checks.ts'
import type { NodeContext } from './context.ts'
import { CHAIN_HASH } from './offers.ts'
import { encodePayee } from './payee-name.ts'

const DEFAULT_MAX_TOTAL_CLTV = 1008
const ATTEMPTS = 10
/** BOLT 4: no HTLC may be locked for longer. */
const MAX_HTLC_CLTV = 2016
const LONGEST_TIMEOUT_MS = 24 * 3600 * 1000

type Row = {
  payment_id: Hex
  payment_hash: Hex | null
  kind: 'bolt11' | 'bolt12'
  amount_msat: string
  max_cltv: number
  begun_height: number | null
  state: 'pending' | 'succeeded' | 'failed' | 'unknown'
  fee_msat: string | null
  reason: PaymentFailure | null
  preimage: Hex | null
  /** Of the paths that are on their way. */
  sent_fee_msat: string
  payee: string | null
}

/**
 * Outgoing payments. The row and LDK's knowledge of the payment are committed together, so after a crash either both
 * are there or neither: a payment is never sent twice for one id.
 */
export class Payments {
  readonly #node: NodeContext
  readonly #keepProofs: boolean

  constructor(node: NodeContext, options: { keepProofs: boolean }) {
    this.#node = node
    this.#keepProofs = options.keepProofs
  }

  pay(request: PayRequest): PaymentOutcome {
    checkHash(request.paymentId, 'A payment id')
    const earlier = this.lookup(request.paymentId)
    if (earlier) return earlier
    checkAmount(request.amountMsat, 'The amount of a payment')
    checkFee(request.maxFeeMsat)
    checkWhole(request.timeoutMs, 'A time-out in milliseconds', 0, LONGEST_TIMEOUT_MS)
    if (request.maxTotalCltvExpiryDelta !== undefined)
      checkWhole(request.maxTotalCltvExpiryDelta, 'A cap on the total CLTV', 1, MAX_HTLC_CLTV)
    return request.destination.kind === 'bolt11'
      ? this.#payInvoice(request, request.destination.invoice)
      : this.#payOffer(request, request.destination)
  }

  lookup(paymentId: Hex): PaymentOutcome | null {
    const row = this.#row(paymentId)
    return row ? outcomeOf(row) : null
  }

  proof(paymentId: Hex): { paymentHash: Hex; preimage: Hex } | null {
    const row = this.#row(paymentId)
    return row?.preimage && row.payment_hash
      ? { paymentHash: row.payment_hash, preimage: row.preimage }
      : null
  }

  /**
   * What is left of the cap: LDK counts a route's CLTV from the height at which it sends, also when it sends a failed
   * part again some blocks later, and the caller's deadline has not moved.
   */
  maxTotalCltv(paymentId: Hex): number {
    const row = this.#row(paymentId)
    if (!row) return DEFAULT_MAX_TOTAL_CLTV
    const height = this.#node.height()
    const since = Math.max(height - (row.begun_height ?? height), 0)
    return Math.max(row.max_cltv - since, 1)
  }

  /** The BIP-353 name that is paid; null: none, or nobody said so. */
  payeeOf(paymentId: Hex): string | null {
    return this.#row(paymentId)?.payee ?? null
  }

  /** Paths are sent, which cost `feeMsat` together if they succeed, or one failed, of which this is the negative fee. */
  pathsChanged(paymentId: Hex, feeMsat: bigint): void {
    const row = this.#row(paymentId)
    if (!row) return
    this.#node.store.run(
      'UPDATE payments SET sent_fee_msat = ? WHERE payment_id = ?',
      `${BigInt(row.sent_fee_msat) + feeMsat}`,
      paymentId,
    )
  }

  /** LDK may say so again after a restart. `ldkFeeMsat` is null when LDK does not know it any more. */
  sent(paymentId: Hex, paymentHash: Hex, preimage: Uint8Array, ldkFeeMsat: bigint | null): void {
    const row = this.#row(paymentId)
    if (!row || row.state === 'succeeded') return
    const feeMsat = ldkFeeMsat ?? BigInt(row.sent_fee_msat)
    this.#node.store.run(
      "UPDATE payments SET state = 'succeeded', payment_hash = ?, fee_msat = ?, reason = NULL, preimage = ? WHERE payment_id = ?",
      paymentHash,
      `${feeMsat}`,
      this.#keepProofs ? toHex(preimage) : null,
      paymentId,
    )
    const amountMsat = BigInt(row.amount_msat)
    this.#node.record({ kind: 'payment-succeeded', paymentId, paymentHash, amountMsat, feeMsat })
  }

  failed(paymentId: Hex, paymentHash: Hex | null, ldkReason: PaymentFailureReason | null): void {
    const row = this.#row(paymentId)
    if (!row || row.state === 'failed' || row.state === 'succeeded') return
    const hash = paymentHash ?? row.payment_hash
    const awaitedInvoice = row.kind === 'bolt12' && hash === null
    const reason = reasonOf(ldkReason, awaitedInvoice)
    this.#node.store.run(
      "UPDATE payments SET state = 'failed', payment_hash = ?, reason = ? WHERE payment_id = ?",
      hash,
      reason,
      paymentId,
    )
    this.#node.record({ kind: 'payment-failed', paymentId, paymentHash: hash, reason })
  }

  /** No new attempts for payments whose time is over. HTLCs in flight may still succeed or fail: they stay pending. */
  tick(): void {
    const late = this.#node.store.all<Row>(
      "SELECT * FROM payments WHERE state = 'pending' AND timed_out = 0 AND deadline_at <= ?",
      this.#node.now(),
    )
    for (const { payment_id } of late) {
      this.#node.store.run('UPDATE payments SET timed_out = 1 WHERE payment_id = ?', payment_id)
      this.#node.manager.abandon_payment(fromHex(payment_id))
    }
  }

  /**
   * After a start, once LDK's replayed events were heard: a pending payment that LDK does not list has an outcome
   * that nobody can tell any more. It is neither paid again nor called failed.
   */
  reconcile(): void {
    const listed = new Set(
      this.#node.manager
        .list_recent_payments()
        .map((payment) => toHex((payment as unknown as { payment_id: Uint8Array }).payment_id)),
    )
    for (const { payment_id } of this.#node.store.all<Row>("SELECT * FROM payments WHERE state = 'pending'"))
      if (!listed.has(payment_id)) {
        this.#node.log.error('The outcome of a payment is not known.', { paymentId: payment_id })
        this.#node.store.run("UPDATE payments SET state = 'unknown' WHERE payment_id = ?", payment_id)
      }
  }

  #payInvoice(request: PayRequest, text: string): PaymentOutcome {
    const invoice = strictly(() => decodeInvoice(text))
    if (invoice.network !== this.#node.network)
      throw new NodeError('invalid', `The invoice is for ${invoice.network}.`)
    if (invoice.amountMsat !== undefined && invoice.amountMsat !== request.amountMsat)
      throw new NodeError('invalid', `The invoice asks for ${invoice.amountMsat} msat.`)
    if (invoice.payee === this.#node.nodeId) throw new NodeError('invalid', 'The invoice is our own.')
    // A paid hash's preimage may be known to routing nodes, who could keep a second payment on it.
    const twin = this.#node.store.get<Row>(
      "SELECT * FROM payments WHERE payment_hash = ? AND state <> 'failed'",
      invoice.paymentHash,
    )
    if (twin)
      throw new NodeError(
        'conflict',
        `This invoice is being paid, or was paid, as payment ${twin.payment_id}.`,
      )
    if (invoice.expiresAt <= this.#node.now()) return this.#refused(request, invoice.paymentHash, 'expired')
    if (this.#lacksFunds(request.amountMsat))
      return this.#refused(request, invoice.paymentHash, 'insufficient-funds')

    const read = Bolt11Invoice.constructor_from_str(invoice.text)
    if (!(read instanceof Result_Bolt11InvoiceParseOrSemanticErrorZ_OK))
      throw new NodeError('invalid', 'LDK cannot read the invoice.')
    const parameters =
      invoice.amountMsat === undefined
        ? UtilMethods.constructor_payment_parameters_from_variable_amount_invoice(
            read.res,
            request.amountMsat,
          )
        : UtilMethods.constructor_payment_parameters_from_invoice(read.res)
    if (!(parameters instanceof Result_C3Tuple_ThirtyTwoBytesRecipientOnionFieldsRouteParametersZNoneZ_OK))
      throw new NodeError('invalid', 'LDK finds no amount to pay.')
    const route = parameters.res.get_c()
    route.set_max_total_routing_fee_msat(Option_u64Z.constructor_some(request.maxFeeMsat))
    this.#insert(request, invoice.paymentHash)
    const sent = this.#node.manager.send_payment(
      parameters.res.get_a(),
      parameters.res.get_b(),
      fromHex(request.paymentId),
      route,
      Retry.constructor_attempts(ATTEMPTS),
    )
    if (sent instanceof Result_NoneRetryableSendFailureZ_Err)
      this.failed(request.paymentId, invoice.paymentHash, failureToSend(sent.err))
    return this.#outcome(request.paymentId)
  }

  #payOffer(
    request: PayRequest,
    destination: Extract<PayRequest['destination'], { kind: 'bolt12' }>,
  ): PaymentOutcome {
    const offer = strictly(() => parseOffer(destination.offer))
    if (destination.payee !== undefined) encodePayee(destination.payee)
    if (!offerChains(offer).includes(CHAIN_HASH[this.#node.network]))
      throw new NodeError('invalid', `The offer is not for ${this.#node.network}.`)
    if (offer.amount && 'currency' in offer.amount)
      throw new NodeError('unsupported', 'Offers in a currency are not paid.')
    if (offer.amount && offer.amount.msat !== request.amountMsat)
      throw new NodeError('invalid', `The offer asks for ${offer.amount.msat} msat.`)
    if (
      offer.absoluteExpirySeconds !== undefined &&
      offer.absoluteExpirySeconds * 1000n <= BigInt(this.#node.now())
    )
      return this.#refused(request, null, 'expired')
    if (this.#lacksFunds(request.amountMsat)) return this.#refused(request, null, 'insufficient-funds')

    const read = Offer.constructor_from_str(offer.text)
    if (!(read instanceof Result_OfferBolt12ParseErrorZ_OK))
      throw new NodeError('invalid', 'LDK cannot read the offer.')
    this.#insert(request, null)
    const sent = this.#node.manager.pay_for_offer(
      read.res,
      Option_u64Z.constructor_none(),
      Option_u64Z.constructor_some(request.amountMsat),
      destination.payerNote === undefined
        ? Option_StrZ.constructor_none()
        : Option_StrZ.constructor_some(destination.payerNote),
      fromHex(request.paymentId),
      Retry.constructor_attempts(ATTEMPTS),
      Option_u64Z.constructor_some(request.maxFeeMsat),
    )
    if (sent instanceof Result_NoneBolt12SemanticErrorZ_Err) {
      this.#node.log.warn('LDK does not ask for an invoice.', {
        paymentId: request.paymentId,
        error: Number(sent.err),
      })
      this.failed(request.paymentId, null, PaymentFailureReason.LDKPaymentFailureReason_RouteNotFound)
    }
    return this.#outcome(request.paymentId)
  }

  #lacksFunds(amountMsat: bigint): boolean {
    const ready = listChannels(this.#node.manager).filter((channel) => channel.ready)
    return ready.reduce((sum, channel) => sum + channel.outboundMsat, 0n) < amountMsat
  }

  #refused(request: PayRequest, paymentHash: Hex | null, reason: PaymentFailure): PaymentOutcome {
    this.#insert(request, paymentHash)
    this.#node.store.run(
      "UPDATE payments SET state = 'failed', reason = ? WHERE payment_id = ?",
      reason,
      request.paymentId,
    )
    this.#node.record({ kind: 'payment-failed', paymentId: request.paymentId, paymentHash, reason })
    return this.#outcome(request.paymentId)
  }

  #insert(request: PayRequest, paymentHash: Hex | null): void {
    const { destination } = request
    this.#node.store.run(
      `INSERT INTO payments (payment_id, payment_hash, kind, destination, amount_msat, max_cltv, begun_height, deadline_at, state, payee)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)`,
      request.paymentId,
      paymentHash,
      destination.kind,
      destination.kind === 'bolt11' ? destination.invoice : destination.offer,
      `${request.amountMsat}`,
      request.maxTotalCltvExpiryDelta ?? DEFAULT_MAX_TOTAL_CLTV,
      this.#node.height(),
      this.#node.now() + request.timeoutMs,
      destination.kind === 'bolt12' ? (destination.payee ?? null) : null,
    )
  }

  #outcome(paymentId: Hex): PaymentOutcome {
    const outcome = this.lookup(paymentId)
    if (!outcome) throw new Error('A payment that was just written has an outcome.')
    return outcome
  }

  #row(paymentId: Hex): Row | undefined {
    return this.#node.store.get<Row>('SELECT * FROM payments WHERE payment_id = ?', paymentId)
  }
}

function outcomeOf(row: Row): PaymentOutcome {
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

function strictly<Read>(read: () => Read): Read {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof Bolt11Error || cause instanceof Bolt12Error)
      throw new NodeError('invalid', cause.message, { cause })
    throw cause
  }
}

function failureToSend(failure: RetryableSendFailure): PaymentFailureReason {
  switch (failure) {
    case RetryableSendFailure.LDKRetryableSendFailure_PaymentExpired:
      return PaymentFailureReason.LDKPaymentFailureReason_PaymentExpired
    case RetryableSendFailure.LDKRetryableSendFailure_RouteNotFound:
      return PaymentFailureReason.LDKPaymentFailureReason_RouteNotFound
    case RetryableSendFailure.LDKRetryableSendFailure_DuplicatePayment:
    case RetryableSendFailure.LDKRetryableSendFailure_OnionPacketSizeExceeded:
      return PaymentFailureReason.LDKPaymentFailureReason_UnexpectedError
  }
}

/** `awaitedInvoice`: the payment ended before the offer's issuer had sent an invoice. */
function reasonOf(reason: PaymentFailureReason | null, awaitedInvoice: boolean): PaymentFailure {
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
