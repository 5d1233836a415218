import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { Payable } from '@holdfast/core/payments/payment-states'
import type { Hex, Network } from '@holdfast/lightning'
import { bareText } from '@holdfast/protocols/bare-text'
import { Bip321Error, type BitcoinUri, parseBitcoinUri } from '@holdfast/protocols/bip321'
import { Bip353Error, parseName } from '@holdfast/protocols/bip353'
import { Bolt11Error, decodeInvoice, type Invoice } from '@holdfast/protocols/bolt11'
import { Bolt12Error, type Offer, offerChains, parseOffer } from '@holdfast/protocols/bolt12'
import { chainHashOf } from '@holdfast/protocols/network'

export type PayingNode = { readonly network: Network; readonly nodeId: Hex }

export type Destination = { readonly kind: 'name'; readonly name: string } | Payable

/**
 * What a payment is to be made to, by its own form: a BIP-353 name with or without ₿ (canonical in the answer), a
 * BOLT 12 offer, a BOLT 11 invoice or a BIP-321 URI. `now` is milliseconds since 1970.
 */
export function parseDestination(given: string, node: PayingNode, now: number): Destination | Refusal {
  const text = bareText(given)
  if (isBitcoinUri(text)) return payableOfUriText(text, node, now)
  if (text.includes('@')) return parseNameText(text)
  // BOLT 12 lets an offer be cut anywhere by `+` and white space, also within its prefix.
  if (/^lno1/i.test(text.replace(/\+\s*/g, ''))) return payableOfOffer(text, node, now)
  if (/^ln(bc|tb|sb)/i.test(text)) return payableOfInvoice(text, node, now)
  return refuse('DESTINATION_INVALID')
}

/** The canonical form of the name that a destination is; null: it is something else. */
export function nameIn(given: string): string | null {
  const text = bareText(given)
  if (isBitcoinUri(text) || !text.includes('@')) return null
  const name = parseNameText(text)
  return isRefusal(name) ? null : name.name
}

function isBitcoinUri(text: string): boolean {
  return /^bitcoin:/i.test(text)
}

/**
 * The first instruction of a URI that this node can pay: offers before invoices, because they hide the payee's node
 * and can be paid again. When there is none, the refusal of the first.
 */
export function payableOfUri(uri: BitcoinUri, node: PayingNode, now: number): Payable | Refusal {
  let first: Refusal | null = null
  const candidates = [
    ...uri.offers.map((offer) => () => payableOfOffer(offer, node, now)),
    ...uri.invoices.map((invoice) => () => payableOfInvoice(invoice, node, now)),
  ]
  for (const read of candidates) {
    const payable = read()
    const priced = isRefusal(payable) ? payable : withAmountOf(uri, payable)
    if (!isRefusal(priced)) return priced
    first ??= priced
  }
  return first ?? refuse('URI_NOT_PAYABLE')
}

/** The URI's amount counts where the instruction names none; where both do, paying either would be a guess. */
function withAmountOf({ amountMsat }: BitcoinUri, payable: Payable): Payable | Refusal {
  if (amountMsat === undefined || payable.asksMsat === amountMsat) return payable
  if (payable.asksMsat === null) return { ...payable, asksMsat: amountMsat }
  return refuse('URI_INVALID', { rule: 'amounts-differ' })
}

function payableOfUriText(text: string, node: PayingNode, now: number): Payable | Refusal {
  const uri = reading(() => parseBitcoinUri(text))
  return isRefusal(uri) ? uri : payableOfUri(uri, node, now)
}

function parseNameText(text: string): { kind: 'name'; name: string } | Refusal {
  const name = reading(() => parseName(text))
  return isRefusal(name) ? name : { kind: 'name', name: name.text }
}

function payableOfOffer(text: string, { network }: PayingNode, now: number): Payable | Refusal {
  const offer = reading(() => parseOffer(text))
  if (isRefusal(offer)) return offer
  // BOLT 12, requirements for readers: "if the chain of the invoice_request is not in offer_chains: MUST NOT respond".
  if (!offerChains(offer).includes(chainHashOf(network))) return refuse('OFFER_FOREIGN_CHAIN', { network })
  // "if the current time is after offer_absolute_expiry: MUST NOT respond to the offer."
  const expiry = offer.absoluteExpirySeconds
  if (expiry !== undefined && expiry * 1000n <= BigInt(now)) return refuse('OFFER_EXPIRED')
  const unsupported = whyUnsupported(offer)
  if (unsupported !== null) return refuse('OFFER_UNSUPPORTED', { rule: unsupported })
  return {
    kind: 'bolt12',
    offer: offer.text,
    asksMsat: offer.amount && 'msat' in offer.amount ? offer.amount.msat : null,
  }
}

function whyUnsupported(offer: Offer): 'currency' | 'quantity' | null {
  if (offer.amount && 'currency' in offer.amount) return 'currency'
  // "if offer_quantity_max is present: MUST set invreq_quantity", which a payer has no way to choose here.
  return offer.quantityMax === undefined ? null : 'quantity'
}

/** A BOLT 11 invoice for this node's network that has not expired and is not its own. */
export function payableOfInvoice(
  text: string,
  node: PayingNode,
  now: number,
): Extract<Payable, { kind: 'bolt11' }> | Refusal {
  const invoice: Invoice | Refusal = reading(() => decodeInvoice(text))
  if (isRefusal(invoice)) return invoice
  if (invoice.network !== node.network) {
    return refuse('INVOICE_FOREIGN_CHAIN', { network: node.network, invoiceNetwork: invoice.network })
  }
  if (invoice.expiresAt <= now) return refuse('INVOICE_EXPIRED', { expiresAt: invoice.expiresAt })
  if (invoice.payee === node.nodeId) return refuse('PAYMENT_TO_SELF')
  return { kind: 'bolt11', invoice: invoice.text, asksMsat: invoice.amountMsat ?? null }
}

/** The value, or the refusal that the codec's error stands for; the rule that was broken is told. */
function reading<T>(read: () => T): T | Refusal {
  try {
    return read()
  } catch (error) {
    if (error instanceof Bip321Error) return refuse('URI_INVALID', { rule: error.code })
    if (error instanceof Bip353Error) return refuse('NAME_INVALID', { rule: error.code })
    if (error instanceof Bolt12Error) return refuse('OFFER_INVALID', { rule: error.code })
    if (error instanceof Bolt11Error) return refuse('INVOICE_INVALID', { rule: error.code })
    throw error
  }
}
