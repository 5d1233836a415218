import type { Catalogue } from './catalogue.ts'

/** Names, their jobs, and the offers that are published for them. */
export const NAME_REFUSALS = {
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
    hint: 'Until the time named in the data only its last owner can register it, and nobody at all if it was suspended; choose another name.',
  },
  NAME_COVERED: {
    status: 409,
    title: 'The wildcard of the domain answers for this name.',
    hint: 'Nothing needs to be registered: every name of the domain can be paid.',
  },
  WILDCARD_NOT_YOURS: {
    status: 403,
    title: 'The wildcard of a domain belongs to the one owner of the domain.',
    hint: 'Prove that the domain is yours (POST /v1/domains), or ask the operator.',
  },
  DOMAIN_SHARED: {
    status: 409,
    title: 'Other keys have names in this domain, or had until a short time ago.',
    hint: 'A wildcard would be paid in their place: wait until those names are released and their quarantine is over.',
  },
  NAME_CHANGED_TOO_OFTEN: {
    status: 409,
    title: 'Too many former offers of the name wait until its owner’s node has disabled them.',
    hint: 'They are disabled a good minute after they were replaced, when the node is online; try again then.',
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
  JOB_NOT_FOUND: {
    status: 404,
    title: 'There is no such job.',
    hint: 'Check the id; finished jobs are kept.',
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
} as const satisfies Catalogue
