import { Bip321Error, type BitcoinUri, parseBitcoinUri } from './bip321.ts'
import { joinCharacterStrings, type PaymentName, parseName, recordName, selectInstruction } from './bip353.ts'
import type { ResolveOptions } from './dnssec/resolve-txt.ts'
import type { BogusCode, TxtResolution } from './dnssec/result.ts'
import { buildProof } from './rfc9102/build-proof.ts'
import type { ValidityWindow } from './rfc9102/validity-window.ts'
import { type VerifyProofOptions, verifyProof } from './rfc9102/verify-proof.ts'

/** Why a name gives no payment instruction. Stable: callers may switch on it. */
export type NameProblem =
  | BogusCode
  /** It is proven that the name has no record at all. */
  | 'no-such-name'
  /** There are TXT records, or none, but no `bitcoin:` URI. */
  | 'no-instruction'
  /** More than one `bitcoin:` record: BIP-353 makes all of them invalid. */
  | 'ambiguous'
  | 'uri-invalid'
  /** A zone on the way is not signed, or only with what we do not verify. */
  | 'insecure'
  /** The DNS did not answer: this says nothing about the name. Never said of a proof. */
  | 'unavailable'

/** What the records of a name say to someone who wants to pay it. */
export type NameVerdict =
  | {
      readonly valid: true
      readonly name: PaymentName
      /** The BIP-321 URI as it stands in the DNS. */
      readonly uri: string
      readonly instruction: BitcoinUri
      /** How long it may be kept (BIP-353: no longer than the smallest signed TTL), and until when: seconds. */
      readonly ttlSeconds: number
      readonly expiresAt: number
    }
  | { readonly valid: false; readonly name: PaymentName; readonly code: NameProblem; readonly reason: string }

/** BIP-353 "Resolution", applied to what DNSSEC says. */
function judgeName(name: PaymentName, resolution: TxtResolution): NameVerdict {
  const invalid = (code: NameProblem, reason: string): NameVerdict => ({ valid: false, name, code, reason })
  switch (resolution.status) {
    case 'nxdomain':
      return invalid('no-such-name', `it is proven that ${name.display} does not exist`)
    case 'nodata':
      return invalid('no-instruction', `it is proven that ${name.display} has no TXT record`)
    case 'insecure':
      return invalid('insecure', resolution.reason)
    case 'bogus':
      return invalid(resolution.code, resolution.reason)
    case 'unavailable':
      return invalid('unavailable', resolution.reason)
    case 'secure': {
      const selected = selectInstruction(resolution.values.map((value) => joinCharacterStrings([value])))
      if ('problem' in selected) {
        return selected.problem === 'none'
          ? invalid('no-instruction', 'none of the TXT records is a bitcoin: URI')
          : invalid('ambiguous', 'there is more than one bitcoin: record, which BIP-353 forbids')
      }
      const { uri } = selected
      const instruction = readUri(uri)
      if ('problem' in instruction) return invalid('uri-invalid', instruction.problem)
      const { ttlSeconds, expiresAt } = resolution
      return { valid: true, name, uri, instruction, ttlSeconds, expiresAt }
    }
  }
}

export type NameProofVerdict = {
  readonly verdict: NameVerdict
  /** When the proof as a whole is valid; null when it cannot be read or holds no signature. */
  readonly window: ValidityWindow | null
}

/**
 * Verifies the proof of a BIP-353 name, offline. @throws Bip353Error when `name` is none, RangeError for a grace above
 * an hour; every other outcome is a value.
 */
export async function verifyNameProof(
  name: string,
  proof: Uint8Array,
  options: VerifyProofOptions,
): Promise<NameProofVerdict> {
  const paymentName = parseName(name)
  const { resolution, window } = await verifyProof(proof, recordName(paymentName), options)
  return { verdict: judgeName(paymentName, resolution), window }
}

/**
 * Resolves a name in the DNS and gives the proof of what is found; null when there is nothing to prove.
 * @throws Bip353Error when `name` is none.
 */
export async function buildNameProof(
  name: string,
  options: ResolveOptions,
): Promise<NameProofVerdict & { readonly proof: Uint8Array | null }> {
  const paymentName = parseName(name)
  const { resolution, proof, window } = await buildProof(recordName(paymentName), options)
  return { verdict: judgeName(paymentName, resolution), proof, window }
}

function readUri(uri: string): BitcoinUri | { problem: string } {
  try {
    return parseBitcoinUri(uri)
  } catch (error) {
    if (!(error instanceof Bip321Error)) throw error
    return { problem: error.message }
  }
}
