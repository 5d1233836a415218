import type { TrustAnchor, VerifySignature } from '@holdfast/protocols/dnssec'
import { type NameVerdict, verifyNameProof as verifyProof } from '@holdfast/protocols/name-proof'
import { decodePsbtProof } from '@holdfast/protocols/psbt-proof'
import type { ValidityWindow } from '@holdfast/protocols/rfc9102'
import { nowSeconds } from './now.ts'

export type VerifyOptions = {
  /** The moment for which the proof must hold. Default: now. */
  at?: Date
  /** Default: the root's key signing keys of 2017 and 2024. */
  anchors?: readonly TrustAnchor[]
  /** How long ago signatures may have expired; BIP-353 allows 3,600 at most. Default 0. */
  expiryGraceSeconds?: number
  /** A faster one of the platform; it must be as strict as ours. */
  verifySignature?: VerifySignature
}

export type Verified = NameVerdict & {
  /** When the proof as a whole is valid, in seconds since 1970; null when it cannot be read. */
  readonly window: ValidityWindow | null
}

/**
 * Verifies an RFC 9102 chain for a name, offline. @throws Bip353Error when `name` is none, RangeError for a grace above
 * an hour; whatever is wrong with the proof is a value.
 */
export async function verifyNameProof(
  name: string,
  proof: Uint8Array,
  { at, ...options }: VerifyOptions = {},
): Promise<Verified> {
  const { verdict, window } = await verifyProof(name, proof, { ...options, nowSeconds: nowSeconds(at) })
  return { ...verdict, window }
}

/**
 * Verifies the value of a PSBT's PSBT_OUT_DNSSEC_PROOF field, which brings its name. It says whose the instruction is,
 * not that the output pays to it: compare the two. @throws PsbtProofError when the value has not that form, RangeError
 * for a grace above an hour.
 */
export async function verifyPsbtProof(value: Uint8Array, options: VerifyOptions = {}): Promise<Verified> {
  const { name, proof } = decodePsbtProof(value)
  return verifyNameProof(name, proof, options)
}
