import { list, msat, nullable, number, object, oneOf, optional, type Reader, text } from './readers.ts'

/** An invoice that a payer asked for at a Lightning Address of the owner's. Times are milliseconds since 1970. */
export type AddressInvoice = {
  readonly id: string
  /** `user@domain`. */
  readonly name: string
  /** `unknown`: the owner's node never told what became of it. */
  readonly state: 'open' | 'paid' | 'expired' | 'unknown'
  readonly paymentHash: string
  /** BOLT 11. */
  readonly invoice: string
  readonly amountMsat: bigint
  /** Only when it is paid. */
  readonly receivedMsat?: bigint
  /** What the payer wrote; kept for 90 days after the payment. */
  readonly comment?: string
  /** What the payer told of themselves; nobody has verified it. */
  readonly payer?: { readonly name?: string; readonly pubkey?: string; readonly identifier?: string }
  readonly zap: boolean
  readonly createdAt: number
  readonly expiresAt: number
  readonly paidAt?: number
}

export type AddressInvoices = {
  readonly invoices: readonly AddressInvoice[]
  /** For the page after this one; null: it was the last. */
  readonly next: string | null
}

const readPayer = object((o) => ({
  ...optional('name', o.name, text),
  ...optional('pubkey', o.pubkey, text),
  ...optional('identifier', o.identifier, text),
}))

const readAddressInvoice: Reader<AddressInvoice> = object((o) => ({
  id: text(o.id),
  name: text(o.name),
  state: oneOf(o.state, ['open', 'paid', 'expired', 'unknown']),
  paymentHash: text(o.paymentHash),
  invoice: text(o.invoice),
  amountMsat: msat(o.amountMsat),
  ...optional('receivedMsat', o.receivedMsat, msat),
  ...optional('comment', o.comment, text),
  ...optional('payer', o.payer, readPayer),
  zap: o.zap === true,
  createdAt: number(o.createdAt),
  expiresAt: number(o.expiresAt),
  ...optional('paidAt', o.paidAt, number),
}))

export const readAddressInvoices: Reader<AddressInvoices> = object((o) => ({
  invoices: list(o.invoices).map(readAddressInvoice),
  next: nullable(o.next, text),
}))
