import { secp256k1 } from '@noble/curves/secp256k1.js'
import { SIGHASH } from './sighash.ts'

/**
 * Splits and checks an ECDSA signature with its sighash byte: strict DER (BIP-66), low S (BIP-146), a defined
 * sighash type. The answer's `compact` is r ‖ s. `null` when any rule is broken.
 */
export function parseEcdsaSignature(bytes: Uint8Array): { compact: Uint8Array; sighashType: number } | null {
  if (bytes.length < 9 || bytes.length > 73) return null
  const sighashType = bytes.at(-1)!
  const base = sighashType & ~SIGHASH.ANYONECANPAY
  if (base < SIGHASH.ALL || base > SIGHASH.SINGLE) return null
  if (bytes[0] !== 0x30 || bytes[1] !== bytes.length - 3) return null
  const r = derInteger(bytes, 2)
  if (r === null) return null
  const s = derInteger(bytes, r.end)
  if (s === null || s.end !== bytes.length - 1) return null
  const compact = new Uint8Array(64)
  compact.set(r.value, 32 - r.value.length)
  compact.set(s.value, 64 - s.value.length)
  return { compact, sighashType }
}

function derInteger(bytes: Uint8Array, at: number): { value: Uint8Array; end: number } | null {
  const length = bytes[at + 1]
  if (bytes[at] !== 0x02 || length === undefined || length === 0 || at + 2 + length > bytes.length - 1)
    return null
  const [first, second] = [bytes[at + 2]!, bytes[at + 3]!]
  if (first & 0x80) return null
  if (first === 0 && length > 1 && !(second & 0x80)) return null
  const value = bytes.subarray(first === 0 ? at + 3 : at + 2, at + 2 + length)
  return value.length > 32 ? null : { value, end: at + 2 + length }
}

/** `publicKey` must be compressed; a high S fails. */
export function verifyEcdsa(compact: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean {
  if (!isCompressedKey(publicKey) || !secp256k1.utils.isValidPublicKey(publicKey, true)) return false
  if (!isInScalarRange(compact.subarray(0, 32)) || !isInScalarRange(compact.subarray(32))) return false
  return secp256k1.verify(compact, digest, publicKey, { prehash: false, lowS: true })
}

export function isCompressedKey(publicKey: Uint8Array): boolean {
  return publicKey.length === 33 && (publicKey[0] === 2 || publicKey[0] === 3)
}

/** 1 … n − 1; noble throws outside of it, and a wrong signature is an answer, not a fault. */
function isInScalarRange(bytes: Uint8Array): boolean {
  const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  return value > 0n && value < secp256k1.Point.Fn.ORDER
}
