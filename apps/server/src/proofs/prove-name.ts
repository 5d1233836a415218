import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import { joinCharacterStrings, type PaymentName, recordName } from '@holdfast/protocols/bip353'
import type { TrustAnchor, TxtResolution, VerifySignature } from '@holdfast/protocols/dnssec'
import { proveResolution } from '@holdfast/protocols/rfc9102'
import { makeExpiringCache } from '../resolve/expiring-cache.ts'
import { type Instruction, instructionOf } from '../resolve/instruction.ts'
import { canonicalName } from '../resolve/resolver.ts'
import type { Validate } from '../resolve/validations.ts'

/** A name with what anybody needs to validate it without network. */
export type ProvenName = Instruction & {
  readonly name: PaymentName
  /** The values of all TXT records at the name, a character for each byte. */
  readonly txt: readonly string[]
  /** The RFC 9102 authentication chain. */
  readonly proof: Uint8Array
  /** When all of its signatures are valid: milliseconds since 1970, both ends included. */
  readonly notBefore: number
  readonly notAfter: number
}

/** `asker`: for whom; nobody may have all the places that strangers share. */
export type ProveName = (name: string, asker: string) => Promise<ProvenName | Refusal>

/** What was last seen of a name in canonical form, while it may be kept; null: nothing. */
export type Remembered = (name: string) => Pick<Instruction, 'uri'> | null

const REMEMBERED = 1_000

/**
 * Validates the live record of a name and proves it. A proof is given out again no longer than the smallest signed TTL
 * of its chain allows, which ends before its signatures do, and not once another record was seen: of a name that was
 * given to somebody else the new owner is proven.
 */
export function makeProveName(deps: {
  /** Validates for strangers: OVERLOADED when too many ask, RATE_LIMITED when one asks too much. */
  validate: Validate
  anchors: readonly TrustAnchor[]
  verifySignature: VerifySignature
  remembered: Remembered
  clock: () => number
}): ProveName {
  const { validate, remembered, clock } = deps
  const proven = makeExpiringCache<ProvenName>(REMEMBERED)
  return async (text, asker) => {
    const name = canonicalName(text)
    if (isRefusal(name)) return name
    const known = proven.get(name.text, clock())
    if (known && (remembered(name.text)?.uri ?? known.uri) === known.uri) return known
    const found = await validate(recordName(name), asker)
    if (isRefusal(found)) return found
    const instruction = instructionOf(found)
    if (isRefusal(instruction)) return instruction
    const fresh = await prove(name, found, instruction, deps)
    if (!isRefusal(fresh)) proven.put(name.text, fresh, fresh.expiresAt)
    return fresh
  }
}

async function prove(
  name: PaymentName,
  found: TxtResolution,
  instruction: Instruction,
  { anchors, verifySignature }: { anchors: readonly TrustAnchor[]; verifySignature: VerifySignature },
): Promise<ProvenName | Refusal> {
  if (found.status !== 'secure') throw new TypeError('an instruction was read from what is not secure')
  // The moment at which it was validated: a second later a signature may have expired.
  const nowSeconds = found.expiresAt - found.ttlSeconds
  const result = await proveResolution(recordName(name), found, { nowSeconds, anchors, verifySignature })
  if (result === null) return refuse('PROOF_TOO_LARGE')
  const { proof, window } = result
  const txt = found.values.map((value) => joinCharacterStrings([value]))
  return {
    ...instruction,
    name,
    txt,
    proof,
    notBefore: window.notBefore * 1000,
    notAfter: window.notAfter * 1000,
  }
}
