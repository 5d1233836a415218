import { WireReader } from './reader.ts'
import { DnsWireError } from './wire-error.ts'
import { WireWriter } from './writer.ts'

/** The type bit maps field of NSEC and NSEC3 (RFC 4034 §4.1.2): windows of 256 types, 1 to 32 octets each. */
export function encodeTypeBitmap(types: readonly number[]): Uint8Array {
  const writer = new WireWriter()
  const sorted = [...new Set(types)].sort((a, b) => a - b)
  for (let i = 0; i < sorted.length; ) {
    const window = sorted[i]! >> 8
    const bitmap = new Uint8Array(32)
    let length = 0
    for (; i < sorted.length && sorted[i]! >> 8 === window; i++) {
      const low = sorted[i]! & 0xff
      bitmap[low >> 3]! |= 0x80 >> (low & 7)
      length = (low >> 3) + 1
    }
    writer.u8(window).u8(length).raw(bitmap.subarray(0, length))
  }
  return writer.finish()
}

/** Ascending type numbers. Windows out of order, empty, or with trailing zero octets are refused. */
export function decodeTypeBitmap(bytes: Uint8Array): number[] {
  const reader = new WireReader(bytes)
  const types: number[] = []
  let previous = -1
  while (reader.remaining > 0) {
    const window = reader.u8()
    const length = reader.u8()
    if (window <= previous) throw new DnsWireError('bad-rdata', 'type bitmap windows are out of order')
    if (length < 1 || length > 32)
      throw new DnsWireError('bad-rdata', 'a type bitmap window has a wrong length')
    const bitmap = reader.take(length)
    if (bitmap[length - 1] === 0) throw new DnsWireError('bad-rdata', 'a type bitmap window ends in zeros')
    bitmap.forEach((octet, index) => {
      for (let bit = 0; bit < 8; bit++) {
        if (octet & (0x80 >> bit)) types.push((window << 8) | (index << 3) | bit)
      }
    })
    previous = window
  }
  return types
}
