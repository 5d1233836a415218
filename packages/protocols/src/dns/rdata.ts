import { CLASS, TYPE } from './codes.ts'
import { canonicalName, type Name, nameToWire } from './names.ts'
import { WireReader } from './reader.ts'
import { decodeTypeBitmap, encodeTypeBitmap } from './type-bitmap.ts'
import { DnsWireError } from './wire-error.ts'
import { WireWriter } from './writer.ts'

/** RFC 1035 §3.3.13. */
export type Soa = {
  primary: Name
  mailbox: Name
  serial: number
  refresh: number
  retry: number
  expire: number
  /** Also the TTL of negative answers (RFC 2308 §4). */
  minimum: number
}
/** RFC 4034 §2; also the form of CDNSKEY (RFC 7344). */
export type Dnskey = { flags: number; protocol: number; algorithm: number; publicKey: Uint8Array }
/** RFC 4034 §5; also the form of CDS. */
export type Ds = { keyTag: number; algorithm: number; digestType: number; digest: Uint8Array }
/** RFC 4034 §3. Times are seconds since 1970 modulo 2^32. */
export type Rrsig = {
  typeCovered: number
  algorithm: number
  labels: number
  originalTtl: number
  expiration: number
  inception: number
  keyTag: number
  signerName: Name
  signature: Uint8Array
}
/** RFC 4034 §4. */
export type Nsec = { next: Name; types: number[] }
/** RFC 5155 §3. */
export type Nsec3 = Nsec3param & { nextHashedOwner: Uint8Array; types: number[] }
/** RFC 5155 §4. */
export type Nsec3param = { hashAlgorithm: number; flags: number; iterations: number; salt: Uint8Array }

export function decodeNameRdata(rdata: Uint8Array): Name {
  return whole(rdata, (reader) => reader.name('refused'))
}

export function encodeSoa(soa: Soa): Uint8Array {
  return new WireWriter()
    .name(soa.primary)
    .name(soa.mailbox)
    .u32(soa.serial)
    .u32(soa.refresh)
    .u32(soa.retry)
    .u32(soa.expire)
    .u32(soa.minimum)
    .finish()
}

export function decodeSoa(rdata: Uint8Array): Soa {
  return whole(rdata, (reader) => ({
    primary: reader.name('refused'),
    mailbox: reader.name('refused'),
    serial: reader.u32(),
    refresh: reader.u32(),
    retry: reader.u32(),
    expire: reader.u32(),
    minimum: reader.u32(),
  }))
}

/** The character-strings of one TXT RR (RFC 1035 §3.3.14), each of 0 to 255 bytes, at least one. */
export function encodeTxt(strings: readonly Uint8Array[]): Uint8Array {
  if (strings.length === 0) throw new DnsWireError('bad-rdata', 'a TXT needs at least one string')
  const writer = new WireWriter()
  for (const string of strings) writer.u8(string.length).raw(string)
  return writer.finish()
}

export function decodeTxt(rdata: Uint8Array): Uint8Array[] {
  return whole(rdata, (reader) => {
    const strings: Uint8Array[] = []
    do strings.push(reader.take(reader.u8()))
    while (reader.remaining > 0)
    return strings
  })
}

export function encodeDnskey(key: Dnskey): Uint8Array {
  return new WireWriter().u16(key.flags).u8(key.protocol).u8(key.algorithm).raw(key.publicKey).finish()
}

export function decodeDnskey(rdata: Uint8Array): Dnskey {
  return whole(rdata, (reader) => ({
    flags: reader.u16(),
    protocol: reader.u8(),
    algorithm: reader.u8(),
    publicKey: reader.rest(),
  }))
}

export function encodeDs(ds: Ds): Uint8Array {
  return new WireWriter().u16(ds.keyTag).u8(ds.algorithm).u8(ds.digestType).raw(ds.digest).finish()
}

export function decodeDs(rdata: Uint8Array): Ds {
  return whole(rdata, (reader) => ({
    keyTag: reader.u16(),
    algorithm: reader.u8(),
    digestType: reader.u8(),
    digest: reader.rest(),
  }))
}

export function encodeRrsig(rrsig: Rrsig): Uint8Array {
  return new WireWriter().raw(encodeRrsigHead(rrsig)).raw(rrsig.signature).finish()
}

/**
 * The RDATA without the signature: what a signature covers first (RFC 4034 §3.1.8.1). The signer's name is in
 * canonical form there.
 */
export function encodeRrsigHead(
  rrsig: Omit<Rrsig, 'signature'>,
  form: 'as-is' | 'canonical' = 'as-is',
): Uint8Array {
  return new WireWriter()
    .u16(rrsig.typeCovered)
    .u8(rrsig.algorithm)
    .u8(rrsig.labels)
    .u32(rrsig.originalTtl)
    .u32(rrsig.expiration)
    .u32(rrsig.inception)
    .u16(rrsig.keyTag)
    .raw(nameToWire(rrsig.signerName, form))
    .finish()
}

export function decodeRrsig(rdata: Uint8Array): Rrsig {
  return whole(rdata, (reader) => ({
    typeCovered: reader.u16(),
    algorithm: reader.u8(),
    labels: reader.u8(),
    originalTtl: reader.u32(),
    expiration: reader.u32(),
    inception: reader.u32(),
    keyTag: reader.u16(),
    signerName: reader.name('refused'),
    signature: reader.rest(),
  }))
}

