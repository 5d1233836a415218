import { offerChains } from '@holdfast/protocols/bolt12'
import { PaymentFailureReason } from 'lightningdevkit'
import {
  type Hex,
  NodeError,
  type PaymentFailure,
  type PaymentOutcome,
  type PayRequest,
} from '../../ports.ts'
import type { ChannelInfo } from '../types.ts'
import { fromHex, toHex } from './bytes.ts'
import { listChannels } from './channels.ts'
import { checkAmount, checkFee, checkHash, checkWhole } from './checks.ts'
import type { NodeContext } from './context.ts'
import { Destinations } from './destinations.ts'
import { type HandOver, prepareHandOver } from './hand-to-ldk.ts'
import { CHAIN_HASH } from './offers.ts'
import { encodePayee } from './payee-name.ts'
import {
  DEFAULT_MAX_TOTAL_CLTV,
  type NewRow,
  orderOf,
  outcomeOf,
  type Row,
  reasonOf,
  rowOf,
  whyTooLate,
} from './payment-row.ts'

/** BOLT 4: no HTLC may be locked for longer. */
const MAX_HTLC_CLTV = 2016
const LONGEST_TIMEOUT_MS = 24 * 3600 * 1000

/**
 * Outgoing payments. The row and LDK's knowledge of the payment are committed together, so after a crash either both
 * are there or neither: a payment is never sent twice for one id. While the channels that hold the money are not back,
 * as after a start, LDK would find no route: until then, or its time is over, a payment waits here and LDK does not know it.
 */
export class Payments {
  readonly #node: NodeContext
  readonly #keepProofs: boolean
  readonly #isHeld: (paymentHash: Hex) => boolean
  readonly #destinations = new Destinations()
  /** Whether some payment may wait: looked up after a start. */
  #areWaiting = true

  constructor(node: NodeContext, options: { keepProofs: boolean; isHeld: (paymentHash: Hex) => boolean }) {
    this.#node = node
    this.#keepProofs = options.keepProofs
    this.#isHeld = options.isHeld
  }

  /** Reads what will probably be paid, so that `pay` need not. Throws as `pay` does where it cannot be read. */
  expect(destination: PayRequest['destination']): void {
    if (destination.kind === 'bolt11') this.#destinations.invoice(destination.invoice)
    else this.#destinations.offer(destination.offer)
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
    if (request.whileHeld !== undefined) this.#checkHeld(request.whileHeld)
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

  /** Whether LDK may look for a route: asked for each attempt, also for those that it makes by itself. */
  mayBeSent(paymentId: Hex): boolean {
    const row = this.#row(paymentId)
    return row === undefined || this.#whyNotHeld(row) === null
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
      "SELECT * FROM payments WHERE state = 'pending' AND waits = 0 AND timed_out = 0 AND deadline_at <= ?",
      this.#node.now(),
    )
    for (const { payment_id } of late) {
      this.#node.store.run('UPDATE payments SET timed_out = 1 WHERE payment_id = ?', payment_id)
      this.#node.manager.abandon_payment(fromHex(payment_id))
    }
  }

  /** Hands over what waited for channels that are back, and ends what waited too long. To be called in every turn. */
  sendWaiting(): void {
    if (!this.#areWaiting) return
    const waiting = this.#node.store.all<Row>("SELECT * FROM payments WHERE state = 'pending' AND waits = 1")
    this.#areWaiting = waiting.length > 0
    for (const row of waiting) {
      const reason = whyTooLate(row, this.#node.now()) ?? this.#whyNotHeld(row)
      if (reason !== null) this.failed(row.payment_id, row.payment_hash, reason)
      else if (this.#outbound().usableMsat >= BigInt(row.amount_msat))
        this.#handOver(row, prepareHandOver(this.#node, this.#destinations, orderOf(row)))
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
    const handedOver = "SELECT * FROM payments WHERE state = 'pending' AND waits = 0"
    for (const { payment_id } of this.#node.store.all<Row>(handedOver))
      if (!listed.has(payment_id)) {
        this.#node.log.error('The outcome of a payment is not known.', { paymentId: payment_id })
        this.#node.store.run("UPDATE payments SET state = 'unknown' WHERE payment_id = ?", payment_id)
      }
  }

  #payInvoice(request: PayRequest, text: string): PaymentOutcome {
    const { ours: invoice } = this.#destinations.invoice(text)
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
    return this.#begin(request, invoice.paymentHash)
  }

  #payOffer(
    request: PayRequest,
    destination: Extract<PayRequest['destination'], { kind: 'bolt12' }>,
  ): PaymentOutcome {
    const { ours: offer } = this.#destinations.offer(destination.offer)
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
    return this.#begin(request, null)
  }

  /** Hands the payment to LDK in the turn that keeps it, or keeps it waiting. */
  #begin(request: PayRequest, paymentHash: Hex | null): PaymentOutcome {
    const { readyMsat, usableMsat } = this.#outbound()
    if (readyMsat < request.amountMsat) return this.#refused(request, paymentHash, 'insufficient-funds')
    const row = this.#newRow(request, paymentHash)
    const handOver = prepareHandOver(this.#node, this.#destinations, orderOf(row))
    this.#insert(row)
    if (usableMsat >= request.amountMsat) this.#handOver(row, handOver)
    else this.#areWaiting = true
    return this.#outcome(row.payment_id)
  }

  #handOver({ payment_id, payment_hash }: NewRow, handOver: HandOver): void {
    this.#node.store.run('UPDATE payments SET waits = 0 WHERE payment_id = ?', payment_id)
    const failure = handOver()
    if (failure !== null) this.failed(payment_id, payment_hash, failure)
  }

  /** What could be sent over channels, and over those of them whose peer is there. */
  #outbound(): { readyMsat: bigint; usableMsat: bigint } {
    const sum = (channels: ChannelInfo[]) =>
      channels.reduce((msat, { outboundMsat }) => msat + outboundMsat, 0n)
    const channels = listChannels(this.#node.manager).filter(({ ready }) => ready)
    return { readyMsat: sum(channels), usableMsat: sum(channels.filter(({ usable }) => usable)) }
  }

  #refused(request: PayRequest, paymentHash: Hex | null, reason: PaymentFailure): PaymentOutcome {
    const { paymentId } = request
    this.#insert(this.#newRow(request, paymentHash))
    this.#node.store.run(
      "UPDATE payments SET state = 'failed', reason = ? WHERE payment_id = ?",
      reason,
      paymentId,
    )
    this.#node.record({ kind: 'payment-failed', paymentId, paymentHash, reason })
    return this.#outcome(paymentId)
  }

  #checkHeld(paymentHash: Hex): void {
    checkHash(paymentHash, 'A payment hash')
    if (!this.#isHeld(paymentHash)) throw new NodeError('not-held', `Nothing is held on ${paymentHash}.`)
  }

  #whyNotHeld({ while_held: mustBeHeld }: NewRow): PaymentFailureReason | null {
    const mayBeSent = mustBeHeld === null || this.#isHeld(mustBeHeld)
    return mayBeSent ? null : PaymentFailureReason.LDKPaymentFailureReason_UserAbandoned
  }

  #newRow(request: PayRequest, paymentHash: Hex | null): NewRow {
    return rowOf(request, paymentHash, { now: this.#node.now(), height: this.#node.height() })
  }

  #insert(row: NewRow): void {
    const columns = Object.keys(row)
    this.#node.store.run(
      `INSERT INTO payments (${columns}, state, waits) VALUES (${columns.map(() => '?')}, 'pending', 1)`,
      ...Object.values(row),
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
