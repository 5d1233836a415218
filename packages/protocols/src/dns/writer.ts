import { labelsOf, type Name, nameFromLabels, nameToWire } from './names.ts'
import { DnsWireError } from './wire-error.ts'

/** RFC 1035 §4.2.2: a length of two octets. */
export const MAX_MESSAGE_BYTES = 65_535
/** The fourteen bits of a compression pointer. */
const MAX_POINTER_TARGET = 0x3fff

/** Writes a DNS message, or a piece of RDATA, front to back, up to `maxBytes`. */
export class WireWriter {
  readonly #maxBytes: number
  /** Where each suffix of the names written so far begins; letter case counts, so that it survives. */
  readonly #suffixes = new Map<Name, number>()
  #bytes = new Uint8Array(512)
  #length = 0

  constructor(maxBytes: number = MAX_MESSAGE_BYTES) {
    this.#maxBytes = maxBytes
  }

  u8(value: number): this {
    return this.#number(value, 1)
  }

  u16(value: number): this {
    return this.#number(value, 2)
  }

  u32(value: number): this {
    return this.#number(value, 4)
  }

  u48(value: number): this {
    return this.#number(value, 6)
  }

  raw(bytes: Uint8Array): this {
    const needed = this.#length + bytes.length
    if (needed > this.#maxBytes) {
      throw new DnsWireError('message-too-long', `more than ${this.#maxBytes} bytes`)
    }
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = needed
    return this
  }

  name(name: Name): this {
    return this.raw(nameToWire(name))
  }

  /** An owner or question name, pointing to an earlier occurrence where there is one (RFC 1035 §4.1.4). */
  compressedName(name: Name): this {
    const labels = labelsOf(name)
    for (let i = 0; i < labels.length; i++) {
      const suffix = nameFromLabels(labels.slice(i))
      const seenAt = this.#suffixes.get(suffix)
      if (seenAt !== undefined) return this.u16(0xc000 | seenAt)
      if (this.#length <= MAX_POINTER_TARGET) this.#suffixes.set(suffix, this.#length)
      const label = labels[i]!
      this.u8(label.length).raw(label)
    }
    return this.u8(0)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #number(value: number, bytes: number): this {
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * bytes)) {
      throw new DnsWireError('out-of-range', `${value} does not fit ${bytes} bytes`)
    }
    const field = new Uint8Array(bytes)
    let rest = value
    for (let i = bytes - 1; i >= 0; i--) {
      field[i] = rest % 256
      rest = Math.floor(rest / 256)
    }
    return this.raw(field)
  }
}
