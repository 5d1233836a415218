import { CLASS, OPCODE, TYPE } from './codes.ts'
import { type Name, ROOT } from './names.ts'
import { checkRdata, readRdata } from './rdata.ts'
import { WireReader } from './reader.ts'
import { DnsWireError } from './wire-error.ts'
import { MAX_MESSAGE_BYTES, WireWriter } from './writer.ts'

export type Question = { name: Name; type: number; class: number }

/**
 * One resource record. `rdata` is the uncompressed wire form; `rdata.ts` reads and writes the types that we use, any
 * other type is opaque (RFC 3597).
 */
export type ResourceRecord = { name: Name; type: number; class: number; ttl: number; rdata: Uint8Array }

export type HeaderFlags = {
  /** QR */
  response: boolean
  /** AA */
  authoritative: boolean
  /** TC */
  truncated: boolean
  /** RD */
  recursionDesired: boolean
  /** RA */
  recursionAvailable: boolean
  /** AD. Never a proof of anything: who wants the truth validates. */
  authenticData: boolean
  /** CD */
  checkingDisabled: boolean
}

/** The pseudo-record OPT (RFC 6891 §6.1), kept apart from the additional section. */
export type Edns = {
  udpPayloadSize: number
  version: number
  /** DO (RFC 3225). */
  dnssecOk: boolean
  options: { code: number; data: Uint8Array }[]
}

/**
 * A DNS message. In an UPDATE (RFC 2136 §2) the four sections mean: `question` the zone, `answer` the prerequisites,
 * `authority` the updates, `additional` additional data. `rcode` includes the upper bits that an OPT carries.
 */
export type Message = {
  id: number
  opcode: number
  rcode: number
  flags: HeaderFlags
  question: Question[]
  answer: ResourceRecord[]
  authority: ResourceRecord[]
  additional: ResourceRecord[]
  edns?: Edns
}

export const NO_FLAGS: Readonly<HeaderFlags> = {
  response: false,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
}

const FLAG_BITS: readonly (readonly [keyof HeaderFlags, number])[] = [
  ['response', 0x8000],
  ['authoritative', 0x0400],
  ['truncated', 0x0200],
  ['recursionDesired', 0x0100],
  ['recursionAvailable', 0x0080],
  ['authenticData', 0x0020],
  ['checkingDisabled', 0x0010],
]

/** RFC 2181 §8: TTLs have 31 bits. */
const MAX_TTL = 0x7fff_ffff

/**
 * A query with EDNS (RFC 6891), `dnssecOk` set, and CD set so that a validating resolver in between hands over what
 * it finds instead of judging for us (RFC 4035 §4.9.1).
 */
export function dnssecQuery(id: number, name: Name, type: number, udpPayloadSize = 1232): Message {
  return {
    id,
    opcode: OPCODE.QUERY,
    rcode: 0,
    flags: { ...NO_FLAGS, recursionDesired: true, checkingDisabled: true },
    question: [{ name, type, class: CLASS.IN }],
    answer: [],
    authority: [],
    additional: [],
    edns: { udpPayloadSize, version: 0, dnssecOk: true, options: [] },
  }
}

/** @throws DnsWireError `message-too-long` above `maxBytes`, or for a value that has no wire form. */
export function encodeMessage(message: Message, maxBytes: number = MAX_MESSAGE_BYTES): Uint8Array {
  const writer = new WireWriter(Math.min(maxBytes, MAX_MESSAGE_BYTES))
  const { opcode, rcode, edns } = message
  if (opcode > 0xf || rcode > (edns ? 0xfff : 0xf)) {
    throw new DnsWireError('out-of-range', 'opcode or rcode does not fit')
  }
  let flags = (opcode << 11) | (rcode & 0xf)
  for (const [name, bit] of FLAG_BITS) if (message.flags[name]) flags |= bit
  const additional = edns ? withOpt(message.additional, optRecord(edns, rcode)) : message.additional
  writer.u16(message.id).u16(flags)
  for (const section of [message.question, message.answer, message.authority, additional]) {
    writer.u16(section.length)
  }
  for (const question of message.question) {
    writer.compressedName(question.name).u16(question.type).u16(question.class)
  }
  for (const record of [...message.answer, ...message.authority, ...message.additional]) {
    checkRecord(record, opcode)
  }
  checkTsigPlace(message)
  for (const section of [message.answer, message.authority, additional]) {
    for (const record of section) writeRecord(writer, record)
  }
  return writer.finish()
}

