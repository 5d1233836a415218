import { Bolt11Error, decodeInvoice, type Invoice } from '@holdfast/protocols/bolt11'
import { Bolt12Error, type Offer, parseOffer } from '@holdfast/protocols/bolt12'
import {
  Bolt11Invoice,
  Offer as LdkOffer,
  Result_Bolt11InvoiceParseOrSemanticErrorZ_OK,
  Result_OfferBolt12ParseErrorZ_OK,
} from 'lightningdevkit'
import { NodeError } from '../../ports.ts'

/** As we read it, and as LDK does. */
export type ReadInvoice = { readonly ours: Invoice; readonly ldk: Bolt11Invoice }
export type ReadOffer = { readonly ours: Offer; readonly ldk: LdkOffer }

/** What a restart left to be sent, or a burst announces, is read again where it is more. */
const KEPT = 100

/**
 * Reads what payments are made to, and keeps what was read last: reading takes a third of what an invoice costs until its
 * first HTLC is on its way, so whoever knows that one will be paid says so beforehand (`Payer.expect`), and an offer may be
 * paid many times. A text always reads the same; what depends on the time is checked by who pays.
 */
export class Destinations {
  readonly #invoices = new Map<string, ReadInvoice>()
  readonly #offers = new Map<string, ReadOffer>()

  /** Throws `NodeError('invalid')` when it breaks BOLT 11, or LDK cannot read it. */
  invoice(text: string): ReadInvoice {
    return readOnce(this.#invoices, text, () => {
      const ours = strictly(() => decodeInvoice(text))
      const read = Bolt11Invoice.constructor_from_str(text)
      if (!(read instanceof Result_Bolt11InvoiceParseOrSemanticErrorZ_OK))
        throw new NodeError('invalid', 'LDK cannot read the invoice.')
      return { ours, ldk: read.res }
    })
  }

  /** Throws `NodeError('invalid')` when it breaks BOLT 12, or LDK cannot read it. */
  offer(text: string): ReadOffer {
    return readOnce(this.#offers, text, () => {
      const ours = strictly(() => parseOffer(text))
      const read = LdkOffer.constructor_from_str(text)
      if (!(read instanceof Result_OfferBolt12ParseErrorZ_OK))
        throw new NodeError('invalid', 'LDK cannot read the offer.')
      return { ours, ldk: read.res }
    })
  }
}

/** A Map keeps the order of insertion. */
function readOnce<Read>(known: Map<string, Read>, text: string, read: () => Read): Read {
  const value = known.get(text) ?? read()
  known.delete(text)
  known.set(text, value)
  const [oldest] = known.keys()
  if (known.size > KEPT && oldest !== undefined) known.delete(oldest)
  return value
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
