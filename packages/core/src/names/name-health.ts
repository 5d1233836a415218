import { RENEW_BEFORE_EXPIRY_MS, WITHDRAW_BEFORE_EXPIRY_MS } from './name-delays.ts'
import type { NameOffer } from './name-states.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** What may be wrong with a live name. Stable: clients may switch on it. */
export const UNHEALTHY_REASONS = {
  'not-found': {
    title: 'The DNS proves that the name has no record.',
    hint: 'It is published again; when it stays away, look at the zone or at the alias that leads to it.',
  },
  'content-changed': {
    title: 'Another record stands in the place of the one that was published.',
    hint: 'It is replaced; find out who else may write to the zone.',
  },
  'second-record': {
    title: 'The name holds more than one payment instruction, so that nobody may pay it.',
    hint: 'Leave the one bitcoin: record that was published here; find out who else may write to the zone.',
  },
  'zone-unsigned': {
    title: 'The zone is not signed, or its parent has no DS any more.',
    hint: 'Sign the zone, or have the DS published again.',
  },
  'signature-expired': {
    title: 'A DNSSEC signature has expired.',
    hint: 'Have the DNS server sign again; look at its clock and at its keys.',
  },
  bogus: {
    title: 'The DNSSEC chain of the name is broken.',
    hint: 'Compare DS, keys and signatures; nobody should pay until it is mended.',
  },
  'signature-expires-soon': {
    title: 'A DNSSEC signature of the zone expires soon and was not renewed.',
    hint: 'See whether the DNS server still signs.',
  },
  'offer-expiring': {
    title: 'The offer expires soon.',
    hint: 'Its owner gives the name another one: PUT /v1/names/:name.',
  },
} as const satisfies Record<string, { title: string; hint: string }>

export type UnhealthyReason = keyof typeof UNHEALTHY_REASONS

/** What the watcher found, and since when. */
export type Unhealthy = { readonly reason: UnhealthyReason; readonly since: number }

/** A zone that signs renews its signatures long before. */
export const SIGNATURE_EXPIRES_SOON_MS = 12 * HOUR_MS
/** Only its owner can renew an offer that was brought, so its owner is told early. */
const BROUGHT_EXPIRES_SOON_MS = 14 * DAY_MS
/** The owner's node has been asked every hour since this time began. */
const MADE_EXPIRES_SOON_MS = RENEW_BEFORE_EXPIRY_MS - DAY_MS

/** Whether the name will lose its record soon, unless somebody renews its offer. */
export function isOfferExpiring({ source, expiresAt }: NameOffer, now: number): boolean {
  if (expiresAt === undefined) return false
  const soonMs = source === 'brought' ? BROUGHT_EXPIRES_SOON_MS : MADE_EXPIRES_SOON_MS
  return expiresAt - WITHDRAW_BEFORE_EXPIRY_MS - now < soonMs
}

/** Writing a record mends only what is wrong with the record: in a broken zone it would change nothing. */
export function isMendedByRecord(reason: UnhealthyReason): boolean {
  return reason === 'not-found' || reason === 'content-changed'
}
