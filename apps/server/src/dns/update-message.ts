import { randomInt } from 'node:crypto'
import { cutIntoCharacterStrings } from '@holdfast/protocols/dns/character-strings'
import { CLASS, OPCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { encodeMessage, NO_FLAGS, type ResourceRecord } from '@holdfast/protocols/dns/message'
import { encodeTxt } from '@holdfast/protocols/dns/rdata'

const NO_DATA = new Uint8Array(0)

/** RFC 2136 §2: the prerequisites hold all together, and the updates happen all together, or nothing happens. */
export function encodeUpdate(
  zone: string,
  parts: { prerequisites?: readonly ResourceRecord[]; updates: readonly ResourceRecord[] },
): Uint8Array {
  return encodeMessage({
    id: randomInt(0x1_0000),
    opcode: OPCODE.UPDATE,
    rcode: 0,
    flags: NO_FLAGS,
    question: [{ name: zone, type: TYPE.SOA, class: CLASS.IN }],
    answer: [...(parts.prerequisites ?? [])],
    authority: [...parts.updates],
    additional: [],
  })
}

/** RFC 2136 §2.4.5: no record of any type is there; otherwise YXDOMAIN. */
export function nameIsFree(name: string): ResourceRecord {
  return { name, type: TYPE.ANY, class: CLASS.NONE, ttl: 0, rdata: NO_DATA }
}

/** RFC 2136 §2.4.2: the TXT record set is exactly this one record; otherwise NXRRSET. */
export function txtIs(name: string, value: string): ResourceRecord {
  return { name, type: TYPE.TXT, class: CLASS.IN, ttl: 0, rdata: txtRdata(value) }
}

/** RFC 2136 §2.5.1; a record that is there gets the new TTL. */
export function addTxt(name: string, value: string, ttlSeconds: number): ResourceRecord {
  return { name, type: TYPE.TXT, class: CLASS.IN, ttl: ttlSeconds, rdata: txtRdata(value) }
}

/** RFC 2136 §2.5.4: deletes this one record from its set; success when it is not there. */
export function deleteTxt(name: string, value: string): ResourceRecord {
  return { name, type: TYPE.TXT, class: CLASS.NONE, ttl: 0, rdata: txtRdata(value) }
}

/** BIP-353: one TXT record whose strings, joined without separators, are the value. */
function txtRdata(value: string): Uint8Array {
  return encodeTxt(cutIntoCharacterStrings(value))
}
