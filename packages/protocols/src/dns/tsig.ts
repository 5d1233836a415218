import { CLASS, TYPE } from './codes.ts'
import { decodeMessage, type ResourceRecord } from './message.ts'
import type { Name } from './names.ts'
import { WireReader } from './reader.ts'
import { DnsWireError } from './wire-error.ts'
import { WireWriter } from './writer.ts'

/** The transaction signature of RFC 8945 §4.2; the key's name is the owner of the record. */
export type Tsig = {
  keyName: Name
  /** e.g. `hmac-sha256.` */
  algorithm: Name
  /** Seconds since 1970, 48 bits. */
  timeSigned: number
  fudgeSeconds: number
  mac: Uint8Array
  originalId: number
  error: number
  otherData: Uint8Array
}

export function encodeTsigRecord(tsig: Tsig): ResourceRecord {
  const rdata = new WireWriter()
    .name(tsig.algorithm)
    .u48(tsig.timeSigned)
    .u16(tsig.fudgeSeconds)
    .u16(tsig.mac.length)
    .raw(tsig.mac)
    .u16(tsig.originalId)
    .u16(tsig.error)
    .u16(tsig.otherData.length)
    .raw(tsig.otherData)
    .finish()
  return { name: tsig.keyName, type: TYPE.TSIG, class: CLASS.ANY, ttl: 0, rdata }
}

export function decodeTsigRecord(record: ResourceRecord): Tsig {
  if (record.type !== TYPE.TSIG || record.class !== CLASS.ANY || record.ttl !== 0) {
    throw new DnsWireError('bad-tsig', 'a TSIG has class ANY and TTL 0')
  }
  const reader = new WireReader(record.rdata)
  const tsig = {
    keyName: record.name,
    algorithm: reader.name('refused'),
    timeSigned: reader.u48(),
    fudgeSeconds: reader.u16(),
    mac: reader.take(reader.u16()),
    originalId: reader.u16(),
    error: reader.u16(),
    otherData: reader.take(reader.u16()),
  }
  reader.expectEnd()
  return tsig
}

/** The message with a TSIG as its last record: what is sent after the MAC was made over `message`. */
export function appendTsig(message: Uint8Array, tsig: Tsig): Uint8Array {
  const additionalCount = new WireReader(message, 10).u16()
  const { name, type, class: rrClass, ttl, rdata } = encodeTsigRecord(tsig)
  return new WireWriter()
    .raw(message.subarray(0, 10))
    .u16(additionalCount + 1)
    .raw(message.subarray(12))
    .name(name)
    .u16(type)
    .u16(rrClass)
    .u32(ttl)
    .u16(rdata.length)
    .raw(rdata)
    .finish()
}

/**
 * Takes a received message apart: the bytes that its MAC covers (without the TSIG, ARCOUNT one less, the id as first
 * sent; RFC 8945 §4.3.2 and §5.3) and the TSIG. Null when there is none.
 */
export function splitTsig(message: Uint8Array): { covered: Uint8Array; tsig: Tsig } | null {
  const last = decodeMessage(message).additional.at(-1)
  if (last?.type !== TYPE.TSIG) return null
  const tsig = decodeTsigRecord(last)
  const additionalCount = new WireReader(message, 10).u16()
  const covered = message.slice(0, startOfLastRecord(message))
  covered.set(new WireWriter().u16(tsig.originalId).finish(), 0)
  covered.set(new WireWriter().u16(additionalCount - 1).finish(), 10)
  return { covered, tsig }
}

function startOfLastRecord(message: Uint8Array): number {
  const reader = new WireReader(message, 4)
  const questions = reader.u16()
  const records = reader.u16() + reader.u16() + reader.u16()
  for (let i = 0; i < questions; i++) {
    reader.name()
    reader.take(4)
  }
  let start = reader.offset
  for (let i = 0; i < records; i++) {
    start = reader.offset
    reader.name()
    reader.take(8)
    reader.take(reader.u16())
  }
  return start
}
