import { secp256k1 } from '@noble/curves/secp256k1.js'

// For browsers: `#secp256k1` of package.json is this or `libsecp256k1.ts`, and `secp256k1.test.ts` holds both to one
// contract.

/** Whether 33 bytes are a compressed point of secp256k1 (BOLT 1, type `point`): on the curve, x below the prime. */
export function isPoint(bytes: Uint8Array): boolean {
  return secp256k1.utils.isValidPublicKey(bytes, true)
}

/** The compressed key whose signature of this hash it is; S may be high. Throws when there is none. */
export function recover(hash: Uint8Array, compact: Uint8Array, recoveryId: number): Uint8Array {
  return secp256k1.recoverPublicKey(Uint8Array.of(recoveryId, ...compact), hash, { prehash: false })
}

/** Whether it is this key's signature of this hash, and S is low. Throws or answers false where it is none at all. */
export function verify(hash: Uint8Array, compact: Uint8Array, publicKey: Uint8Array): boolean {
  return secp256k1.verify(compact, hash, publicKey, { prehash: false, lowS: true })
}
