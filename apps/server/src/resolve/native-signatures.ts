import { createPublicKey, type JsonWebKeyInput, type KeyObject, verify } from 'node:crypto'
import {
  ALGORITHM,
  type Verdict,
  type VerifySignature,
  verifySignature as verifyPurely,
} from '@holdfast/protocols/dnssec/algorithms'
import { parseRsaKey } from '@holdfast/protocols/dnssec/rsa'

/**
 * The checks of `protocols`, with OpenSSL's arithmetic, which is some twenty times as fast and holds up the event loop
 * as much less. Every verdict is the one that the pure implementation gives: what OpenSSL would let pass, or refuse,
 * beyond it is settled here; native-signatures.test.ts compares the two.
 */
export const verifyNatively: VerifySignature = (algorithm, publicKey, message, signature) => {
  switch (algorithm) {
    case ALGORITHM.RSASHA256:
      return verifyRsa(publicKey, message, signature)
    case ALGORITHM.ECDSAP256SHA256:
      return verifyEcdsa({ curve: 'P-256', fieldBytes: 32, hash: 'sha256' }, publicKey, message, signature)
    case ALGORITHM.ECDSAP384SHA384:
      return verifyEcdsa({ curve: 'P-384', fieldBytes: 48, hash: 'sha384' }, publicKey, message, signature)
    case ALGORITHM.ED25519:
      return verifyEd25519(publicKey, message, signature)
    default:
      return verifyPurely(algorithm, publicKey, message, signature)
  }
}

function verifyRsa(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Verdict {
  const parsed = parseRsaKey(publicKey)
  if ('unusable' in parsed) return parsed
  const key = keyOf({ kty: 'RSA', n: base64url(parsed.modulus), e: base64url(parsed.exponent) })
  if (key === null) return { unusable: 'it is no RSA key' }
  // RFC 8017 §8.2.2 step 1: OpenSSL, too, wants the signature to be as long as the modulus.
  return verdict(verify('sha256', message, key, signature))
}

type Curve = { curve: 'P-256' | 'P-384'; fieldBytes: number; hash: 'sha256' | 'sha384' }

/** RFC 6605 §4: the key is x ‖ y, the signature r ‖ s. */
function verifyEcdsa(
  { curve, fieldBytes, hash }: Curve,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Verdict {
  const x = base64url(publicKey.subarray(0, fieldBytes))
  const y = base64url(publicKey.subarray(fieldBytes))
  // OpenSSL checks that the coordinates are below the field's prime and the point on the curve.
  const key = publicKey.length === 2 * fieldBytes ? keyOf({ kty: 'EC', crv: curve, x, y }) : null
  if (key === null) return { unusable: 'the key is no point of the curve' }
  if (signature.length !== 2 * fieldBytes) return 'wrong'
  return verdict(verify(hash, message, { key, dsaEncoding: 'ieee-p1363' }, signature))
}

/**
 * OpenSSL takes keys that are no canonical point or of small order, which RFC 8032's strict reading refuses, and checks
 * the equation without the cofactor, which is stricter. So it is believed only when it says that a signature by a sound
 * key is right; everything else is for the pure implementation to say.
 */
function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Verdict {
  const key = isSoundEd25519Key(publicKey)
    ? keyOf({ kty: 'OKP', crv: 'Ed25519', x: base64url(publicKey) })
    : null
  if (key !== null && verify(null, message, key, signature)) return 'right'
  return verifyPurely(ALGORITHM.ED25519, publicKey, message, signature)
}

const ED25519_PRIME = 2n ** 255n - 19n
const ED25519_SIGN_BIT = 2n ** 255n

/** The y coordinates of the points whose order divides 8; each point's x may have either sign. */
const ED25519_SMALL_ORDER_Y = new Set([
  0n,
  1n,
  ED25519_PRIME - 1n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
])

function isSoundEd25519Key(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return false
  const y = BigInt(`0x${Buffer.from(publicKey.toReversed()).toString('hex')}`) % ED25519_SIGN_BIT
  return y < ED25519_PRIME && !ED25519_SMALL_ORDER_Y.has(y)
}

/** Null when OpenSSL does not take it for a key. */
function keyOf(jwk: JsonWebKeyInput['key']): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}

function base64url(value: Uint8Array | bigint): string {
  if (typeof value !== 'bigint') return Buffer.from(value).toString('base64url')
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url')
}

function verdict(valid: boolean): Verdict {
  return valid ? 'right' : 'wrong'
}
