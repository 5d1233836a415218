import { TYPE } from '../dns/codes.ts'
import {
  canonicalName,
  isAtOrBelow,
  labelCount,
  labelsOf,
  type Name,
  nameFromLabels,
  parseName,
} from '../dns/names.ts'
import { decodeNameRdata, decodeTxt } from '../dns/rdata.ts'
import { DnsWireError } from '../dns/wire-error.ts'
import type { VerifySignature } from './algorithms.ts'
import { ROOT_ANCHORS, type TrustAnchor } from './anchors.ts'
import { type AnswerSource, type DnsQuery, dnsAnswers, type Sections } from './answer-source.ts'
import { checkWildcard, proveDenial } from './denial.ts'
import { Bogus, Insecure, type TxtResolution, Unavailable } from './result.ts'
import { findRrset, type Rrset } from './rrset.ts'
import { Session, type SessionOptions } from './session.ts'
import type { TrustedZone } from './signature.ts'
import { aliasAt, walkTo } from './zone-walk.ts'

/** CNAME and DNAME steps that we follow; resolvers stop at about as many. */
const MAX_ALIASES = 8

export type ResolveOptions = {
  query: DnsQuery
  /** Seconds since 1970. */
  nowSeconds: number
  /** Default: the root's key signing keys. */
  anchors?: readonly TrustAnchor[]
  /**
   * Default: the pure one. It may be a platform's faster one, as strict as ours, and `makeVerifiedSignatures` around
   * either saves each of many calls the signatures that the others have verified.
   */
  verifySignature?: VerifySignature
}

/**
 * Finds the TXT records at `name` and validates them from the trust anchor down (RFC 4035 §5). Believes nothing that
 * is not signed: neither AD bits nor rcodes nor glue. @throws DnsWireError when `name` is no domain name, RangeError when
 * `nowSeconds` is no time; every other outcome is a value.
 */
export async function resolveTxt(name: string, options: ResolveOptions): Promise<TxtResolution> {
  return validateTxt(parseName(name), dnsAnswers(options.query), options)
}

/** The same, for records from anywhere. */
export async function validateTxt(
  name: Name,
  source: AnswerSource,
  options: SessionOptions & { anchors?: readonly TrustAnchor[] | undefined },
): Promise<TxtResolution> {
  try {
    return await followAliases(new Session(source, options), options.anchors ?? ROOT_ANCHORS, name)
  } catch (error) {
    if (error instanceof Bogus) return { status: 'bogus', code: error.code, reason: error.message }
    if (error instanceof Insecure) return { status: 'insecure', zone: error.zone, reason: error.message }
    if (error instanceof Unavailable) return { status: 'unavailable', reason: error.message }
    throw error
  }
}

async function followAliases(
  session: Session,
  anchors: readonly TrustAnchor[],
  first: Name,
): Promise<TxtResolution> {
  const visited = new Set<Name>()
  let target = first
  for (;;) {
    if (visited.has(canonicalName(target)) || visited.size > MAX_ALIASES) {
      throw new Bogus('alias-loop', `the aliases of ${first} do not end`)
    }
    visited.add(canonicalName(target))
    const sections = await session.ask(target, TYPE.TXT)
    const txt = findRrset(sections.answer, target, TYPE.TXT)
    const alias = txt ? undefined : aliasAt(sections.answer, target)
    const found = txt ?? alias
    const zone = await walkTo(session, anchors, deepestSigner(found ? [found] : sections.authority, target))
    if (txt) return secureAnswer(session, sections, zone, txt)
    if (!alias) return negativeAnswer(session, sections, zone, target)
    target = followAlias(session, sections, zone, alias, target)
  }
}

function secureAnswer(session: Session, sections: Sections, zone: TrustedZone, txt: Rrset): TxtResolution {
  verifyAndRely(session, sections, zone, txt)
  const values = txt.records.map(({ rdata }) => joined(decodeTxt(rdata)))
  return { status: 'secure', values, ...lifetime(session) }
}

function negativeAnswer(session: Session, sections: Sections, zone: TrustedZone, name: Name): TxtResolution {
  const { denial, evidence } = proveDenial(session, sections.authority, zone, name, TYPE.TXT)
  for (const secure of evidence) session.rely(secure)
  switch (denial.proves) {
    case 'nxdomain':
      return { status: 'nxdomain', ...lifetime(session) }
    case 'nodata':
    case 'wildcard-nodata':
      return { status: 'nodata', ...lifetime(session) }
    case 'opt-out':
      throw new Insecure(zone.zone, `${name} lies in an opt-out span`)
  }
}

function followAlias(
  session: Session,
  sections: Sections,
  zone: TrustedZone,
  alias: Rrset,
  name: Name,
): Name {
  verifyAndRely(session, sections, zone, alias)
  const targets = new Set(alias.records.map(({ rdata }) => canonicalName(decodeNameRdata(rdata))))
  // RFC 2181 §10.1, RFC 6672 §2.4: an alias has one target.
  if (targets.size !== 1) throw new Bogus('alias-invalid', `${alias.name} is an alias of several names`)
  const [target] = targets as Iterable<Name> as [Name]
  return alias.type === TYPE.DNAME ? substitute(name, alias.name, target) : target
}

/** RFC 6672 §2.2. The CNAME that servers synthesize is unsigned and not looked at. */
function substitute(name: Name, owner: Name, target: Name): Name {
  const kept = labelsOf(name).slice(0, labelCount(name) - labelCount(owner))
  try {
    return nameFromLabels([...kept, ...labelsOf(target)])
  } catch (error) {
    if (!(error instanceof DnsWireError)) throw error
    throw new Bogus('alias-invalid', `the DNAME of ${owner} makes a name that is too long`)
  }
}

function verifyAndRely(session: Session, sections: Sections, zone: TrustedZone, set: Rrset): void {
  const secure = session.verify(set, zone)
  checkWildcard(session, sections.authority, zone, secure)
  session.rely(secure)
}

/**
 * How far down to walk: to the deepest zone that claims to have signed these RRsets, or, when they are not signed, to
 * the name itself, where the walk may find an unsigned delegation. Only a hint: a wrong one makes the answer bogus.
 */
function deepestSigner(sets: readonly Rrset[], name: Name): Name {
  const signers = sets
    .flatMap(({ signatures }) => signatures.map(({ rrsig }) => rrsig.signerName))
    .filter((signer) => isAtOrBelow(name, signer))
  const [deepest] = signers.sort((a, b) => labelCount(b) - labelCount(a))
  return deepest ?? name
}

function lifetime(session: Session) {
  const ttlSeconds = session.ttlSeconds
  return { ttlSeconds, expiresAt: session.nowSeconds + ttlSeconds, chain: session.proof }
}

function joined(strings: readonly Uint8Array[]): Uint8Array {
  const value = new Uint8Array(strings.reduce((sum, string) => sum + string.length, 0))
  let at = 0
  for (const string of strings) {
    value.set(string, at)
    at += string.length
  }
  return value
}
