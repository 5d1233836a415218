import { Bip353Error, parseName } from './bip353.ts'
import { MAX_CHAIN_BYTES } from './rfc9102/authentication-chain.ts'

/** BIP-353: the per-output key type of a proof in a PSBT; there is no key data. */
export const PSBT_OUT_DNSSEC_PROOF = 0x35

export type PsbtProof = {
  /** `user@domain`, without ₿. */
  readonly name: string
  /** The RFC 9102 authentication chain. */
  readonly proof: Uint8Array
}

export class PsbtProofError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PsbtProofError'
  }
}

const MAX_NAME_BYTES = 255

/** The field's value: `<1-byte-length-prefixed name><proof>`. @throws PsbtProofError when it cannot hold these. */
export function encodePsbtProof({ name, proof }: PsbtProof): Uint8Array {
  const text = new TextEncoder().encode(canonical(name))
  if (text.length > MAX_NAME_BYTES) throw new PsbtProofError('the name exceeds 255 bytes')
  checkProofLength(proof.length)
  const value = new Uint8Array(1 + text.length + proof.length)
  value[0] = text.length
  value.set(text, 1)
  value.set(proof, 1 + text.length)
  return value
}

/** Reads the field's value; the proof itself is not looked at. @throws PsbtProofError */
export function decodePsbtProof(value: Uint8Array): PsbtProof {
  const proofAt = 1 + (value[0] ?? 0)
  checkProofLength(value.length - proofAt)
  const text = String.fromCharCode(...value.subarray(1, proofAt))
  const name = canonical(text)
  // The name is "without the ₿ prefix" and names are compared by their bytes: there is one way to write each.
  if (name !== text.toLowerCase())
    throw new PsbtProofError('the name is not in the form that BIP-353 asks for')
  return { name, proof: value.slice(proofAt) }
}

/**
 * Whether bytes look like the field's value rather than a bare chain. Of a chain the first byte is the length of a
 * label, and what follows up to that length has no `@`, which no DNS name of ours holds.
 */
export function isPsbtProof(bytes: Uint8Array): boolean {
  try {
    decodePsbtProof(bytes)
    return true
  } catch (error) {
    if (error instanceof PsbtProofError) return false
    throw error
  }
}

function canonical(name: string): string {
  try {
    return parseName(name).text
  } catch (error) {
    if (!(error instanceof Bip353Error)) throw error
    throw new PsbtProofError(`the name is none of BIP-353: ${error.message}`, { cause: error })
  }
}

function checkProofLength(bytes: number): void {
  if (bytes < 1) throw new PsbtProofError('the proof is missing')
  if (bytes > MAX_CHAIN_BYTES) throw new PsbtProofError('the proof exceeds 65,535 bytes')
}
