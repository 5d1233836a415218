import { createHash } from 'node:crypto'

/** Bitcoin's double SHA-256. */
export function hash256(...parts: Uint8Array[]): Buffer {
  const inner = createHash('sha256')
  for (const part of parts) inner.update(part)
  return createHash('sha256').update(inner.digest()).digest()
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** Hashes are shown in the reverse of their byte order. */
export function displayHash(hash: Uint8Array): string {
  return Buffer.from(hash).reverse().toString('hex')
}

export function hashFromDisplay(text: string): Buffer {
  return Buffer.from(text, 'hex').reverse()
}

/** Thrown by `ByteReader` and the decoders built on it: the bytes are not a canonical encoding. */
export class MalformedBytes extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MalformedBytes'
  }
}

/** Reads Bitcoin's wire encoding strictly: no reading past the end, no CompactSize longer than needed. */
export class ByteReader {
  private readonly bytes: Buffer
  position = 0

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.bytes.length - this.position
  }

  take(length: number): Buffer {
    if (length > this.remaining) throw new MalformedBytes('the bytes end too early')
    this.position += length
    return this.bytes.subarray(this.position - length, this.position)
  }

  /** What was read since `start`. */
  since(start: number): Buffer {
    return this.bytes.subarray(start, this.position)
  }

  u8(): number {
    return this.take(1).readUInt8()
  }

  u32(): number {
    return this.take(4).readUInt32LE()
  }

  i64(): bigint {
    return this.take(8).readBigInt64LE()
  }

  compactSize(): number {
    const first = this.u8()
    if (first < 0xfd) return first
    const value =
      first === 0xfd ? this.take(2).readUInt16LE() : first === 0xfe ? this.u32() : Number(this.i64())
    const least = first === 0xfd ? 0xfd : first === 0xfe ? 0x1_0000 : 0x1_0000_0000
    if (value < least) throw new MalformedBytes('a CompactSize is longer than needed')
    if (value > 0x0200_0000) throw new MalformedBytes('a CompactSize is too large')
    return value
  }

  varBytes(): Buffer {
    return this.take(this.compactSize())
  }

  expectEnd(): void {
    if (this.remaining !== 0) throw new MalformedBytes('bytes are left over')
  }
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

export function i64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}

export function compactSize(value: number): Buffer {
  if (value < 0xfd) return Buffer.from([value])
  if (value <= 0xffff) return Buffer.from([0xfd, value & 0xff, value >> 8])
  return Buffer.concat([Buffer.from([0xfe]), u32(value)])
}

export function varBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([compactSize(bytes.length), bytes])
}
