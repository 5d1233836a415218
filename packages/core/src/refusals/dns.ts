import type { Catalogue } from './catalogue.ts'

/** Zones, and the records that we publish in them. */
export const DNS_REFUSALS = {
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
  DNS_UNAVAILABLE: { status: 503, title: 'The DNS does not answer.', hint: 'Try again later.' },
} as const satisfies Catalogue
