import { TYPE, typeName } from '../dns/codes.ts'
import { type Name, rightmostLabels, sameName } from '../dns/names.ts'
import { decodeNsec, decodeNsec3 } from '../dns/rdata.ts'
import { allowsWildcardByNsec, denyByNsec, type VerifiedNsec } from './denial-nsec.ts'
import { allowsWildcardByNsec3, denyByNsec3, nsec3Chain, type VerifiedNsec3 } from './denial-nsec3.ts'
import type { Denial } from './denial-types.ts'
import { Bogus, Insecure } from './result.ts'
import type { Rrset } from './rrset.ts'
import type { Session } from './session.ts'
import type { SecureRrset, TrustedZone } from './signature.ts'

/** The NSEC and NSEC3 records of an authority section whose signatures are right. */
type Evidence = {
  nsec: VerifiedNsec[]
  nsec3: VerifiedNsec3[]
  verified: SecureRrset[]
  firstFailure?: Bogus
}

/** A complete denial needs at most four RRsets; more are not looked at. */
const MAX_DENIAL_RRSETS = 8

/** What the authority section proves about `type` at `name`, and by which RRsets. @throws Bogus when nothing. */
export function proveDenial(
  session: Session,
  authority: readonly Rrset[],
  zone: TrustedZone,
  name: Name,
  type: number,
): { denial: Denial; evidence: readonly SecureRrset[] } {
  const evidence = gather(session, authority, zone)
  const chain = nsec3Chain(evidence.nsec3, zone.zone)
  const denial =
    denyByNsec(evidence.nsec, zone.zone, name, type) ?? (chain ? denyByNsec3(chain, name, type) : null)
  if (!denial) {
    throw (
      evidence.firstFailure ??
      new Bogus('denial-missing', `nothing proves that ${name} has no ${typeName(type)}`)
    )
  }
  return { denial, evidence: evidence.verified }
}

/**
 * Accepts an RRset that was synthesized from a wildcard only with proof that the exact name does not exist
 * (RFC 4035 §5.3.4, RFC 5155 §8.8). @throws Bogus, Insecure
 */
export function checkWildcard(
  session: Session,
  authority: readonly Rrset[],
  zone: TrustedZone,
  secure: SecureRrset,
): void {
  if (!secure.fromWildcard) return
  const { name } = secure.rrset
  const encloser = rightmostLabels(name, secure.rrsig.labels)
  const evidence = gather(session, authority, zone)
  if (!allowsWildcardByNsec(evidence.nsec, zone.zone, name, encloser)) {
    const chain = nsec3Chain(evidence.nsec3, zone.zone)
    const allowed = chain ? allowsWildcardByNsec3(chain, name, encloser) : 'no'
    if (allowed === 'opt-out') throw new Insecure(zone.zone, `${name} lies in an opt-out span`)
    if (allowed === 'no') {
      throw (
        evidence.firstFailure ??
        new Bogus('denial-missing', `a wildcard answers for ${name}, and nothing proves that it may`)
      )
    }
  }
  for (const proven of evidence.verified) session.rely(proven)
}

function gather(session: Session, authority: readonly Rrset[], zone: TrustedZone): Evidence {
  const evidence: Evidence = { nsec: [], nsec3: [], verified: [] }
  const denials = authority.filter(({ type }) => type === TYPE.NSEC || type === TYPE.NSEC3)
  // A proof holds the denials of all the zones that it crosses: those of this one come first.
  const ours = denials.filter((set) => isSignedBy(set, zone.zone))
  const others = denials.filter((set) => !ours.includes(set))
  for (const set of [...ours, ...others].slice(0, MAX_DENIAL_RRSETS)) {
    let secure: SecureRrset
    try {
      secure = session.verify(set, zone)
    } catch (error) {
      if (!(error instanceof Bogus) || error.code === 'too-much-work') throw error
      evidence.firstFailure ??= error
      continue
    }
    // RFC 4035 §5.4 reasons with the owner's own name: an NSEC that a wildcard lent proves nothing there.
    if (secure.fromWildcard) continue
    evidence.verified.push(secure)
    for (const { rdata } of set.records) {
      if (set.type === TYPE.NSEC) evidence.nsec.push({ owner: set.name, ...decodeNsec(rdata) })
      else evidence.nsec3.push({ owner: set.name, ...decodeNsec3(rdata) })
    }
  }
  return evidence
}

function isSignedBy(set: Rrset, zone: Name): boolean {
  return set.signatures.some(({ rrsig }) => sameName(rrsig.signerName, zone))
}