export function encodeNsec(nsec: Nsec): Uint8Array {
  return new WireWriter().name(nsec.next).raw(encodeTypeBitmap(nsec.types)).finish()
}

export function decodeNsec(rdata: Uint8Array): Nsec {
  return whole(rdata, (reader) => {
    const nsec = { next: reader.name('refused'), types: decodeTypeBitmap(reader.rest()) }
    // RFC 4034 §4.1.2: an NSEC always lists at least itself.
    if (nsec.types.length === 0) throw new DnsWireError('bad-rdata', 'an NSEC without types')
    return nsec
  })
}

export function encodeNsec3(nsec3: Nsec3): Uint8Array {
  return new WireWriter()
    .raw(encodeNsec3param(nsec3))
    .u8(nsec3.nextHashedOwner.length)
    .raw(nsec3.nextHashedOwner)
    .raw(encodeTypeBitmap(nsec3.types))
    .finish()
}

export function decodeNsec3(rdata: Uint8Array): Nsec3 {
  return whole(rdata, (reader) => {
    const head = readNsec3param(reader)
    const nextHashedOwner = reader.take(reader.u8())
    if (nextHashedOwner.length === 0) throw new DnsWireError('bad-rdata', 'an NSEC3 without a next hash')
    return { ...head, nextHashedOwner, types: decodeTypeBitmap(reader.rest()) }
  })
}

export function encodeNsec3param(param: Nsec3param): Uint8Array {
  return new WireWriter()
    .u8(param.hashAlgorithm)
    .u8(param.flags)
    .u16(param.iterations)
    .u8(param.salt.length)
    .raw(param.salt)
    .finish()
}

function decodeNsec3param(rdata: Uint8Array): Nsec3param {
  return whole(rdata, readNsec3param)
}

function readNsec3param(reader: WireReader): Nsec3param {
  return {
    hashAlgorithm: reader.u8(),
    flags: reader.u8(),
    iterations: reader.u16(),
    salt: reader.take(reader.u8()),
  }
}

/** Where the names stand in the RDATA of the types that carry some: after `before` bytes, `count` of them. */
type NameLayout = { before: number; count: number; after: number }

const NAME_LAYOUTS = new Map<number, NameLayout>([
  [TYPE.NS, { before: 0, count: 1, after: 0 }],
  [TYPE.CNAME, { before: 0, count: 1, after: 0 }],
  [TYPE.PTR, { before: 0, count: 1, after: 0 }],
  [TYPE.DNAME, { before: 0, count: 1, after: 0 }],
  [TYPE.SOA, { before: 0, count: 2, after: 20 }],
  [TYPE.MX, { before: 2, count: 1, after: 0 }],
  [TYPE.SRV, { before: 6, count: 1, after: 0 }],
])

/** The RDATA that begins at the reader's offset, with the names of well-known types decompressed (RFC 3597 §4). */
export function readRdata(message: Uint8Array, start: number, end: number, type: number): Uint8Array {
  const reader = new WireReader(message, start, end)
  const layout = NAME_LAYOUTS.get(type)
  if (!layout) return reader.rest()
  const writer = new WireWriter().raw(reader.take(layout.before))
  for (let i = 0; i < layout.count; i++) writer.name(reader.name())
  writer.raw(reader.take(layout.after))
  reader.expectEnd()
  return writer.finish()
}

/** The RDATA with the names inside it in canonical form (RFC 4034 §6.2 item 3). */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
  const layout = NAME_LAYOUTS.get(type)
  if (!layout) return rdata
  const reader = new WireReader(rdata)
  const writer = new WireWriter().raw(reader.take(layout.before))
  for (let i = 0; i < layout.count; i++) writer.name(canonicalName(reader.name('refused')))
  return writer.raw(reader.rest()).finish()
}

/** Throws `bad-rdata`, or the more exact code, when RDATA does not have the form of its type. */
export function checkRdata(type: number, rdata: Uint8Array, rrClass: number = CLASS.IN): void {
  switch (type) {
    case TYPE.A:
      if (rrClass === CLASS.IN) expectLength(rdata, 4)
      return
    case TYPE.AAAA:
      expectLength(rdata, 16)
      return
    case TYPE.TXT:
      decodeTxt(rdata)
      return
    case TYPE.DNSKEY:
    case TYPE.CDNSKEY:
      decodeDnskey(rdata)
      return
    case TYPE.DS:
    case TYPE.CDS:
      decodeDs(rdata)
      return
    case TYPE.RRSIG:
      decodeRrsig(rdata)
      return
    case TYPE.NSEC:
      decodeNsec(rdata)
      return
    case TYPE.NSEC3:
      decodeNsec3(rdata)
      return
    case TYPE.NSEC3PARAM:
      decodeNsec3param(rdata)
      return
    default:
      // The types with names are checked while they are copied; the rest is opaque (RFC 3597 §3).
      readRdata(rdata, 0, rdata.length, type)
  }
}

function expectLength(rdata: Uint8Array, bytes: number): void {
  if (rdata.length !== bytes) throw new DnsWireError('bad-rdata', `the RDATA must have ${bytes} bytes`)
}

function whole<T>(rdata: Uint8Array, read: (reader: WireReader) => T): T {
  const reader = new WireReader(rdata)
  const value = read(reader)
  reader.expectEnd()
  return value
}
