import { type Refusal, refuse } from '@holdfast/core'
import type { Payable } from '@holdfast/core/payments/payment-states'
import type { Network } from '@holdfast/lightning'
import { Bip321Error, type BitcoinUri, parseBitcoinUri } from '@holdfast/protocols/bip321'
import { Bip353Error, parseName } from '@holdfast/protocols/bip353'
import { Bolt11Error, decodeInvoice } from '@holdfast/protocols/bolt11'
import { Bolt12Error, type Offer, offerChains, parseOffer } from '@holdfast/protocols/bolt12'
import { chainHashOf } from '@holdfast/protocols/network'

export type Destination = { readonly kind: 'name'; readonly name: string } | Payable

export type PayingFrom = { readonly network: Network; readonly now: number }

/** Reads what a payment is made to: a BIP-353 name, a BOLT 12 offer, a BOLT 11 invoice or a BIP-321 URI. */
export function parseDestination(text: string, from: PayingFrom): Destination | Refusal {
  const to = text.trim()
  if (/^bitcoin:/i.test(to)) return uriDestination(to, from)
  // The form of a URI that predates BIP-321; wallets still copy it.
  const bare = to.replace(/^lightning:/i, '')
  if (/^lno1/i.test(bare)) return offerDestination(bare, from)
  if (/^ln(bc|tb|bcrt|tbs)[0-9]/i.test(bare)) return invoiceDestination(bare, from)
  if (to.includes('@')) return nameDestination(to)
  return refuse('DESTINATION_INVALID')
}

/** Takes the first offer of a URI, else its first invoice: an offer also works the second time. */
export function payableOfUri(uri: BitcoinUri, from: PayingFrom): Payable | Refusal {
  const [offer] = uri.offers
  const [invoice] = uri.invoices
  const payable =
    offer !== undefined
      ? offerDestination(offer, from)
      : invoice !== undefined
        ? invoiceDestination(invoice, from)
        : refuse('URI_NOT_PAYABLE')
  if ('refused' in payable || uri.amountMsat === undefined) return payable
  if (payable.asksMsat !== null && payable.asksMsat !== uri.amountMsat) {
    return refuse('URI_INVALID', { rule: 'amounts-differ' })
  }
  return { ...payable, asksMsat: uri.amountMsat }
}

function uriDestination(text: string, from: PayingFrom): Payable | Refusal {
  try {
    return payableOfUri(parseBitcoinUri(text), from)
  } catch (error) {
    if (error instanceof Bip321Error) return refuse('URI_INVALID', { rule: error.code })
    throw error
  }
}

function offerDestination(text: string, { network, now }: PayingFrom): Payable | Refusal {
  let offer: Offer
  try {
    offer = parseOffer(text)
  } catch (error) {
    if (error instanceof Bolt12Error) return refuse('OFFER_INVALID', { rule: error.code })
    throw error
  }
  if (!offerChains(offer).includes(chainHashOf(network))) return refuse('OFFER_FOREIGN_CHAIN', { network })
  // BOLT 12: "if the current time is after offer_absolute_expiry: MUST NOT respond to the offer".
  const { absoluteExpirySeconds: expiry } = offer
  if (expiry !== undefined && BigInt(Math.floor(now / 1000)) > expiry) return refuse('OFFER_EXPIRED')
  if (offer.quantityMax !== undefined) return refuse('OFFER_UNSUPPORTED', { rule: 'quantity' })
  if (offer.amount !== undefined && 'currency' in offer.amount) {
    return refuse('OFFER_UNSUPPORTED', { rule: 'currency' })
  }
  return { kind: 'bolt12', offer: offer.text, asksMsat: offer.amount?.msat ?? null }
}

function invoiceDestination(text: string, { network, now }: PayingFrom): Payable | Refusal {
  try {
    const invoice = decodeInvoice(text)
    if (invoice.network !== network) {
      return refuse('INVOICE_FOREIGN_CHAIN', { network, invoiceNetwork: invoice.network })
    }
    if (invoice.expiresAt <= now) return refuse('INVOICE_EXPIRED')
    return { kind: 'bolt11', invoice: invoice.text, asksMsat: invoice.amountMsat ?? null }
  } catch (error) {
    if (error instanceof Bolt11Error) return refuse('INVOICE_INVALID', { rule: error.code })
    throw error
  }
}

function nameDestination(text: string): Destination | Refusal {
  try {
    return { kind: 'name', name: parseName(text).text }
  } catch (error) {
    if (error instanceof Bip353Error) return refuse('NAME_INVALID', { rule: error.code })
    throw error
  }
}
