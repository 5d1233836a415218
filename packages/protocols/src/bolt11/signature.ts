import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { recover, verify } from '#secp256k1'
import { paddedBytesOfWords } from '../bech32-words.ts'
import { bytesToHex, type Hex, hexToBytes } from '../hex.ts'
import { encodeUtf8 } from '../utf8.ts'
import { Bolt11Error } from './error.ts'

/** What an invoice's signature covers: the prefix and the data before it, filled up to a whole byte with zeros. */
export function signedHash(prefix: string, words: Uint8Array): Uint8Array {
  return sha256(concatBytes(encodeUtf8(prefix), paddedBytesOfWords(words)))
}

/**
 * Checks the signature and answers the payee's node id. `signature` is R, S and the recovery id; `payee` is the
 * invoice's field `n`.
 */
export function payeeOf(hash: Uint8Array, signature: Uint8Array, payee: Hex | null): Hex {
  const recoveryId = signature[64]!
  if (recoveryId > 3) throw new Bolt11Error('bad-signature', `${recoveryId} is no recovery id`)
  const compact = signature.subarray(0, 64)
  try {
    // "otherwise: MUST perform ECDSA public-key recovery and accept both high-S and low-S signatures".
    if (payee === null) return bytesToHex(recover(hash, compact, recoveryId))
    // "if a valid n field is provided: MUST use the n field to validate the signature", and fail when S is high.
    if (verify(hash, compact, hexToBytes(payee))) return payee
  } catch (error) {
    throw new Bolt11Error('bad-signature', 'nobody can have made the signature', { cause: error })
  }
  throw new Bolt11Error('bad-signature', "the signature is not the payee's")
}
