import * as libsecp256k1 from 'tiny-secp256k1'
import { recover as recoverByNoble } from './noble.ts'

// As in `noble.ts`, in a tenth of the time; for servers.

export function isPoint(bytes: Uint8Array): boolean {
  return libsecp256k1.isPointCompressed(bytes)
}

export function recover(hash: Uint8Array, compact: Uint8Array, recoveryId: number): Uint8Array {
  // Of R plus the order tiny-secp256k1 asks whether R is on the curve. No honest signature needs it: one in 2^127.
  if (recoveryId > 1) return recoverByNoble(hash, compact, recoveryId)
  const publicKey = libsecp256k1.recover(hash, compact, recoveryId as 0 | 1, true)
  if (publicKey === null) throw new RangeError('No key has made this signature.')
  return publicKey
}

export function verify(hash: Uint8Array, compact: Uint8Array, publicKey: Uint8Array): boolean {
  return libsecp256k1.verify(hash, publicKey, compact, true)
}
