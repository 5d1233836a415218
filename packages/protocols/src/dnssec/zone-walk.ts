import { TYPE } from '../dns/codes.ts'
import { isAtOrBelow, labelCount, type Name, rightmostLabels, sameName } from '../dns/names.ts'
import { decodeDnskey, decodeDs } from '../dns/rdata.ts'
import { isSupportedAlgorithm } from './algorithms.ts'
import type { TrustAnchor } from './anchors.ts'
import { checkWildcard, proveDenial } from './denial.ts'
import { matchesDs, mayValidate, sameKey, usableDs } from './keys.ts'
import { Bogus, Insecure } from './result.ts'
import { findRrset, type Rrset } from './rrset.ts'
import type { Session } from './session.ts'
import type { TrustedZone } from './signature.ts'

/** Keys of one set that may be tried as the one that a DS or an anchor names; tags can be made to collide. */
const MAX_ENTRY_KEYS = 4

/**
 * Walks from the closest trust anchor towards `target`, from zone cut to zone cut, and gives back the zone that holds
 * `target`. @throws Bogus; Insecure where a delegation is proven to be unsigned
 */
export async function walkTo(
  session: Session,
  anchors: readonly TrustAnchor[],
  target: Name,
): Promise<TrustedZone> {
  let trusted = await anchorZone(session, anchors, target)
  for (let labels = labelCount(trusted.zone) + 1; labels <= labelCount(target); labels++) {
    const name = rightmostLabels(target, labels)
    const step = await lookForCut(session, trusted, name)
    if (step === 'nothing-below') return trusted
    if (step !== 'no-cut') trusted = step
  }
  return trusted
}

async function anchorZone(
  session: Session,
  anchors: readonly TrustAnchor[],
  target: Name,
): Promise<TrustedZone> {
  const above = anchors.filter(({ zone }) => isAtOrBelow(target, zone))
  const depth = Math.max(...above.map(({ zone }) => labelCount(zone)))
  const closest = above.filter(({ zone }) => labelCount(zone) === depth)
  const [first] = closest
  if (!first) throw new Bogus('no-trust-anchor', `no trust anchor is above ${target}`)
  const ds = closest.flatMap((anchor) => (anchor.kind === 'ds' ? [anchor.ds] : []))
  const keys = closest.flatMap((anchor) => (anchor.kind === 'dnskey' ? [anchor.key] : []))
  return trustKeys(session, first.zone, (key) => {
    return (
      keys.some((known) => sameKey(known, key)) ||
      usableDs(ds).some((known) => matchesDs(first.zone, key, known))
    )
  })
}

/**
 * The keys of a zone, when its DNSKEY RRset is signed by one that the level above vouches for (RFC 4035 §5.2).
 */
async function trustKeys(
  session: Session,
  zone: Name,
  isVouchedFor: (key: ReturnType<typeof decodeDnskey>) => boolean,
): Promise<TrustedZone> {
  const { answer } = await session.ask(zone, TYPE.DNSKEY)
  const set = findRrset(answer, zone, TYPE.DNSKEY)
  if (!set) throw new Bogus('keys-do-not-match-ds', `${zone} has no DNSKEY`)
  const keys = set.records.map(({ rdata }) => decodeDnskey(rdata)).filter(mayValidate)
  const entries = keys.filter(isVouchedFor)
  if (entries.length === 0) {
    throw new Bogus(
      'keys-do-not-match-ds',
      `no DNSKEY of ${zone} matches what its parent or the anchor names`,
    )
  }
  const secure = session.verify(set, { zone, keys: entries.slice(0, MAX_ENTRY_KEYS) })
  if (secure.fromWildcard) throw new Bogus('wrong-labels', `the DNSKEY of ${zone} comes from a wildcard`)
  session.rely(secure)
  return { zone, keys: keys.filter(({ algorithm }) => isSupportedAlgorithm(algorithm)) }
}

/** Whether a zone begins at `name`: its DS, or the proof that there is none, is in the zone above. */
async function lookForCut(
  session: Session,
  parent: TrustedZone,
  name: Name,
): Promise<TrustedZone | 'no-cut' | 'nothing-below'> {
  const { answer, authority } = await session.ask(name, TYPE.DS)
  const ds = findRrset(answer, name, TYPE.DS)
  if (ds) return followDs(session, parent, ds)
  const alias = aliasAt(answer, name)
  if (alias) {
    const secure = session.verify(alias, parent)
    checkWildcard(session, authority, parent, secure)
    // RFC 1034 §3.6.2, RFC 6672 §2.4: where a CNAME is there is no zone; below a DNAME there is nothing.
    return alias.type === TYPE.DNAME || secure.fromWildcard ? 'nothing-below' : 'no-cut'
  }
  if (session.zoneCuts === 'given') return 'no-cut'
  const { denial } = proveDenial(session, authority, parent, name, TYPE.DS)
  switch (denial.proves) {
    case 'nxdomain':
    case 'wildcard-nodata':
      return 'nothing-below'
    case 'opt-out':
      throw new Insecure(name, `${name} lies in an opt-out span of ${parent.zone}`)
    case 'nodata':
      // RFC 4035 §5.2: NS without DS is an unsigned delegation.
      if (denial.types.includes(TYPE.NS)) throw new Insecure(name, `${name} is delegated without DS`)
      return 'no-cut'
  }
}

async function followDs(session: Session, parent: TrustedZone, set: Rrset): Promise<TrustedZone> {
  const secure = session.verify(set, parent)
  if (secure.fromWildcard) throw new Bogus('wrong-labels', `the DS of ${set.name} comes from a wildcard`)
  session.rely(secure)
  const usable = usableDs(set.records.map(({ rdata }) => decodeDs(rdata)))
  if (usable.length === 0) {
    throw new Insecure(set.name, `${set.name} is signed only with algorithms that we refuse`)
  }
  return trustKeys(session, set.name, (key) => usable.some((ds) => matchesDs(set.name, key, ds)))
}

/** The signed alias that applies to `name`: a DNAME above it, or else a CNAME at it. */
export function aliasAt(answer: readonly Rrset[], name: Name): Rrset | undefined {
  const dname = answer.find(
    (set) => set.type === TYPE.DNAME && isAtOrBelow(name, set.name) && !sameName(name, set.name),
  )
  return dname ?? findRrset(answer, name, TYPE.CNAME)
}
