import type { DnsQuery } from '@holdfast/protocols/dnssec'
import { buildNameProof } from '@holdfast/protocols/name-proof'
import { nowSeconds } from './now.ts'
import type { Verified, VerifyOptions } from './verify.ts'

export type ResolveNameOptions = Omit<VerifyOptions, 'expiryGraceSeconds'> & {
  /** How the DNS is asked: `dohQuery(url)`, or a transport of your own. It need not be trusted. */
  query: DnsQuery
}

export type Resolved = Verified & {
  /** The RFC 9102 chain by which others can verify the same; also of a name's proven absence. */
  readonly proof: Uint8Array | null
}

/** Asks the DNS, validates every answer down from the root, and proves it. @throws Bip353Error when `name` is none. */
export async function resolveName(name: string, { at, ...options }: ResolveNameOptions): Promise<Resolved> {
  const { verdict, window, proof } = await buildNameProof(name, { ...options, nowSeconds: nowSeconds(at) })
  return { ...verdict, window, proof }
}
