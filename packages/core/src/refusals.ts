/**
 * The one catalogue of everything that Holdfast declines to do. A code is stable: clients may switch on it.
 * `status` is the HTTP status that REST answers with; `title` says what is wrong; `hint` says what to do.
 */
export const REFUSALS = {
  REQUEST_INVALID: {
    status: 400,
    title: 'The request does not have the documented form.',
    hint: 'Compare it with the API page; unknown fields are not accepted.',
  },
  JSON_INVALID: {
    status: 400,
    title: 'The body is not valid JSON.',
    hint: 'Send one JSON object encoded as UTF-8.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is larger than this endpoint accepts.',
    hint: 'Keep the body within the documented limit.',
  },
  CONTENT_TYPE_UNSUPPORTED: {
    status: 415,
    title: 'The body is not application/json.',
    hint: 'Send the header content-type: application/json.',
  },
  ROUTE_NOT_FOUND: {
    status: 404,
    title: 'There is nothing at this address.',
    hint: 'The API page lists all addresses.',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests.',
    hint: 'Wait for the seconds named in the retry-after header.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request did not arrive in time.',
    hint: 'Send it again with the same Idempotency-Key.',
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'The server is stopping.',
    hint: 'Send it again in a few seconds with the same Idempotency-Key.',
  },
  OVERLOADED: {
    status: 503,
    title: 'The server has more to do than it can.',
    hint: 'Send it again in a few seconds with the same Idempotency-Key.',
  },
  INTERNAL: { status: 500, title: 'Something failed on our side.', hint: 'Tell the operator the requestId.' },

  AUTH_REQUIRED: {
    status: 401,
    title: 'The request is not signed.',
    hint: 'Sign it with NIP-98 or send a session token.',
  },
  AUTH_EVENT_INVALID: {
    status: 401,
    title: 'The NIP-98 event is malformed or its signature is wrong.',
    hint: 'Sign a kind 27235 event with the tags u, method and payload.',
  },
  AUTH_EVENT_MISMATCH: {
    status: 401,
    title: 'The NIP-98 event was signed for another request.',
    hint: 'Sign the exact URL, method and body that you send.',
  },
  AUTH_EVENT_EXPIRED: {
    status: 401,
    title: 'The NIP-98 event is too old or lies in the future.',
    hint: 'Set the clock; created_at must be within 60 seconds of now.',
  },
  AUTH_EVENT_REPLAYED: {
    status: 401,
    title: 'The NIP-98 event was used before.',
    hint: 'Sign a new event for every request.',
  },
  SESSION_INVALID: {
    status: 401,
    title: 'The session token is unknown or has expired.',
    hint: 'Open a new session with POST /v1/sessions.',
  },
  FORBIDDEN: { status: 403, title: 'This key may not do that.', hint: 'Sign with the key that owns it.' },
  IDEMPOTENCY_KEY_REQUIRED: {
    status: 400,
    title: 'The Idempotency-Key header is missing or malformed.',
    hint: 'Send 1 to 64 characters of A-Z a-z 0-9 _ - that are new for every distinct request.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 409,
    title: 'The Idempotency-Key was used for another request.',
    hint: 'Use a new key, or repeat exactly the same request.',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    title: 'The same request is being answered right now.',
    hint: 'Repeat it in a moment with the same key.',
  },

  RESUME_TOKEN_INVALID: {
    status: 400,
    title: 'The resume token was not given by this server.',
    hint: 'Read the current state and follow from now on.',
  },

  NAME_INVALID: {
    status: 422,
    title: 'The name breaks the rules for names.',
    hint: 'Use 1 to 63 characters of a-z 0-9 - _ . that begin and end with a letter or digit.',
  },
  NAME_RESERVED: { status: 422, title: 'The name is reserved.', hint: 'Choose another name.' },
  NAME_TAKEN: { status: 409, title: 'The name is taken.', hint: 'Choose another name.' },
  NAME_NOT_FOUND: { status: 404, title: 'There is no such name here.', hint: 'Check the spelling.' },
  NAME_NOT_ACTIVE: {
    status: 409,
    title: 'The name is not active.',
    hint: 'Wait until its registration has ended.',
  },
  ZONE_NOT_FOUND: {
    status: 404,
    title: 'This server does not keep that zone.',
    hint: 'Compare the domain with the configured ones.',
  },
  ZONE_NOT_SIGNED: {
    status: 409,
    title: 'The zone is not signed, so there is no key to roll.',
    hint: 'Sign the zone first.',
  },
  NAME_LIMIT_REACHED: {
    status: 409,
    title: 'This key owns as many names as it may.',
    hint: 'Release a name first.',
  },
  NAME_TIMED_OUT: {
    status: 503,
    title: 'The registration took too long and was undone.',
    hint: 'Nothing was left behind; register the name again.',
  },
  NAME_RELEASED: {
    status: 410,
    title: 'The owner released the name.',
    hint: 'It can be registered again.',
  },
  NAME_SUSPENDED: {
    status: 409,
    title: 'The operator suspended the name.',
    hint: 'Ask the operator; until it is resumed the name can only be released.',
  },
  NAME_NOT_SUSPENDED: { status: 409, title: 'The name is not suspended.', hint: 'Nothing needs to be done.' },
  NAME_QUARANTINED: {
    status: 409,
    title: 'The name was given up a short time ago.',
    hint: 'Until the time named in the data only its last owner can register it; choose another name.',
  },
  OFFER_USED: {
    status: 409,
    title: 'This offer is, or was until just now, the one of the name.',
    hint: 'Make a new offer.',
  },
  TRANSFER_NOT_PROPOSED: {
    status: 409,
    title: 'The owner has not proposed to transfer this name to that key.',
    hint: 'The owner must propose the transfer first.',
  },
  TRANSFER_EXPIRED: {
    status: 409,
    title: 'The proposal to transfer the name has expired.',
    hint: 'Ask the owner to propose the transfer again.',
  },
  TRANSFER_TO_OWNER: {
    status: 422,
    title: 'The name is owned by that key already.',
    hint: 'Name the key of the new owner.',
  },
  RECORD_OCCUPIED: {
    status: 409,
    title: 'Another record stands in the DNS at this name.',
    hint: 'The operator must remove it; choose another name until then.',
  },
  RECORD_NOT_CONFIRMED: {
    status: 503,
    title: 'Too few of the resolvers that are asked see the record yet.',
    hint: 'Caches may hold what was there before; it is tried again until the deadline.',
  },
  DNS_REFUSED: {
    status: 503,
    title: 'The DNS server does not accept our changes.',
    hint: 'Tell the operator: the zone or its update key is not set up.',
  },
  DOMAIN_INVALID: {
    status: 422,
    title: 'This cannot be a domain of your own.',
    hint: 'Send a domain name with a dot, in ASCII, that is not one of ours or below one.',
  },
  DOMAIN_NOT_FOUND: {
    status: 404,
    title: 'You have no such domain here.',
    hint: 'POST /v1/domains claims it.',
  },
  DOMAIN_NOT_VERIFIED: {
    status: 409,
    title: "The challenge was not found in the domain's DNS.",
    hint: 'Publish the TXT record that the instructions name; it is looked for again by itself.',
  },
  DOMAIN_TAKEN: {
    status: 409,
    title: 'Another key has proven that the domain is theirs.',
    hint: 'Remove their challenge from the DNS: three days later, once no name of theirs is left, it is yours.',
  },
  DOMAIN_LIMIT_REACHED: {
    status: 429,
    title: 'This key has as many domains as it may have.',
    hint: 'Give one up first.',
  },
  DOMAIN_IN_USE: {
    status: 409,
    title: 'There are names in this domain.',
    hint: 'Release them first.',
  },
  DOMAIN_UNKNOWN: {
    status: 422,
    title: 'Names cannot be registered in this domain.',
    hint: 'Use one of the domains listed by GET /v1/domains.',
  },
  JOB_NOT_FOUND: {
    status: 404,
    title: 'There is no such job.',
    hint: 'Check the id; finished jobs are kept.',
  },

  NODE_NOT_CONNECTED: {
    status: 409,
    title: 'No Lightning node is connected for this key.',
    hint: 'Connect a node first.',
  },
  NODE_OFFLINE: {
    status: 503,
    title: 'The Lightning node does not answer.',
    hint: 'Try again when the node is online.',
  },
  NODE_CANNOT: {
    status: 422,
    title: 'This Lightning node does not support that.',
    hint: 'Its capabilities are listed with the node.',
  },

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
    hint: 'Ask the payee for a new offer.',
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
  OFFER_EXPIRES_SOON: {
    status: 422,
    title: 'The BOLT 12 offer expires too soon to be published.',
    hint: 'Make an offer without expiry, or one that lives at least 30 days.',
  },
  OFFER_TOO_LONG: {
    status: 422,
    title: 'The BOLT 12 offer is too long for a DNS record.',
    hint: 'Make an offer with fewer or shorter paths.',
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

  RESOLVE_NO_SUCH_NAME: {
    status: 404,
    title: 'The DNS proves that there is no such name.',
    hint: 'Check the spelling.',
  },
  RESOLVE_UNSIGNED: {
    status: 422,
    title: 'The zone of this name is not signed with DNSSEC.',
    hint: 'Its owner must sign the zone; until then it cannot be trusted.',
  },
  RESOLVE_BOGUS: {
    status: 422,
    title: 'The DNSSEC signatures of this name are wrong.',
    hint: 'Do not pay. Its owner must mend the zone.',
  },
  RESOLVE_AMBIGUOUS: {
    status: 422,
    title: 'The name holds more than one payment instruction.',
    hint: 'Its owner must leave exactly one bitcoin: record.',
  },
  RESOLVE_NO_INSTRUCTION: {
    status: 404,
    title: 'The name exists but holds no payment instruction.',
    hint: 'Its owner must publish a bitcoin: record.',
  },
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

  PROOF_TOO_LARGE: {
    status: 422,
    title: 'The records of this name do not fit a proof of 65,535 bytes.',
    hint: 'Its owner must publish fewer or shorter TXT records.',
  },
  DNS_UNAVAILABLE: { status: 503, title: 'The DNS does not answer.', hint: 'Try again later.' },
} as const satisfies Record<string, { status: number; title: string; hint: string }>

export type RefusalCode = keyof typeof REFUSALS
export type RefusalData = Readonly<Record<string, string | number | boolean | null>>

/** A refusal is a value: nothing was changed, and the caller is told why. `data` must hold no secret. */
export type Refusal = { readonly refused: RefusalCode; readonly data: RefusalData }

export function refuse(code: RefusalCode, data: RefusalData = {}): Refusal {
  return { refused: code, data }
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value
}
