import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { type EcdsaCurve, isOnCurve, P256, P384, verifyEcdsaDigest } from './ecdsa.ts'
import { verifyEd25519 } from './ed25519.ts'
import { toBigInt } from './modular.ts'
import { parseRsaKey, verifyRsaSha256 } from './rsa.ts'

/** The signature algorithms that we verify (RFC 8624 §3.1: those that MUST or SHOULD be validated, without SHA-1). */
export const ALGORITHM = { RSASHA256: 8, ECDSAP256SHA256: 13, ECDSAP384SHA384: 14, ED25519: 15 } as const

export type Verdict = 'right' | 'wrong' | { unusable: string }

/**
 * Checks one signature by one DNSKEY public key field. Who injects another one (say on top of `node:crypto` or
 * WebCrypto) must be as strict as ours: exact lengths of keys and signatures, points on their curve, RSA of 1024 to 4096
 * bits with a small odd exponent and without leading zeros, PKCS #1 v1.5 padding compared as a whole, RFC 8032 without
 * ZIP 215's leniency, no algorithm beyond `isSupportedAlgorithm`. The validator believes every `right`.
 */
export type VerifySignature = (
  algorithm: number,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => Verdict

type Algorithm = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => Verdict

const ALGORITHMS = new Map<number, Algorithm>([
  [
    ALGORITHM.RSASHA256,
    (publicKey, message, signature) => {
      const key = parseRsaKey(publicKey)
      return 'unusable' in key ? key : verdict(verifyRsaSha256(key, message, signature))
    },
  ],
  // RFC 6605 §4: the key is x ‖ y, the signature r ‖ s; a high s is as good as a low one.
  [
    ALGORITHM.ECDSAP256SHA256,
    (publicKey, message, signature) => verifyEcdsa(P256, sha256(message), publicKey, signature),
  ],
  [
    ALGORITHM.ECDSAP384SHA384,
    (publicKey, message, signature) => verifyEcdsa(P384, sha384(message), publicKey, signature),
  ],
  // RFC 8080 §3, §4.
  [
    ALGORITHM.ED25519,
    (publicKey, message, signature) => {
      if (publicKey.length !== 32) return { unusable: 'an Ed25519 key has 32 bytes' }
      return verdict(verifyEd25519(publicKey, message, signature))
    },
  ],
])

export function isSupportedAlgorithm(algorithm: number): boolean {
  return ALGORITHMS.has(algorithm)
}

/** The default: pure, the same in browsers and on servers. */
export const verifySignature: VerifySignature = (algorithm, publicKey, message, signature) => {
  const verify = ALGORITHMS.get(algorithm)
  return verify
    ? verify(publicKey, message, signature)
    : { unusable: `algorithm ${algorithm} is not supported` }
}

function verifyEcdsa(
  curve: EcdsaCurve,
  digest: Uint8Array,
  publicKey: Uint8Array,
  signature: Uint8Array,
): Verdict {
  const { fieldBytes } = curve
  const halves = (bytes: Uint8Array): [bigint, bigint] => [
    toBigInt(bytes.subarray(0, fieldBytes)),
    toBigInt(bytes.subarray(fieldBytes)),
  ]
  const [x, y] = halves(publicKey)
  if (publicKey.length !== 2 * fieldBytes || !isOnCurve(curve, { x, y })) {
    return { unusable: 'the key is no point of the curve' }
  }
  if (signature.length !== 2 * fieldBytes) return 'wrong'
  return verdict(verifyEcdsaDigest(curve, { x, y }, toBigInt(digest), ...halves(signature)))
}

function verdict(valid: boolean): Verdict {
  return valid ? 'right' : 'wrong'
}
