import type { Hex, InvoiceRequest, ReceivedPayment } from '../../ports.ts'
import { checkAmount, checkExpiry } from './checks.ts'
import type { NodeContext } from './context.ts'
import { createBolt11 } from './create-bolt11.ts'

type Row = {
  amount_msat: string | null
  expires_at: number
  paid_msat: string | null
  paid_at: number | null
}

const UNPAID_KEPT_MS = 30 * 24 * 3600_000

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
    this.forgetUnpaid()
    const made = createBolt11(this.#node, {
      amountMsat: request.amountMsat ?? null,
      description: request,
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

  /** Invoices that expired long ago unpaid; whoever pays one all the same is turned away, as for any unknown hash. */
  forgetUnpaid(): void {
    const { store, now } = this.#node
    store.run('DELETE FROM invoices WHERE paid_msat IS NULL AND expires_at < ?', now() - UNPAID_KEPT_MS)
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
