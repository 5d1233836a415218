import { CLASS, TYPE } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import {
  canonicalName,
  compareBytes,
  labelCount,
  type Name,
  nameToWire,
  rightmostLabels,
  wildcardOf,
} from '../dns/names.ts'
import { canonicalRdata, decodeRrsig, encodeRrsigHead, type Rrsig } from '../dns/rdata.ts'
import { WireWriter } from '../dns/writer.ts'

/** All records of one name and type, and the signatures that claim to cover them. `name` is canonical. */
export type Rrset = {
  name: Name
  type: number
  records: ResourceRecord[]
  signatures: { rrsig: Rrsig; record: ResourceRecord }[]
}

/** The RRsets of class IN in one section of a message; RRSIGs that cover nothing there are left out. */
export function rrsetsOf(section: readonly ResourceRecord[]): Rrset[] {
  const sets = new Map<string, Rrset>()
  const inClass = section.filter((record) => record.class === CLASS.IN)
  const key = (name: Name, type: number) => `${type} ${name}`
  for (const record of inClass) {
    if (record.type === TYPE.RRSIG) continue
    const name = canonicalName(record.name)
    const set = sets.get(key(name, record.type))
    if (set) set.records.push(record)
    else sets.set(key(name, record.type), { name, type: record.type, records: [record], signatures: [] })
  }
  for (const record of inClass) {
    if (record.type !== TYPE.RRSIG) continue
    const rrsig = decodeRrsig(record.rdata)
    sets.get(key(canonicalName(record.name), rrsig.typeCovered))?.signatures.push({ rrsig, record })
  }
  return [...sets.values()]
}

export function findRrset(sets: readonly Rrset[], name: Name, type: number): Rrset | undefined {
  const canonical = canonicalName(name)
  return sets.find((set) => set.type === type && set.name === canonical)
}

/** Equal for equal records: the TTL, which nothing signs, and the letter case of the owner do not count. */
export function recordKey({ name, type, rdata }: ResourceRecord): string {
  return `${type} ${canonicalName(name)} ${rdata.join()}`
}

/** Each different RDATA once, in canonical form and order (RFC 4034 §6.2, §6.3). */
function canonicalRdatas(set: Rrset): Uint8Array[] {
  const sorted = set.records.map(({ type, rdata }) => canonicalRdata(type, rdata)).sort(compareBytes)
  return sorted.filter((rdata, index) => index === 0 || compareBytes(rdata, sorted[index - 1]!) !== 0)
}

/** The labels that a signature counts: neither the root nor a leading `*` (RFC 4034 §3.1.3). */
export function signedLabelCount(owner: Name): number {
  return labelCount(owner) - (owner.startsWith('*.') ? 1 : 0)
}

/** The bytes that a signature covers (RFC 4034 §3.1.8.1): RRSIG RDATA, then each RR with the original TTL. */
export function signedData(set: Rrset, rrsig: Omit<Rrsig, 'signature'>): Uint8Array {
  // RFC 4035 §5.3.2: the records of a wildcard are signed under the wildcard's name.
  const owner =
    rrsig.labels < signedLabelCount(set.name) ? wildcardOf(rightmostLabels(set.name, rrsig.labels)) : set.name
  const ownerWire = nameToWire(owner, 'canonical')
  const rdatas = canonicalRdatas(set)
  const bytes = rdatas.reduce((sum, rdata) => sum + ownerWire.length + 10 + rdata.length, 512)
  const writer = new WireWriter(bytes).raw(encodeRrsigHead(rrsig, 'canonical'))
  for (const rdata of rdatas) {
    writer.raw(ownerWire).u16(set.type).u16(CLASS.IN).u32(rrsig.originalTtl).u16(rdata.length).raw(rdata)
  }
  return writer.finish()
}
