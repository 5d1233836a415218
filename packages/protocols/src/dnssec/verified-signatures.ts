import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { type Verdict, type VerifySignature, verifySignature } from './algorithms.ts'

/**
 * Checks signatures and remembers those that were right, each with its key and all that it signs, so that what every
 * name of a zone rests on is computed once. Times, owners and labels are not its matter: they are checked every time.
 */
export type VerifiedSignatures = { readonly verify: VerifySignature }

const CAPACITY = 1_000

export function makeVerifiedSignatures(compute: VerifySignature = verifySignature): VerifiedSignatures {
  // A Set keeps the order of insertion: the first one was not asked for the longest time.
  const right = new Set<string>()
  return {
    verify(algorithm, publicKey, message, signature): Verdict {
      const check = fingerprint(algorithm, publicKey, message, signature)
      const verdict = right.delete(check) ? 'right' : compute(algorithm, publicKey, message, signature)
      if (verdict !== 'right') return verdict
      right.add(check)
      const [oldest] = right
      if (right.size > CAPACITY && oldest !== undefined) right.delete(oldest)
      return 'right'
    },
  }
}

/** The lengths stand before the parts, so that no two checks are one sequence of bytes. */
function fingerprint(algorithm: number, ...parts: readonly Uint8Array[]): string {
  const hash = sha256.create().update(Uint8Array.of(algorithm))
  for (const part of parts) {
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, part.length)
    hash.update(length).update(part)
  }
  return bytesToHex(hash.digest())
}
