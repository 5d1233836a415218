import { type Refusal, refuse } from '../refusals.ts'

/** A name of ours that keeps the rules: lower case, without ₿. */
export type NewName = {
  readonly user: string
  readonly domain: string
  /** What the name looks like to a hurried eye; two live names of a domain never share it. */
  readonly skeleton: string
}

/** RFC 4592: at this name stands the record that answers for every name of the domain that has none of its own. */
export const WILDCARD = '*'

/** RFC 1035 2.3.4: a label holds at most 63 octets, a name 255 on the wire, which is 253 characters of text. */
const LABEL_MAX = 63
const DNS_NAME_MAX = 253
/** BIP-353: the record of `user@domain` lives at `user.user._bitcoin-payment.domain`. */
const RECORD_INFIX = '.user._bitcoin-payment.'

/** Words that readers take for the operator's own voice, or that mail and web conventions have taken (RFC 2142). */
const RESERVED = new Set(
  [
    'abuse admin administrator api arbiter autoconfig autodiscover billing bitcoin bot contact daemon dispute dns',
    'dnssec escrow everyone ftp guardian help holdfast hostmaster info invoice legal localhost mail mailer-daemon',
    'me mod moderator mta-sts nobody noc node noreply no-reply ns null official operator owner payment payments',
    'postmaster privacy refund refunds register root sales satoshi security server staff status support system team',
    'test undefined usenet user username wallet webmaster well-known wpad www',
  ]
    .join(' ')
    .split(' ')
    .map(skeletonOf),
)

/**
 * Reads the user part by the rules for names registered here, and keeps back what is reserved: our words, and those
 * that the operator adds.
 */
export function parseNewName(
  user: string,
  domain: string,
  alsoReserved: readonly string[] = [],
): NewName | Refusal {
  const name = readName(user, domain)
  if ('refused' in name) return name
  return isReserved(name.user, alsoReserved) ? refuse('NAME_RESERVED', { user: name.user }) : name
}

/**
 * Checks the user part against the rules for names registered here. BOLT 12's `invreq_bip_353_name` (field 91) allows
 * `0-9a-zA-Z-_.`; ours are that in lower case, so that a name has one spelling.
 */
export function readName(user: string, domain: string): NewName | Refusal {
  const name = user.replace(/^₿/, '').toLowerCase()
  const invalid = (rule: string) => refuse('NAME_INVALID', { user: user.slice(0, 80), rule })
  if (name.length < 1 || name.length > LABEL_MAX) return invalid('length')
  if (!/^[a-z0-9._-]+$/.test(name)) return invalid('characters')
  // An A-label (RFC 5890 2.3.2.1) shows as letters of any script: no ASCII rule can tell its look-alikes apart.
  if (name.split('.').some((label) => label.startsWith('xn--'))) return invalid('punycode')
  if (!/^[a-z0-9]/.test(name) || !/[a-z0-9]$/.test(name)) return invalid('edges')
  if (/[._-]{2}/.test(name)) return invalid('separators')
  if (name.length + RECORD_INFIX.length + domain.length > DNS_NAME_MAX) return invalid('dns-length')
  return { user: name, domain, skeleton: skeletonOf(name) }
}

/** The name that stands for all of a domain. It looks like no other. */
export function wildcardOf(domain: string): NewName {
  return { user: WILDCARD, domain, skeleton: WILDCARD }
}

/** Folds the ASCII look-alikes: 0 and o, 1 and l, rn and m, vv and w. */
export function skeletonOf(name: string): string {
  return name.replace(/0/g, 'o').replace(/1/g, 'l').replace(/rn/g, 'm').replace(/vv/g, 'w')
}

/** Also when written with look-alikes, a 1 for an i, or separators. */
function isReserved(name: string, alsoReserved: readonly string[]): boolean {
  const also = new Set(alsoReserved.map((word) => skeletonOf(word.toLowerCase())))
  return [name, name.replace(/1/g, 'i')]
    .map(skeletonOf)
    .flatMap((folded) => [folded, folded.replace(/[._-]/g, '')])
    .some((folded) => RESERVED.has(folded) || also.has(folded))
}
