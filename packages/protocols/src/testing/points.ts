import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, type Hex } from '../hex.ts'

/** A secret key of 32 equal bytes, as the BOLTs' examples use them. */
export function secretKey(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte)
}

/** The public key of `secretKey(byte)`. */
export function publicKey(byte: number): Hex {
  return bytesToHex(secp256k1.getPublicKey(secretKey(byte), true))
}
