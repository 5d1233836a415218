import { secp256k1 } from '@noble/curves/secp256k1.js'

// For browsers: `#ecdsa` of package.json is this or `ecdsa-wasm.ts`, and `ecdsa.test.ts` holds both to one contract.

/** The compressed key whose signature of this hash it is; S may be high. Throws when there is none. */
export function recover(hash: Uint8Array, compact: Uint8Array, recoveryId: number): Uint8Array {
  return secp256k1.recoverPublicKey(Uint8Array.of(recoveryId, ...compact), hash, { prehash: false })
}

/** Whether it is this key's signature of this hash, and S is low. Throws or answers false where it is none at all. */
export function verify(hash: Uint8Array, compact: Uint8Array, publicKey: Uint8Array): boolean {
  return secp256k1.verify(compact, hash, publicKey, { prehash: false, lowS: true })
}
