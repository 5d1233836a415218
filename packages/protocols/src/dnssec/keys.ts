import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { compareBytes, type Name, nameToWire } from '../dns/names.ts'
import { type Dnskey, type Ds, encodeDnskey } from '../dns/rdata.ts'
import { isSupportedAlgorithm } from './algorithms.ts'

/** RFC 4034 §2.1.1 and RFC 5011 §3. */
export const FLAG_ZONE = 0x0100
export const FLAG_REVOKE = 0x0080
export const FLAG_SEP = 0x0001

const DIGESTS = new Map<number, (data: Uint8Array) => Uint8Array>([
  [1, sha1],
  [2, sha256],
  [4, sha384],
])

/** The checksum by which signatures and DS records name a key (RFC 4034 appendix B). Several keys may share one. */
export function keyTag(key: Dnskey): number {
  let sum = 0
  encodeDnskey(key).forEach((octet, index) => {
    sum += index % 2 === 0 ? octet << 8 : octet
  })
  return (sum + (sum >>> 16)) & 0xffff
}

/** RFC 4034 §5.1.4. @throws RangeError for a digest type other than 1, 2 and 4. */
export function makeDs(zone: Name, key: Dnskey, digestType: number): Ds {
  const digest = DIGESTS.get(digestType)
  if (!digest) throw new RangeError(`digest type ${digestType} is not supported`)
  const owner = nameToWire(zone, 'canonical')
  const rdata = encodeDnskey(key)
  const data = new Uint8Array(owner.length + rdata.length)
  data.set(owner)
  data.set(rdata, owner.length)
  return { keyTag: keyTag(key), algorithm: key.algorithm, digestType, digest: digest(data) }
}

/** Whether a key may vouch for anything in its zone. */
export function mayValidate(key: Dnskey): boolean {
  return (
    // RFC 4034 §2.1.1: without the zone flag a key must not be used to verify RRSIGs.
    (key.flags & FLAG_ZONE) !== 0 &&
    // RFC 5011 §2.1: a revoked key validates nothing.
    (key.flags & FLAG_REVOKE) === 0 &&
    // RFC 4034 §2.1.2.
    key.protocol === 3
  )
}

export function sameKey(a: Dnskey, b: Dnskey): boolean {
  return compareBytes(encodeDnskey(a), encodeDnskey(b)) === 0
}

export function matchesDs(zone: Name, key: Dnskey, ds: Ds): boolean {
  return (
    ds.algorithm === key.algorithm &&
    ds.keyTag === keyTag(key) &&
    DIGESTS.has(ds.digestType) &&
    compareBytes(makeDs(zone, key, ds.digestType).digest, ds.digest) === 0
  )
}

/**
 * The DS records that we can follow. None left means that the delegation counts as unsigned (RFC 4035 §5.2).
 * SHA-1 digests are dropped when a stronger one is there (RFC 4509 §3, RFC 6605 §5).
 */
export function usableDs(all: readonly Ds[]): Ds[] {
  const supported = all.filter((ds) => DIGESTS.has(ds.digestType) && isSupportedAlgorithm(ds.algorithm))
  const strong = supported.filter((ds) => ds.digestType !== 1)
  return strong.length > 0 ? strong : supported
}
