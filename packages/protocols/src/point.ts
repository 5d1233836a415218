import { secp256k1 } from '@noble/curves/secp256k1.js'

/** Whether 33 bytes are a compressed point of secp256k1 (BOLT 1, type `point`): on the curve, x below the prime. */
export function isPoint(bytes: Uint8Array): boolean {
  return (
    bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3) && secp256k1.utils.isValidPublicKey(bytes, true)
  )
}
