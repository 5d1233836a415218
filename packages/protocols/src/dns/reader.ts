import { MAX_NAME_BYTES, type Name, nameFromLabels } from './names.ts'
import { DnsWireError } from './wire-error.ts'

/** A name of 255 octets has at most 127 labels; more jumps than that cannot be honest. */
const MAX_POINTERS = 127

/** Reads a DNS message, or a piece of RDATA, front to back; every read is bounded by `end`. */
export class WireReader {
  readonly bytes: Uint8Array
  readonly end: number
  offset: number

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    if (end > bytes.length) throw new DnsWireError('truncated', 'a field reaches beyond the end')
    this.bytes = bytes
    this.offset = offset
    this.end = end
  }

  get remaining(): number {
    return this.end - this.offset
  }

  u8(): number {
    return this.take(1)[0]!
  }

  u16(): number {
    const [high, low] = this.take(2)
    return (high! << 8) | low!
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16()
  }

  u48(): number {
    return this.u16() * 0x1_0000_0000 + this.u32()
  }

  /** A copy of the next `length` bytes. */
  take(length: number): Uint8Array {
    if (length > this.remaining) throw new DnsWireError('truncated', 'the bytes end inside a field')
    this.offset += length
    return this.bytes.slice(this.offset - length, this.offset)
  }

  rest(): Uint8Array {
    return this.take(this.remaining)
  }

  expectEnd(): void {
    if (this.remaining > 0) throw new DnsWireError('trailing-bytes', 'bytes follow the last field')
  }

  /**
   * A name (RFC 1035 §4.1.4). A pointer must lead to before the part of the name that holds it, so that no chain of
   * pointers can loop; the 255-octet limit bounds what a pointer bomb can expand to.
   */
  name(compression: 'allowed' | 'refused' = 'allowed'): Name {
    const labels: Uint8Array[] = []
    let wireBytes = 1
    let pointers = 0
    let segmentStart = this.offset
    let at = this.offset
    let limit = this.end
    let continueAt: number | null = null
    for (;;) {
      if (at >= limit) throw new DnsWireError('truncated', 'the bytes end inside a name')
      const length = this.bytes[at]!
      if (length === 0) {
        at += 1
        break
      }
      if (length >= 0xc0) {
        if (compression === 'refused') {
          throw new DnsWireError('bad-pointer', 'a compressed name where none is allowed')
        }
        if (at + 1 >= limit) throw new DnsWireError('truncated', 'the bytes end inside a pointer')
        const target = ((length & 0x3f) << 8) | this.bytes[at + 1]!
        if (target >= segmentStart)
          throw new DnsWireError('bad-pointer', 'a pointer does not point backwards')
        pointers += 1
        if (pointers > MAX_POINTERS) throw new DnsWireError('bad-pointer', 'too many pointers in one name')
        continueAt ??= at + 2
        limit = segmentStart
        segmentStart = target
        at = target
        continue
      }
      if (length >= 0x40) throw new DnsWireError('bad-label', 'unknown label type')
      if (at + 1 + length > limit) throw new DnsWireError('truncated', 'the bytes end inside a label')
      wireBytes += length + 1
      if (wireBytes > MAX_NAME_BYTES) throw new DnsWireError('name-too-long', 'the name exceeds 255 octets')
      labels.push(this.bytes.slice(at + 1, at + 1 + length))
      at += 1 + length
    }
    this.offset = continueAt ?? at
    return nameFromLabels(labels)
  }
}
