import type { Catalogue } from './catalogue.ts'

/** How payments end. */
export const PAYMENT_REFUSALS = {
  INVOICE_ALREADY_PAID: {
    status: 409,
    title: 'This node is paying the BOLT 11 invoice already, or has paid it.',
    hint: 'Look at the earlier payment; to pay once more, ask the payee for a new invoice.',
  },
  PAYMENT_TO_SELF: {
    status: 422,
    title: 'The destination is the paying node itself.',
    hint: 'Pay it from another node.',
  },
  PAYMENT_REJECTED: {
    status: 422,
    title: 'The payee rejected the payment.',
    hint: 'Ask the payee for a new invoice or offer.',
  },
  PAYMENT_NO_ROUTE: {
    status: 422,
    title: 'No route to the payee was found within the fee limit.',
    hint: 'Raise maxFeeMsat, send less, or open another channel.',
  },
  PAYMENT_RETRIES_EXHAUSTED: {
    status: 422,
    title: 'Every route that was tried failed.',
    hint: 'Nothing was paid; try again later.',
  },
  PAYMENT_EXPIRED: {
    status: 422,
    title: 'The payment did not end in time and was given up.',
    hint: 'Nothing was paid; try again.',
  },
  PAYMENT_UNANSWERED: {
    status: 422,
    title: 'The payee did not answer the request for an invoice.',
    hint: 'Its node may be offline; try again later.',
  },
  PAYMENT_INSUFFICIENT_FUNDS: {
    status: 422,
    title: 'The channels of the paying node hold too little.',
    hint: 'GET /v1/node shows what can be spent; fees and reserves come on top.',
  },
  PAYMENT_ABANDONED: {
    status: 422,
    title: 'The payment was abandoned by the paying node.',
    hint: 'Nothing was paid; try again.',
  },
  PAYMENT_FAILED: {
    status: 422,
    title: 'The payment failed.',
    hint: 'Nothing was paid; try again later.',
  },
  PAYMENT_NOT_SENT: {
    status: 503,
    title: 'The paying node could not be reached in time.',
    hint: 'Nothing was paid; try again when the node is online.',
  },
  PAYMENT_NOT_FOUND: { status: 404, title: 'There is no such payment.', hint: 'Check the id.' },
} as const satisfies Catalogue
