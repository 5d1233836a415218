import { CLASS, TYPE, typeName } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { canonicalName } from '../dns/names.ts'
import { canonicalRdata, checkRdata, decodeNameRdata } from '../dns/rdata.ts'
import { WireReader } from '../dns/reader.ts'
import { DnsWireError } from '../dns/wire-error.ts'
import { WireWriter } from '../dns/writer.ts'

/** RFC 9102 §2: `opaque AuthenticationChain<1..2^16-1>`. */
export const MAX_CHAIN_BYTES = 65_535

/** What a chain to a TXT record can consist of (RFC 9102 §2.3, with TXT for TLSA). Anything else proves nothing. */
const TYPES: ReadonlySet<number> = new Set([
  TYPE.TXT,
  TYPE.CNAME,
  TYPE.DNAME,
  TYPE.DS,
  TYPE.DNSKEY,
  TYPE.RRSIG,
  TYPE.NSEC,
  TYPE.NSEC3,
])

/** RFC 2181 §8. */
const MAX_TTL = 0x7fff_ffff

/**
 * Writes records one after another, uncompressed and in canonical form (RFC 4034 §6.2), in the order given.
 * @throws DnsWireError `message-too-long` above 65,535 bytes.
 */
export function encodeAuthenticationChain(records: readonly ResourceRecord[]): Uint8Array {
  const writer = new WireWriter(MAX_CHAIN_BYTES)
  for (const { name, type, class: rrClass, ttl, rdata } of records) {
    const data = canonicalRdata(type, rdata)
    writer.name(canonicalName(name)).u16(type).u16(rrClass).u32(ttl).u16(data.length).raw(data)
  }
  return writer.finish()
}

/**
 * Reads a chain, in whatever order its records are. Strict: class IN, the types that belong into a chain, RDATA in the
 * form of its type, no compression anywhere, no byte left over. @throws DnsWireError
 */
export function decodeAuthenticationChain(bytes: Uint8Array): ResourceRecord[] {
  if (bytes.length > MAX_CHAIN_BYTES) throw new DnsWireError('message-too-long', 'more than 65,535 bytes')
  const reader = new WireReader(bytes)
  const records: ResourceRecord[] = []
  while (reader.remaining > 0) records.push(readRecord(reader))
  return records
}

function readRecord(reader: WireReader): ResourceRecord {
  const name = reader.name('refused')
  const type = reader.u16()
  const rrClass = reader.u16()
  const ttl = reader.u32()
  const rdata = reader.take(reader.u16())
  if (rrClass !== CLASS.IN) throw new DnsWireError('bad-rdata', `a record of class ${rrClass}`)
  if (!TYPES.has(type))
    throw new DnsWireError('bad-rdata', `a ${typeName(type)} does not belong into a proof`)
  checkRdata(type, rdata)
  if (type === TYPE.CNAME || type === TYPE.DNAME) decodeNameRdata(rdata)
  return { name, type, class: rrClass, ttl: ttl > MAX_TTL ? 0 : ttl, rdata }
}
