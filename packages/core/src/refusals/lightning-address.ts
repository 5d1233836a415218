import type { Catalogue } from './catalogue.ts'

/** Lightning Addresses: those of others that we pay, and ours that others pay. */
export const LIGHTNING_ADDRESS_REFUSALS = {
  ADDRESS_NOT_FOUND: {
    status: 404,
    title: 'The host of this Lightning Address knows no such address.',
    hint: 'Check the spelling.',
  },
  ADDRESS_REFUSED: {
    status: 422,
    title: 'The host of this Lightning Address declined.',
    hint: 'Ask the payee for another way to pay.',
  },
  ADDRESS_UNAVAILABLE: {
    status: 503,
    title: 'The host of this Lightning Address does not answer.',
    hint: 'Try again later.',
  },
  ADDRESS_INVALID: {
    status: 422,
    title: 'The host of this Lightning Address breaks the rules of LNURL-pay.',
    hint: 'Do not pay. Its operator must mend it.',
  },
  ADDRESS_FORBIDDEN: {
    status: 422,
    title: 'This Lightning Address leads to a place that is not asked from here.',
    hint: 'Its host must answer over https:// on the public Internet.',
  },
  ADDRESS_AMOUNT_OUTSIDE: {
    status: 422,
    title: 'The amount is outside of what this Lightning Address takes.',
    hint: 'Stay between minSendable and maxSendable.',
  },
  ADDRESS_BUSY: {
    status: 429,
    title: 'Too many invoices of this Lightning Address wait to be paid.',
    hint: 'Pay one of them, or try again in a few minutes.',
  },
  ADDRESS_INVOICE_NOT_FOUND: {
    status: 404,
    title: 'There is no such invoice of this Lightning Address.',
    hint: 'Check the payment hash; unpaid invoices are forgotten after a while.',
  },
  COMMENT_TOO_LONG: {
    status: 422,
    title: 'The comment is too long.',
    hint: 'Keep it within commentAllowed characters.',
  },
  PAYER_DATA_INVALID: {
    status: 422,
    title: 'The payer data is malformed.',
    hint: 'Send what payerData asks for, as LUD-18 says.',
  },
  ZAP_REQUEST_INVALID: {
    status: 422,
    title: 'The zap request breaks a rule of NIP-57.',
    hint: 'Sign a kind 9734 event for this key and amount that names a relay.',
  },
  ZAP_UNSUPPORTED: {
    status: 422,
    title: 'This Lightning Address does not take zaps.',
    hint: 'Leave the parameter nostr out when allowsNostr is not true.',
  },
} as const satisfies Catalogue
