import { hexToBytes } from '@noble/hashes/utils.js'
import {
  type Bolt11Invoice,
  Bolt11InvoiceDescription,
  Description,
  Option_ThirtyTwoBytesZ,
  Option_u16Z,
  Option_u32Z,
  Option_u64Z,
  Result_Bolt11InvoiceSignOrCreationErrorZ_OK,
  Result_DescriptionCreationErrorZ_OK,
} from 'lightningdevkit'
import { type Hex, type InvoiceRequest, NodeError, type ReceivedPayment } from '../../ports.ts'
import { toHex } from './bytes.ts'
import { checkAmount, checkExpiry } from './checks.ts'
import type { NodeContext } from './context.ts'

type Row = {
  amount_msat: string | null
  expires_at: number
  paid_msat: string | null
  paid_at: number | null
}

/** Ordinary BOLT 11 invoices: LDK derives the preimage from the node's seed, so none is stored. */
export class OrdinaryInvoices {
  readonly #node: NodeContext

  constructor(node: NodeContext) {
    this.#node = node
  }

  create(request: InvoiceRequest): { invoice: string; paymentHash: Hex } {
    if (request.amountMsat !== undefined) checkAmount(request.amountMsat, 'The amount of an invoice')
    checkExpiry(request.expirySeconds)
    const { store, now } = this.#node
    const made = createBolt11(this.#node, {
      amountMsat: request.amountMsat ?? null,
      description: request.description,
      expirySeconds: request.expirySeconds,
      minFinalCltvExpiryDelta: null,
      paymentHash: null,
    })
    store.run(
      'INSERT INTO invoices (payment_hash, invoice, amount_msat, expires_at) VALUES (?, ?, ?, ?)',
      made.paymentHash,
      made.invoice,
      request.amountMsat?.toString() ?? null,
      now() + request.expirySeconds * 1000,
    )
    return made
  }

  lookup(paymentHash: Hex): ReceivedPayment | null {
    const row = this.#row(paymentHash)
    if (!row) return null
    if (row.paid_msat !== null && row.paid_at !== null)
      return { state: 'paid', amountMsat: BigInt(row.paid_msat), paidAt: row.paid_at }
    return row.expires_at <= this.#node.now() ? { state: 'expired' } : { state: 'open' }
  }

  /** Whether HTLCs on this invoice of ours may be claimed. */
  accepts(paymentHash: Hex, amountMsat: bigint): boolean {
    const row = this.#row(paymentHash)
    // The preimage of a paid invoice is known to the routing nodes of that payment: a second one is turned away.
    if (!row || row.paid_msat !== null) return false
    return row.amount_msat === null || isWithinBolt4Limits(amountMsat, BigInt(row.amount_msat))
  }

  claimed(paymentHash: Hex, amountMsat: bigint): void {
    const { store, now } = this.#node
    store.run(
      'UPDATE invoices SET paid_msat = ?, paid_at = ? WHERE payment_hash = ?',
      `${amountMsat}`,
      now(),
      paymentHash,
    )
  }

  #row(paymentHash: Hex): Row | undefined {
    return this.#node.store.get<Row>('SELECT * FROM invoices WHERE payment_hash = ?', paymentHash)
  }
}

/** BOLT 4, "Requirements" of failure messages: never less than asked for, and not more than twice as much. */
export function isWithinBolt4Limits(amountMsat: bigint, askedMsat: bigint): boolean {
  return amountMsat >= askedMsat && amountMsat <= askedMsat * 2n
}

export function createBolt11(
  node: NodeContext,
  request: {
    amountMsat: bigint | null
    description: string
    expirySeconds: number
    minFinalCltvExpiryDelta: number | null
    paymentHash: Hex | null
  },
): { invoice: string; paymentHash: Hex } {
  const description = Description.constructor_new(request.description)
  if (!(description instanceof Result_DescriptionCreationErrorZ_OK))
    throw new NodeError('invalid', 'The description is longer than BOLT 11 allows (639 bytes).')
  const create = (expiryDelta: bigint): Bolt11Invoice => {
    const created = node.manager.create_bolt11_invoice(
      request.amountMsat === null
        ? Option_u64Z.constructor_none()
        : Option_u64Z.constructor_some(request.amountMsat),
      Bolt11InvoiceDescription.constructor_direct(description.res),
      Option_u32Z.constructor_some(Number(expiryDelta)),
      request.minFinalCltvExpiryDelta === null
        ? Option_u16Z.constructor_none()
        : Option_u16Z.constructor_some(request.minFinalCltvExpiryDelta),
      request.paymentHash === null
        ? Option_ThirtyTwoBytesZ.constructor_none()
        : Option_ThirtyTwoBytesZ.constructor_some(hexToBytes(request.paymentHash)),
    )
    if (!(created instanceof Result_Bolt11InvoiceSignOrCreationErrorZ_OK))
      throw new NodeError(
        'invalid',
        'LDK refuses to make this invoice: check its amount, expiry and final CLTV.',
      )
    return created.res
  }
  // LDK dates invoices by the last block's header, which is often an hour old: a short expiry counted from there would
  // be over at birth. So the first try tells LDK's time, and the second ends when it was asked to.
  const first = create(BigInt(request.expirySeconds))
  const endsAt = BigInt(Math.floor(node.now() / 1000) + request.expirySeconds)
  const expiryDelta = endsAt - first.duration_since_epoch()
  const invoice = expiryDelta <= BigInt(request.expirySeconds) ? first : create(expiryDelta)
  return { invoice: invoice.to_str(), paymentHash: toHex(invoice.payment_hash()) }
}
