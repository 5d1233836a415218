import type { Catalogue } from './catalogue.ts'

/** Merchants' own domains. */
export const DOMAIN_REFUSALS = {
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
} as const satisfies Catalogue
