import type { ResourceRecord } from '../dns/message.ts'

/** Why an answer that claims to be signed, or ought to be, is not believed. Stable: callers may switch on it. */
export type BogusCode =
  /** The zone is signed, the answer is not. */
  | 'signature-missing'
  | 'signature-expired'
  | 'signature-not-yet-valid'
  /** The cryptographic check failed. */
  | 'signature-wrong'
  /** Signed in the name of another zone than the one that holds the record. */
  | 'wrong-signer'
  /** More labels signed than the owner has, or a wildcard where none may stand. */
  | 'wrong-labels'
  /** No trusted key of the zone has the tag and algorithm of the signature. */
  | 'key-missing'
  /** The key is too short, too long, or malformed. */
  | 'key-unusable'
  /** SHA-1 signatures and everything else that we do not verify. */
  | 'algorithm-unsupported'
  /** No DNSKEY matches the DS records or the trust anchor. */
  | 'keys-do-not-match-ds'
  | 'no-trust-anchor'
  /** Nothing proves that the record, or the exact name of a wildcard answer, does not exist. */
  | 'denial-missing'
  /** More NSEC3 iterations than RFC 9276 lets us accept. */
  | 'nsec3-iterations'
  /** CNAME or DNAME: a loop, a chain that is too long, two targets, or a target that is no name. */
  | 'alias-loop'
  | 'alias-invalid'
  /** More signatures or queries than an honest answer needs (KeyTrap, CVE-2023-50387). */
  | 'too-much-work'
  /** A proof that is no series of DNS records, or holds a record twice. */
  | 'proof-malformed'
  /** A proof that holds records on which its result does not rest. */
  | 'proof-excess'

/**
 * What is known of the TXT records at a name. These are different answers and must stay so: `nxdomain` and `nodata`
 * are proven, `insecure` is the proof that a zone on the way is not signed, `bogus` may be an attack, `unavailable`
 * says nothing at all. `ttlSeconds` is how long the answer may be kept: the smallest of the TTLs, signed TTLs and
 * remaining lifetimes of every signature in `chain`.
 */
export type TxtResolution =
  | {
      status: 'secure'
      /** One entry a TXT RR, its character-strings joined in order. */
      values: Uint8Array[]
      ttlSeconds: number
      /** Seconds since 1970: `now` + `ttlSeconds`. */
      expiresAt: number
      /** Every record that the proof rests on, RRSIGs included, from the anchor down. */
      chain: ResourceRecord[]
    }
  | {
      status: 'nxdomain' | 'nodata'
      ttlSeconds: number
      expiresAt: number
      chain: ResourceRecord[]
    }
  | {
      status: 'insecure'
      /** Where the chain of trust provably ends. */
      zone: string
      reason: string
    }
  | { status: 'bogus'; code: BogusCode; reason: string }
  | { status: 'unavailable'; reason: string }

/** Ends a validation: the answer must not be believed. Never leaves the validator. */
export class Bogus extends Error {
  readonly code: BogusCode
  constructor(code: BogusCode, reason: string) {
    super(reason)
    this.name = 'Bogus'
    this.code = code
  }
}

/** Ends a validation: the DNS gave no usable answer. Never leaves this folder. */
export class Unavailable extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.name = 'Unavailable'
  }
}

/** Ends a validation: a zone on the way is provably not signed, or not in a way that we can check. */
export class Insecure extends Error {
  readonly zone: string
  constructor(zone: string, reason: string) {
    super(reason)
    this.name = 'Insecure'
    this.zone = zone
  }
}
