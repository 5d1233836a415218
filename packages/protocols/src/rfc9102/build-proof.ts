import { type ResolveOptions, resolveTxt } from '../dnssec/resolve-txt.ts'
import type { TxtResolution } from '../dnssec/result.ts'
import { makeVerifiedSignatures } from '../dnssec/verified-signatures.ts'
import { proveResolution } from './prove-resolution.ts'
import type { ValidityWindow } from './validity-window.ts'

export type BuiltProof = {
  readonly resolution: TxtResolution
  /** Null as `proveResolution` has it. */
  readonly proof: Uint8Array | null
  readonly window: ValidityWindow | null
}

/** Asks the DNS, validates its answers and proves them. @throws DnsWireError when `name` is no domain name. */
export async function buildProof(name: string, options: ResolveOptions): Promise<BuiltProof> {
  const { verify: verifySignature } = makeVerifiedSignatures(options.verifySignature)
  const remembering = { ...options, verifySignature }
  const resolution = await resolveTxt(name, remembering)
  const proven = await proveResolution(name, resolution, remembering)
  return { resolution, ...(proven ?? { proof: null, window: null }) }
}
