import { TYPE } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { canonicalName, compareBytes } from '../dns/names.ts'
import { canonicalRdata, decodeRrsig } from '../dns/rdata.ts'
import { DnsWireError } from '../dns/wire-error.ts'
import type { TxtResolution } from '../dnssec/result.ts'
import { makeVerifiedSignatures } from '../dnssec/verified-signatures.ts'
import { encodeAuthenticationChain } from './authentication-chain.ts'
import type { ValidityWindow } from './validity-window.ts'
import { type VerifyProofOptions, verifyProof } from './verify-proof.ts'

export type Proof = {
  /** The RFC 9102 authentication chain. */
  readonly proof: Uint8Array
  readonly window: ValidityWindow
}

/** The records of one name and type with the RRSIG that was verified. */
type ProvenSet = { readonly type: number; readonly records: readonly ResourceRecord[] }

/**
 * Makes of what the live validator found the proof by which anybody can validate the same without the DNS. It begins
 * with the aliases and the TXT records, then come denials that a wildcard or an absence needs, then DNSKEY and DS up to
 * the anchor. Each RRset is in canonical order with its RRSIG last, and no RRset can be left out. Also that a name does
 * not exist, or has no TXT, can be proven. Null when there is nothing to prove (`insecure`, `bogus`, `unavailable`), or
 * nothing of at most 65,535 bytes. `options` must be those of the validation.
 * @throws DnsWireError when `name` is no domain name.
 */
export async function proveResolution(
  name: string,
  resolution: TxtResolution,
  options: VerifyProofOptions,
): Promise<Proof | null> {
  if (!('chain' in resolution)) return null
  const { verify: verifySignature } = makeVerifiedSignatures(options.verifySignature)
  const prove = async (parts: readonly ProvenSet[]) => {
    const proof = encode(parts.flatMap(({ records }) => records))
    return proof && { proof, ...(await verifyProof(proof, name, { ...options, verifySignature })) }
  }
  let sets = inOrder(provenSets(resolution.chain))
  let best = await prove(sets)
  if (best === null) return null
  for (const denial of sets.filter(({ type }) => isDenial(type))) {
    const fewer = sets.filter((set) => set !== denial)
    const shorter = await prove(fewer)
    if (shorter?.resolution.status !== resolution.status) continue
    sets = fewer
    best = shorter
  }
  const { proof, window } = best
  if (best.resolution.status !== resolution.status || window === null) {
    throw new Error(`the proof for ${name} does not verify: ${JSON.stringify(best.resolution)}`)
  }
  return { proof, window }
}

function encode(records: readonly ResourceRecord[]): Uint8Array | null {
  try {
    return encodeAuthenticationChain(records)
  } catch (error) {
    if (error instanceof DnsWireError && error.code === 'message-too-long') return null
    throw error
  }
}

function provenSets(chain: readonly ResourceRecord[]): ProvenSet[] {
  const sets = new Map<string, { type: number; records: ResourceRecord[]; signatures: ResourceRecord[] }>()
  for (const record of chain) {
    const isSignature = record.type === TYPE.RRSIG
    const type = isSignature ? decodeRrsig(record.rdata).typeCovered : record.type
    const key = `${type} ${canonicalName(record.name)}`
    const set = sets.get(key) ?? { type, records: [], signatures: [] }
    sets.set(key, set)
    if (isSignature) set.signatures.push(record)
    else set.records.push(record)
  }
  return [...sets.values()].map(({ type, records, signatures }) => {
    const data = ({ rdata }: ResourceRecord) => canonicalRdata(type, rdata)
    const sorted = records.toSorted((a, b) => compareBytes(data(a), data(b)))
    // RFC 4035 §5.3.3: no TTL above the signed one, and all of an RRset alike.
    const signedTtls = signatures.map(({ rdata }) => decodeRrsig(rdata).originalTtl)
    const ttl = Math.min(...records.map((record) => record.ttl), ...signedTtls)
    return { type, records: [...sorted, ...signatures].map((record) => ({ ...record, ttl })) }
  })
}

/** RFC 9102 §2.3: what was asked for first, the anchor's keys last. The chain comes from the anchor down. */
function inOrder(sets: readonly ProvenSet[]): ProvenSet[] {
  const isKey = ({ type }: ProvenSet) => type === TYPE.DNSKEY || type === TYPE.DS
  const answers = sets.filter((set) => !isKey(set) && !isDenial(set.type))
  return [...answers, ...sets.filter(({ type }) => isDenial(type)), ...sets.filter(isKey).toReversed()]
}

function isDenial(type: number): boolean {
  return type === TYPE.NSEC || type === TYPE.NSEC3
}
