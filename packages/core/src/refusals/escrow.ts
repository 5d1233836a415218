import type { Catalogue } from './catalogue.ts'

/** Escrows and their milestones. */
export const ESCROW_REFUSALS = {
  ESCROW_NOT_FOUND: {
    status: 404,
    title: 'There is no such escrow or milestone.',
    hint: 'Check the id; milestones count from 0.',
  },
  ESCROW_WRONG_PARTY: {
    status: 403,
    title: 'This key may not do that in this escrow.',
    hint: 'It takes the buyer, the worker or the arbiter, as the escrow names them.',
  },
  ESCROW_WRONG_PHASE: {
    status: 409,
    title: 'That is not possible in the phase in which this is now.',
    hint: 'Read the current state; the phase is in the data.',
  },
  ESCROW_TERMS_INVALID: {
    status: 422,
    title: 'The terms break a rule.',
    hint: 'The field is in the data; the limits are on the API page.',
  },
  ESCROW_HOLD_TOO_SHORT: {
    status: 422,
    title: 'Work and objection do not fit into the blocks of the hold.',
    hint: 'Ask for neededBlocks, shorten the times, or cut the work into milestones.',
  },
  ESCROW_TEXT_INVALID: {
    status: 422,
    title: 'The text is empty or too long.',
    hint: 'Send at most as many bytes of UTF-8 as the data says.',
  },
  ESCROW_ALREADY_APPLIED: {
    status: 409,
    title: 'This key has applied already.',
    hint: 'Wait for the buyer to choose.',
  },
  ESCROW_APPLICATIONS_FULL: {
    status: 409,
    title: 'No more applications are taken.',
    hint: 'Look for another task.',
  },
  ESCROW_NOT_AN_APPLICANT: {
    status: 422,
    title: 'This key has not applied for the task.',
    hint: 'Choose one of those who have applied.',
  },
  ESCROW_FUNDED: {
    status: 409,
    title: 'Money is locked, and it is not yours alone to take back.',
    hint: 'Ask the worker to refund, or open a dispute.',
  },
  ESCROW_REFUND_NOT_YOURS: {
    status: 403,
    title: 'The buyer cannot take locked money back alone.',
    hint: 'Ask the worker to refund, or open a dispute.',
  },
  ESCROW_INVOICE_OF_OWN_NODE: {
    status: 422,
    title: "The invoice is one of the operator's own node.",
    hint: 'Make an invoice with a wallet of your own.',
  },
  ESCROW_INVOICE_AMOUNT_WRONG: {
    status: 422,
    title: 'The invoice does not ask for exactly the amount that is due.',
    hint: 'Make one for neededMsat, to the millisatoshi.',
  },
  ESCROW_INVOICE_HASH_USED: {
    status: 422,
    title: 'The payment hash of the invoice was used before.',
    hint: 'Make a new invoice; a hash is used once.',
  },
  ESCROW_INVOICE_EXPIRES_SOON: {
    status: 422,
    title: 'The invoice would expire before it may have to be paid.',
    hint: 'Make one that can be paid until neededUntil.',
  },
  ESCROW_INVOICE_CLTV_TOO_HIGH: {
    status: 422,
    title: 'The invoice asks for a longer final CLTV than the hold has room for.',
    hint: 'Use a wallet that asks for at most the cap, or a longer hold.',
  },
  ESCROW_INVOICE_MISSING: {
    status: 409,
    title: "The worker's invoice is missing.",
    hint: 'The worker submits it first.',
  },
  ESCROW_PREIMAGE_WRONG: {
    status: 422,
    title: 'This is not the preimage of the hold.',
    hint: 'Send the 32 bytes in hex that your wallet shows as proof of this payment.',
  },
  ESCROW_CUSTODY_UNAVAILABLE: {
    status: 409,
    title: 'The operator’s node cannot hold money in this way.',
    hint: 'The custody labels that it can give are listed in the data.',
  },
  ESCROW_LIQUIDITY_LACKING: {
    status: 503,
    title: 'The operator could not pay the worker just now.',
    hint: 'Try again later; nothing was locked.',
  },
  ESCROW_HOLDS_FULL: {
    status: 409,
    title: 'As many holds are open as may be at once.',
    hint: 'Wait until one ends; the data says whose limit it is.',
  },
  ESCROW_TOO_LATE: {
    status: 409,
    title: 'The hold is too close to its deadline for that.',
    hint: 'The guardian ends it; the buyer has the money back soon.',
  },
  ESCROW_REVISIONS_EXHAUSTED: {
    status: 409,
    title: 'There were as many revisions as there may be.',
    hint: 'Approve the work or open a dispute.',
  },
} as const satisfies Catalogue
