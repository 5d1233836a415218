import { typeName } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { isAtOrBelow, type Name, sameName } from '../dns/names.ts'
import type { Dnskey, Rrsig } from '../dns/rdata.ts'
import { isSupportedAlgorithm, type VerifySignature } from './algorithms.ts'
import { keyTag } from './keys.ts'
import { Bogus, type BogusCode } from './result.ts'
import { type Rrset, signedData, signedLabelCount } from './rrset.ts'
import { serialDistance, signatureWindow } from './signature-time.ts'

/** A zone that the chain of trust has reached, and the keys that may sign in it. */
export type TrustedZone = { zone: Name; keys: readonly Dnskey[] }

/** A verified RRset. */
export type SecureRrset = {
  rrset: Rrset
  rrsig: Rrsig
  /** How long it may be kept, in seconds. */
  ttlSeconds: number
  /** Whether it was synthesized from a wildcard: then the exact name must be denied (RFC 4035 §5.3.4). */
  fromWildcard: boolean
  /** The records and the RRSIG that proved them. */
  proof: ResourceRecord[]
}

/** Checks signatures, and counts what a hostile answer could make us do (KeyTrap, CVE-2023-50387). */
export type Budget = { spendVerification(): void; readonly verifySignature: VerifySignature }

/** The moment for which signatures must be valid (RFC 4035 §5.3.1), in seconds. */
export type SigningTime = { readonly nowSeconds: number; readonly expiryGraceSeconds: number }

/** Wrong signatures over one RRset after which we give up; honest zones have none or, in a rollover, one. */
const MAX_WRONG_SIGNATURES = 4

/** Signatures over one RRset that are looked at: several algorithms times a rollover. */
const MAX_SIGNATURES = 16

/**
 * Verifies that one of the RRset's signatures is right (RFC 4035 §5.3). @throws Bogus with the reason of the
 * signature that came closest.
 */
export function verifyRrset(
  set: Rrset,
  trusted: TrustedZone,
  time: SigningTime,
  budget: Budget,
): SecureRrset {
  const what = `${typeName(set.type)} of ${set.name}`
  let closest: Failure = { rank: -1, code: 'signature-missing', reason: `the ${what} is not signed` }
  let wrong = 0
  for (const { rrsig, record } of set.signatures.slice(0, MAX_SIGNATURES)) {
    const failure =
      unfit(set, rrsig, trusted, time) ?? verifyByAnyKey(set, rrsig, trusted, budget, () => ++wrong)
    if (failure === null) {
      return {
        rrset: set,
        rrsig,
        ttlSeconds: lifetime(set, rrsig, time.nowSeconds),
        fromWildcard: rrsig.labels < signedLabelCount(set.name),
        proof: [...set.records, record],
      }
    }
    if (failure.rank > closest.rank) closest = failure
  }
  throw new Bogus(closest.code, `${what}: ${closest.reason}`)
}

type Failure = { rank: number; code: BogusCode; reason: string }

/** The checks of RFC 4035 §5.3.1 that need no arithmetic, cheapest first. */
function unfit(set: Rrset, rrsig: Rrsig, { zone }: TrustedZone, time: SigningTime): Failure | null {
  if (!sameName(rrsig.signerName, zone) || !isAtOrBelow(set.name, zone)) {
    return { rank: 0, code: 'wrong-signer', reason: `signed by ${rrsig.signerName} instead of ${zone}` }
  }
  if (rrsig.labels > signedLabelCount(set.name)) {
    return { rank: 1, code: 'wrong-labels', reason: 'the signature counts more labels than the name has' }
  }
  // A wildcard lies in its zone, so no signature of the zone can count fewer labels than the zone's name has.
  if (rrsig.labels < signedLabelCount(zone)) {
    return { rank: 1, code: 'wrong-labels', reason: 'the signature is for a wildcard above its zone' }
  }
  if (!isSupportedAlgorithm(rrsig.algorithm)) {
    return { rank: 2, code: 'algorithm-unsupported', reason: `algorithm ${rrsig.algorithm} is refused` }
  }
  const window = signatureWindow(rrsig, time.nowSeconds, time.expiryGraceSeconds)
  if (window === 'expired') return { rank: 3, code: 'signature-expired', reason: 'the signature has expired' }
  if (window === 'not-yet-valid') {
    return { rank: 3, code: 'signature-not-yet-valid', reason: 'the signature begins in the future' }
  }
  return null
}

function verifyByAnyKey(
  set: Rrset,
  rrsig: Rrsig,
  { keys }: TrustedZone,
  budget: Budget,
  countWrong: () => number,
): Failure | null {
  const candidates = keys.filter((key) => key.algorithm === rrsig.algorithm && keyTag(key) === rrsig.keyTag)
  let failure: Failure = {
    rank: 4,
    code: 'key-missing',
    reason: `no trusted key has the tag ${rrsig.keyTag}`,
  }
  if (candidates.length === 0) return failure
  const message = signedData(set, rrsig)
  for (const key of candidates) {
    budget.spendVerification()
    const verdict = budget.verifySignature(rrsig.algorithm, key.publicKey, message, rrsig.signature)
    if (verdict === 'right') return null
    if (countWrong() >= MAX_WRONG_SIGNATURES) {
      throw new Bogus('too-much-work', `${set.name} carries too many wrong signatures`)
    }
    failure =
      verdict === 'wrong'
        ? { rank: 6, code: 'signature-wrong', reason: 'the signature is wrong' }
        : { rank: 5, code: 'key-unusable', reason: `the key cannot be used: ${verdict.unusable}` }
  }
  return failure
}

/** RFC 4035 §5.3.3, and BIP-353: no longer than any signed TTL. */
function lifetime(set: Rrset, rrsig: Rrsig, nowSeconds: number): number {
  const ttls = set.records.map(({ ttl }) => ttl)
  const untilExpiry = Math.max(0, serialDistance(nowSeconds, rrsig.expiration))
  return Math.min(...ttls, rrsig.originalTtl, untilExpiry)
}
