import { TYPE } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { canonicalName, isAtOrBelow, sameName } from '../dns/names.ts'
import { decodeRrsig } from '../dns/rdata.ts'
import { recordKey } from '../dnssec/rrset.ts'

/** A record of the proof that neither belongs to the chain on which the result rests nor is tolerated beside it. */
export function excessRecord(
  proof: readonly ResourceRecord[],
  chain: readonly ResourceRecord[],
): ResourceRecord | undefined {
  const used = new Set(chain.map(recordKey))
  const signed = new Set(proof.filter(({ type }) => type === TYPE.RRSIG).map(coveredBy))
  const signers = new Set(chain.filter(({ type }) => type === TYPE.RRSIG).map(signerOf))
  const dnames = chain.filter(({ type }) => type === TYPE.DNAME)
  const isTolerated = (record: ResourceRecord) =>
    record.type === TYPE.RRSIG ? signers.has(signerOf(record)) : isSynthesized(record)
  // RFC 6672 §3.1: servers synthesize a CNAME out of a DNAME for those who do not know DNAME; it is never signed.
  const isSynthesized = ({ name, type }: ResourceRecord) =>
    type === TYPE.CNAME &&
    !signed.has(`${type} ${canonicalName(name)}`) &&
    dnames.some((dname) => isAtOrBelow(name, dname.name) && !sameName(name, dname.name))
  return proof.find((record) => !used.has(recordKey(record)) && !isTolerated(record))
}

function coveredBy({ name, rdata }: ResourceRecord): string {
  return `${decodeRrsig(rdata).typeCovered} ${canonicalName(name)}`
}

function signerOf(record: ResourceRecord): string {
  return `${coveredBy(record)} ${canonicalName(decodeRrsig(record.rdata).signerName)}`
}