/** Strict: every byte must belong to a counted record, and the RDATA of known types must have their form. */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length > MAX_MESSAGE_BYTES) throw new DnsWireError('message-too-long', 'more than 65,535 bytes')
  const reader = new WireReader(bytes)
  const id = reader.u16()
  const bits = reader.u16()
  const flags = { ...NO_FLAGS }
  for (const [name, bit] of FLAG_BITS) flags[name] = (bits & bit) !== 0
  const opcode = (bits >> 11) & 0xf
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()] as const
  const question = times(counts[0], () => ({ name: reader.name(), type: reader.u16(), class: reader.u16() }))
  const answer = times(counts[1], () => readRecord(reader, opcode))
  const authority = times(counts[2], () => readRecord(reader, opcode))
  const all = times(counts[3], () => readRecord(reader, opcode))
  reader.expectEnd()
  const opt = all.filter((record) => record.type === TYPE.OPT)
  const [first] = opt
  // RFC 6891 §6.1.1: one OPT at most, in the additional section.
  if (opt.length > 1 || [...answer, ...authority].some((record) => record.type === TYPE.OPT)) {
    throw new DnsWireError('bad-opt', 'more than one OPT, or one in a wrong section')
  }
  const additional = all.filter((record) => record.type !== TYPE.OPT)
  const message: Message = { id, opcode, rcode: bits & 0xf, flags, question, answer, authority, additional }
  if (first) {
    message.edns = readEdns(first)
    message.rcode |= Math.floor(first.ttl / 0x100_0000) << 4
  }
  if (all.some((record, index) => record.type === TYPE.TSIG && index !== all.length - 1)) {
    throw new DnsWireError('bad-tsig', 'the TSIG is not the last record')
  }
  checkTsigPlace(message)
  return message
}

/** RFC 8945 §5.1: a TSIG is the last record of the additional section. */
function checkTsigPlace(message: Message): void {
  const { answer, authority, additional } = message
  const before = [...answer, ...authority, ...additional.slice(0, -1)]
  if (before.some((record) => record.type === TYPE.TSIG)) {
    throw new DnsWireError('bad-tsig', 'the TSIG is not the last record')
  }
}

function withOpt(additional: readonly ResourceRecord[], opt: ResourceRecord): ResourceRecord[] {
  const tsigAt = additional.findIndex((record) => record.type === TYPE.TSIG)
  const at = tsigAt < 0 ? additional.length : tsigAt
  return [...additional.slice(0, at), opt, ...additional.slice(at)]
}

function optRecord(edns: Edns, rcode: number): ResourceRecord {
  const options = new WireWriter()
  for (const { code, data } of edns.options) options.u16(code).u16(data.length).raw(data)
  const ttl = (rcode >> 4) * 0x100_0000 + edns.version * 0x1_0000 + (edns.dnssecOk ? 0x8000 : 0)
  return { name: ROOT, type: TYPE.OPT, class: edns.udpPayloadSize, ttl, rdata: options.finish() }
}

function readEdns(opt: ResourceRecord): Edns {
  if (opt.name !== ROOT) throw new DnsWireError('bad-opt', 'an OPT that is not at the root')
  const reader = new WireReader(opt.rdata)
  const options: Edns['options'] = []
  while (reader.remaining > 0) options.push({ code: reader.u16(), data: reader.take(reader.u16()) })
  return {
    udpPayloadSize: opt.class,
    version: Math.floor(opt.ttl / 0x1_0000) & 0xff,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
    options,
  }
}

function writeRecord(writer: WireWriter, record: ResourceRecord): void {
  writer.compressedName(record.name).u16(record.type).u16(record.class).u32(record.ttl)
  writer.u16(record.rdata.length).raw(record.rdata)
}

function readRecord(reader: WireReader, opcode: number): ResourceRecord {
  const name = reader.name()
  const type = reader.u16()
  const rrClass = reader.u16()
  const rawTtl = reader.u32()
  const length = reader.u16()
  const start = reader.offset
  const wire = reader.take(length)
  if (type === TYPE.OPT) return { name, type, class: rrClass, ttl: rawTtl, rdata: wire }
  // RFC 2181 §8: a TTL with the highest bit set counts as zero.
  const ttl = rawTtl > MAX_TTL ? 0 : rawTtl
  if (length === 0 && mayBeEmpty(rrClass, opcode)) return { name, type, class: rrClass, ttl, rdata: wire }
  const rdata = readRdata(reader.bytes, start, start + length, type)
  checkRdata(type, rdata, rrClass)
  return { name, type, class: rrClass, ttl, rdata }
}

function checkRecord(record: ResourceRecord, opcode: number): void {
  if (record.type === TYPE.OPT) throw new DnsWireError('bad-opt', 'an OPT belongs into `edns`')
  if (record.ttl > MAX_TTL) throw new DnsWireError('out-of-range', 'a TTL has 31 bits')
  if (record.rdata.length === 0 && mayBeEmpty(record.class, opcode)) return
  checkRdata(record.type, record.rdata, record.class)
}

/** RFC 2136 §2.4 and §2.5: prerequisites and deletions carry no data. */
function mayBeEmpty(rrClass: number, opcode: number): boolean {
  return opcode === OPCODE.UPDATE && (rrClass === CLASS.ANY || rrClass === CLASS.NONE)
}

function times<T>(count: number, read: () => T): T[] {
  const items: T[] = []
  for (let i = 0; i < count; i++) items.push(read())
  return items
}
