import type { Catalogue } from './catalogue.ts'

/** What is to be paid, how much, and at what cost. */
export const DESTINATION_REFUSALS = {
  DESTINATION_INVALID: {
    status: 422,
    title: 'This is not a name, an offer, an invoice or a BIP-321 URI.',
    hint: 'Check that nothing was cut off when copying.',
  },
  OFFER_INVALID: {
    status: 422,
    title: 'The BOLT 12 offer is malformed.',
    hint: 'Ask the payee for a new offer.',
  },
  OFFER_EXPIRED: {
    status: 422,
    title: 'The BOLT 12 offer has expired.',
    hint: 'Ask whoever made it for a new one. A suspended name takes none: it can only be released.',
  },
  OFFER_FOREIGN_CHAIN: {
    status: 422,
    title: 'The BOLT 12 offer is for another chain.',
    hint: 'Pay it from a node on its own chain.',
  },
  OFFER_UNSUPPORTED: {
    status: 422,
    title: 'The BOLT 12 offer asks for something we do not support.',
    hint: 'Ask the payee for an offer in bitcoin.',
  },
  INVOICE_INVALID: {
    status: 422,
    title: 'The BOLT 11 invoice is malformed or its signature is wrong.',
    hint: 'Ask the payee for a new invoice.',
  },
  INVOICE_EXPIRED: {
    status: 422,
    title: 'The BOLT 11 invoice has expired.',
    hint: 'Ask the payee for a new invoice.',
  },
  INVOICE_FOREIGN_CHAIN: {
    status: 422,
    title: 'The BOLT 11 invoice is for another chain.',
    hint: 'Pay it from a node on its own chain.',
  },
  URI_INVALID: {
    status: 422,
    title: 'The BIP-321 URI is malformed or requires something unknown.',
    hint: 'Ask the payee for a new one.',
  },
  URI_NOT_PAYABLE: {
    status: 422,
    title: 'The BIP-321 URI holds nothing that we can pay.',
    hint: 'It needs a BOLT 12 offer (lno=) or a BOLT 11 invoice (lightning=).',
  },
  AMOUNT_INVALID: {
    status: 422,
    title: 'The amount is not a whole number of millisatoshi between 1 and the supply.',
    hint: 'Send a decimal string such as "21000".',
  },
  AMOUNT_REQUIRED: {
    status: 422,
    title: 'The destination names no amount, and neither does the request.',
    hint: 'Send amountMsat.',
  },
  AMOUNT_MISMATCH: {
    status: 422,
    title: 'The amount differs from what the destination asks for.',
    hint: 'Leave amountMsat out or send the amount asked for.',
  },
  NOTE_NOT_ACCEPTED: {
    status: 422,
    title: 'The destination takes no message, or none as long as this one.',
    hint: 'Leave the note out, or shorten it. BOLT 11 invoices take none.',
  },
  FEE_LIMIT_INVALID: {
    status: 422,
    title: 'The fee limit is not a whole number of millisatoshi up to the supply.',
    hint: 'Send a decimal string such as "1000", or leave maxFeeMsat out.',
  },
} as const satisfies Catalogue
