import fc from 'fast-check'
import { CLASS, OPCODE, TYPE } from '../codes.ts'
import type { Message, ResourceRecord } from '../message.ts'
import { type Name, nameFromLabels, nameToWire } from '../names.ts'
import {
  encodeDnskey,
  encodeDs,
  encodeNsec,
  encodeNsec3,
  encodeNsec3param,
  encodeRrsig,
  encodeSoa,
  encodeTxt,
} from '../rdata.ts'
import { encodeTsigRecord, type Tsig } from '../tsig.ts'

const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const ttl = fc.integer({ min: 0, max: 0x7fff_ffff })
const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })

/** Any octets as labels, with a liking for few distinct ones, so that compression has something to do. */
const label = fc.oneof(
  fc.constantFrom('a', 'B', 'shop', 'test', '*').map((text) => new TextEncoder().encode(text)),
  bytes(1, 20),
)
export const anyName: fc.Arbitrary<Name> = fc
  .array(label, { maxLength: 8 })
  .map((labels) => nameFromLabels(labels))

const types = fc.array(u16, { minLength: 1, maxLength: 12 })
const nsec3param = fc.record({ hashAlgorithm: u8, flags: u8, iterations: u16, salt: bytes(0, 20) })

const typeAndRdata: fc.Arbitrary<{ type: number; rdata: Uint8Array }> = fc.oneof(
  bytes(4, 4).map((rdata) => ({ type: TYPE.A, rdata })),
  bytes(16, 16).map((rdata) => ({ type: TYPE.AAAA, rdata })),
  fc
    .tuple(fc.constantFrom(TYPE.NS, TYPE.CNAME, TYPE.DNAME, TYPE.PTR), anyName)
    .map(([type, name]) => ({ type, rdata: nameToWire(name) })),
  fc
    .record({
      primary: anyName,
      mailbox: anyName,
      serial: u32,
      refresh: u32,
      retry: u32,
      expire: u32,
      minimum: u32,
    })
    .map((soa) => ({ type: TYPE.SOA, rdata: encodeSoa(soa) })),
  fc
    .array(bytes(0, 255), { minLength: 1, maxLength: 4 })
    .map((strings) => ({ type: TYPE.TXT, rdata: encodeTxt(strings) })),
  fc
    .record({ flags: u16, protocol: u8, algorithm: u8, publicKey: bytes(0, 80) })
    .chain((key) =>
      fc.constantFrom(TYPE.DNSKEY, TYPE.CDNSKEY).map((type) => ({ type, rdata: encodeDnskey(key) })),
    ),
  fc
    .record({ keyTag: u16, algorithm: u8, digestType: u8, digest: bytes(0, 48) })
    .chain((ds) => fc.constantFrom(TYPE.DS, TYPE.CDS).map((type) => ({ type, rdata: encodeDs(ds) }))),
  fc
    .record({
      typeCovered: u16,
      algorithm: u8,
      labels: u8,
      originalTtl: u32,
      expiration: u32,
      inception: u32,
      keyTag: u16,
      signerName: anyName,
      signature: bytes(0, 96),
    })
    .map((rrsig) => ({ type: TYPE.RRSIG, rdata: encodeRrsig(rrsig) })),
  fc.record({ next: anyName, types }).map((nsec) => ({ type: TYPE.NSEC, rdata: encodeNsec(nsec) })),
  fc.tuple(nsec3param, bytes(1, 32), types).map(([param, nextHashedOwner, types]) => ({
    type: TYPE.NSEC3,
    rdata: encodeNsec3({ ...param, nextHashedOwner, types }),
  })),
  nsec3param.map((param) => ({ type: TYPE.NSEC3PARAM, rdata: encodeNsec3param(param) })),
  bytes(0, 60).map((rdata) => ({ type: 65_400, rdata })),
)

const anyRecord: fc.Arbitrary<ResourceRecord> = fc
  .tuple(anyName, typeAndRdata, ttl)
  .map(([name, { type, rdata }, ttl]) => ({ name, type, class: CLASS.IN, ttl, rdata }))

export const anyTsig: fc.Arbitrary<Tsig> = fc.record({
  keyName: anyName,
  algorithm: fc.constant('hmac-sha256.'),
  timeSigned: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  fudgeSeconds: u16,
  mac: bytes(0, 64),
  originalId: u16,
  error: u16,
  otherData: bytes(0, 6),
})

const section = fc.array(anyRecord, { maxLength: 4 })
const flags = fc.record({
  response: fc.boolean(),
  authoritative: fc.boolean(),
  truncated: fc.boolean(),
  recursionDesired: fc.boolean(),
  recursionAvailable: fc.boolean(),
  authenticData: fc.boolean(),
  checkingDisabled: fc.boolean(),
})
const edns = fc.record({
  udpPayloadSize: u16,
  version: u8,
  dnssecOk: fc.boolean(),
  options: fc.array(fc.record({ code: u16, data: bytes(0, 12) }), { maxLength: 3 }),
})

export const anyMessage: fc.Arbitrary<Message> = fc
  .record({
    id: u16,
    opcode: fc.constantFrom(OPCODE.QUERY, OPCODE.NOTIFY, OPCODE.UPDATE),
    rcode: fc.integer({ min: 0, max: 15 }),
    flags,
    question: fc.array(fc.record({ name: anyName, type: u16, class: u16 }), { maxLength: 2 }),
    answer: section,
    authority: section,
    additional: fc
      .tuple(section, fc.option(anyTsig, { nil: undefined }))
      .map(([records, tsig]) => (tsig ? [...records, encodeTsigRecord(tsig)] : records)),
  })
  .chain((message) =>
    fc
      .option(fc.tuple(edns, fc.integer({ min: 0, max: 0xff })), { nil: undefined })
      .map((opt) => (opt ? { ...message, edns: opt[0], rcode: (opt[1] << 4) | message.rcode } : message)),
  )
