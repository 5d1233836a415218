import { sha256 } from '@noble/hashes/sha2.js'
import { power, toBigInt } from './modular.ts'

/** BIP-353 refuses RSA below 1024 bits; RFC 3110 §2 ends at 4096. */
const MIN_MODULUS_BITS = 1024
const MAX_MODULUS_BITS = 4096
/** A huge exponent would only make us work (BIND draws the same line). */
const MAX_EXPONENT_BITS = 35

/** The DER of `DigestInfo { sha256, NULL, … }` before the digest (RFC 8017 §9.2 note 1). */
const SHA256_DIGEST_INFO = Uint8Array.from([
  0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
  0x20,
])

export type RsaKey = { modulus: bigint; exponent: bigint; modulusBytes: number }

/** The public key field of RFC 3110 §2, or why it cannot be used. */
export function parseRsaKey(bytes: Uint8Array): RsaKey | { unusable: string } {
  const long = bytes[0] === 0
  const exponentBytes = long ? ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0) : (bytes[0] ?? 0)
  const exponentAt = long ? 3 : 1
  if (exponentBytes === 0 || bytes.length <= exponentAt + exponentBytes)
    return { unusable: 'it is cut short' }
  const exponentField = bytes.subarray(exponentAt, exponentAt + exponentBytes)
  const modulusField = bytes.subarray(exponentAt + exponentBytes)
  // RFC 3110 §2: leading zero octets are prohibited in both.
  if (exponentField[0] === 0 || modulusField[0] === 0) return { unusable: 'a number has leading zeros' }
  const modulusBits = modulusField.length * 8 - Math.clz32(modulusField[0]!) + 24
  if (modulusBits < MIN_MODULUS_BITS) return { unusable: `RSA of ${modulusBits} bits is too weak` }
  if (modulusBits > MAX_MODULUS_BITS) return { unusable: `RSA of ${modulusBits} bits is too long` }
  if (exponentField.length > 5 || toBigInt(exponentField) >> BigInt(MAX_EXPONENT_BITS)) {
    return { unusable: 'the exponent is too large' }
  }
  const exponent = toBigInt(exponentField)
  const modulus = toBigInt(modulusField)
  if (exponent < 3n || exponent % 2n === 0n || modulus % 2n === 0n) return { unusable: 'it is no RSA key' }
  return { modulus, exponent, modulusBytes: modulusField.length }
}

/** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 5702 §3.1, RFC 8017 §8.2.2), by comparing whole encoded messages. */
export function verifyRsaSha256(key: RsaKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== key.modulusBytes) return false
  const s = toBigInt(signature)
  if (s >= key.modulus) return false
  return power(s, key.exponent, key.modulus) === toBigInt(encodedMessage(sha256(message), key.modulusBytes))
}

function encodedMessage(digest: Uint8Array, bytes: number): Uint8Array {
  const encoded = new Uint8Array(bytes).fill(0xff)
  const digestAt = bytes - digest.length
  const infoAt = digestAt - SHA256_DIGEST_INFO.length
  encoded.set([0x00, 0x01], 0)
  encoded[infoAt - 1] = 0x00
  encoded.set(SHA256_DIGEST_INFO, infoAt)
  encoded.set(digest, digestAt)
  return encoded
}
