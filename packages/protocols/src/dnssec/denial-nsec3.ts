import { sha1 } from '@noble/hashes/legacy.js'
import { TYPE } from '../dns/codes.ts'
import {
  compareBytes,
  isAtOrBelow,
  labelCount,
  labelsOf,
  type Name,
  nameToWire,
  parentOf,
  rightmostLabels,
  sameName,
  wildcardOf,
} from '../dns/names.ts'
import type { Nsec3 } from '../dns/rdata.ts'
import { type Denial, typesDeny } from './denial-types.ts'
import { Bogus } from './result.ts'
import { decodeBase32Hex } from './text-encodings.ts'

/** RFC 9276 §3.2: validators should refuse above a limit, which 100 is for most; zones should use 0. */
const MAX_ITERATIONS = 100
/** RFC 5155 §11: the only one. */
const HASH_SHA1 = 1
const FLAG_OPT_OUT = 1
/** The 20 bytes of SHA-1 in base32hex. */
const HASH_LABEL_BYTES = 32

/** An NSEC3 whose signature was verified. */
export type VerifiedNsec3 = Nsec3 & { owner: Name }

/** RFC 5155 §5: IH(salt, x, k) over the canonical name. */
export function nsec3Hash(name: Name, salt: Uint8Array, iterations: number): Uint8Array {
  let hash = nameToWire(name, 'canonical')
  for (let i = 0; i <= iterations; i++) {
    const salted = new Uint8Array(hash.length + salt.length)
    salted.set(hash)
    salted.set(salt, hash.length)
    hash = sha1(salted)
  }
  return hash
}

/** The NSEC3 records of one answer that may be reasoned with together, and the hashes computed so far. */
export type Nsec3Chain = { zone: Name; records: readonly HashedNsec3[]; hash: (name: Name) => Uint8Array }
type HashedNsec3 = VerifiedNsec3 & { ownerHash: Uint8Array }

/**
 * Keeps the usable records of `zone` (RFC 5155 §8.1, §8.2). Null when there is none. @throws Bogus when parameters
 * differ or the iterations are too many.
 */
export function nsec3Chain(all: readonly VerifiedNsec3[], zone: Name): Nsec3Chain | null {
  const records: HashedNsec3[] = []
  for (const record of all) {
    const ownerHash = ownerHashOf(record.owner, zone)
    // RFC 5155 §8.1, §8.2: unknown hash algorithms and flags are ignored.
    if (ownerHash && record.hashAlgorithm === HASH_SHA1 && (record.flags & ~FLAG_OPT_OUT) === 0) {
      if (ownerHash.length === record.nextHashedOwner.length) records.push({ ...record, ownerHash })
    }
  }
  const [first] = records
  if (!first) return null
  const { salt, iterations } = first
  if (records.some((record) => record.iterations !== iterations || compareBytes(record.salt, salt) !== 0)) {
    throw new Bogus('denial-missing', 'the NSEC3 records of one answer have different parameters')
  }
  if (iterations > MAX_ITERATIONS) {
    throw new Bogus('nsec3-iterations', `NSEC3 with ${iterations} iterations is refused (RFC 9276)`)
  }
  const hashes = new Map<Name, Uint8Array>()
  const hash = (name: Name) => {
    const known = hashes.get(name) ?? nsec3Hash(name, salt, iterations)
    hashes.set(name, known)
    return known
  }
  return { zone, records, hash }
}

/** What the chain proves about `type` at `name` (RFC 5155 §8.4 to §8.7), or null when it is nothing. */
export function denyByNsec3(chain: Nsec3Chain, name: Name, type: number): Denial | null {
  const exact = findMatch(chain, name)
  if (exact) return typesDeny(exact.types, type) ? { proves: 'nodata', types: exact.types } : null
  const proof = closestEncloserProof(chain, name)
  if (!proof) return null
  // RFC 5155 §9.2 and §12.2: over an opt-out span nothing is proven not to exist.
  if (proof.optOut) return { proves: 'opt-out' }
  const wildcard = wildcardOf(proof.encloser)
  const atWildcard = findMatch(chain, wildcard)
  if (atWildcard) {
    const denied = typesDeny(atWildcard.types, type)
    return denied ? { proves: 'wildcard-nodata', types: atWildcard.types } : null
  }
  const overWildcard = findCover(chain, wildcard)
  return overWildcard ? { proves: 'nxdomain' } : null
}

/** RFC 5155 §8.8: the name one label longer than the wildcard's parent must not exist. */
export function allowsWildcardByNsec3(
  chain: Nsec3Chain,
  name: Name,
  encloser: Name,
): 'yes' | 'no' | 'opt-out' {
  const cover = findCover(chain, rightmostLabels(name, labelCount(encloser) + 1))
  if (!cover) return 'no'
  return isOptOut(cover) ? 'opt-out' : 'yes'
}

/** RFC 5155 §8.3: the longest ancestor that exists, and the proof that the next longer one does not. */
function closestEncloserProof(chain: Nsec3Chain, name: Name): { encloser: Name; optOut: boolean } | null {
  let nextCloser = name
  let candidate = parentOf(name)
  while (candidate !== null && isAtOrBelow(candidate, chain.zone)) {
    const match = findMatch(chain, candidate)
    if (match) {
      const cover = findCover(chain, nextCloser)
      // A delegation or a DNAME there would mean that names below are not this zone's to deny.
      const delegation = match.types.includes(TYPE.NS) && !match.types.includes(TYPE.SOA)
      if (!cover || delegation || match.types.includes(TYPE.DNAME)) return null
      return { encloser: candidate, optOut: isOptOut(cover) }
    }
    nextCloser = candidate
    candidate = parentOf(candidate)
  }
  return null
}

function findMatch(chain: Nsec3Chain, name: Name): HashedNsec3 | undefined {
  const hash = chain.hash(name)
  return chain.records.find(({ ownerHash }) => compareBytes(ownerHash, hash) === 0)
}

function findCover(chain: Nsec3Chain, name: Name): HashedNsec3 | undefined {
  const hash = chain.hash(name)
  return chain.records.find(({ ownerHash, nextHashedOwner }) => {
    const afterOwner = compareBytes(ownerHash, hash) < 0
    const beforeNext = compareBytes(hash, nextHashedOwner) < 0
    // The last NSEC3 of the zone wraps around to the first hash (RFC 5155 §3.1.7).
    const wraps = compareBytes(nextHashedOwner, ownerHash) <= 0
    const isOwner = compareBytes(ownerHash, hash) === 0
    return wraps ? (afterOwner || beforeNext) && !isOwner : afterOwner && beforeNext
  })
}

function isOptOut(nsec3: Nsec3): boolean {
  return (nsec3.flags & FLAG_OPT_OUT) !== 0
}

/** The hash that the owner name of an NSEC3 spells in base32hex (RFC 5155 §3), or null when it is none. */
function ownerHashOf(owner: Name, zone: Name): Uint8Array | null {
  const [label] = labelsOf(owner)
  const parent = parentOf(owner)
  if (!label || parent === null || !sameName(parent, zone)) return null
  return label.length === HASH_LABEL_BYTES ? decodeBase32Hex(String.fromCharCode(...label)) : null
}
