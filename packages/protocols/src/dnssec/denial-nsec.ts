import { TYPE } from '../dns/codes.ts'
import {
  compareNames,
  isAtOrBelow,
  labelCount,
  labelsOf,
  type Name,
  rightmostLabels,
  sameName,
  wildcardOf,
} from '../dns/names.ts'
import type { Nsec } from '../dns/rdata.ts'
import { type Denial, typesDeny } from './denial-types.ts'

/** An NSEC whose signature was verified, and which was not itself synthesized from a wildcard. */
export type VerifiedNsec = Nsec & { owner: Name }

/** What these NSEC records of `zone` prove about `type` at `name` (RFC 4035 §5.4), or null when it is nothing. */
export function denyByNsec(
  records: readonly VerifiedNsec[],
  zone: Name,
  name: Name,
  type: number,
): Denial | null {
  const exact = records.find(({ owner }) => sameName(owner, name))
  if (exact) return typesDeny(exact.types, type) ? { proves: 'nodata', types: exact.types } : null
  const cover = findCover(records, zone, name)
  if (!cover) return null
  // The next name lies below this one, which is thereby an empty non-terminal: it exists without data.
  if (isAtOrBelow(cover.next, name)) return { proves: 'nodata', types: [] }
  const wildcard = wildcardOf(closestEncloser(cover, name))
  const atWildcard = records.find(({ owner }) => sameName(owner, wildcard))
  if (atWildcard) {
    const denied = typesDeny(atWildcard.types, type)
    return denied ? { proves: 'wildcard-nodata', types: atWildcard.types } : null
  }
  const overWildcard = findCover(records, zone, wildcard)
  if (!overWildcard) return null
  return isAtOrBelow(overWildcard.next, wildcard)
    ? { proves: 'wildcard-nodata', types: [] }
    : { proves: 'nxdomain' }
}

/**
 * Whether `name` itself does not exist, so that the wildcard directly below `encloser` was rightly expanded for it
 * (RFC 4035 §5.3.4): the closest existing ancestor must be `encloser`, or a closer wildcard could apply.
 */
export function allowsWildcardByNsec(
  records: readonly VerifiedNsec[],
  zone: Name,
  name: Name,
  encloser: Name,
): boolean {
  const cover = findCover(records, zone, name)
  return (
    cover !== undefined && !isAtOrBelow(cover.next, name) && sameName(closestEncloser(cover, name), encloser)
  )
}

function findCover(records: readonly VerifiedNsec[], zone: Name, name: Name): VerifiedNsec | undefined {
  return records.find((nsec) => covers(nsec, zone, name) && !isAncestorDelegation(nsec, name))
}

/** `name` sorts between the owner and the next name; the zone's last NSEC points back to the apex. */
function covers(nsec: VerifiedNsec, zone: Name, name: Name): boolean {
  if (!isAtOrBelow(name, zone) || !isAtOrBelow(nsec.next, zone) || compareNames(nsec.owner, name) >= 0) {
    return false
  }
  return sameName(nsec.next, zone) || compareNames(name, nsec.next) < 0
}

/**
 * RFC 6840 §4.1: the NSEC of a delegation (NS without SOA) or of a DNAME says nothing about names below its owner:
 * those belong to the child zone or to the alias.
 */
function isAncestorDelegation(nsec: VerifiedNsec, name: Name): boolean {
  if (!isAtOrBelow(name, nsec.owner)) return false
  const delegation = nsec.types.includes(TYPE.NS) && !nsec.types.includes(TYPE.SOA)
  return delegation || nsec.types.includes(TYPE.DNAME)
}

/** The longest ancestor of `name` that exists, as the two ends of the covering NSEC show. */
function closestEncloser(cover: VerifiedNsec, name: Name): Name {
  const shared = Math.max(sharedLabels(cover.owner, name), sharedLabels(cover.next, name))
  return rightmostLabels(name, shared)
}

function sharedLabels(a: Name, b: Name): number {
  const most = Math.min(labelCount(a), labelsOf(b).length)
  for (let count = most; count > 0; count--) {
    if (sameName(rightmostLabels(a, count), rightmostLabels(b, count))) return count
  }
  return 0
}
