export type BigSizeErrorCode = 'truncated' | 'not-minimal' | 'out-of-range'

/** The only error that this module throws. */
export class BigSizeError extends Error {
  readonly code: BigSizeErrorCode
  constructor(code: BigSizeErrorCode, message: string) {
    super(message)
    this.name = 'BigSizeError'
    this.code = code
  }
}

export const MAX_U64 = 2n ** 64n - 1n

/**
 * Reads one BigSize of BOLT 1 (Appendix A) at `offset`: big-endian, 1, 3, 5 or 9 bytes.
 * Throws `BigSizeError`: `truncated`, or `not-minimal` for a value that fits fewer bytes.
 */
export function readBigSize(bytes: Uint8Array, offset = 0): { value: bigint; next: number } {
  const first = bytes[offset]
  if (first === undefined) throw new BigSizeError('truncated', 'a BigSize is missing')
  if (first < 0xfd) return { value: BigInt(first), next: offset + 1 }
  const width = first === 0xfd ? 2 : first === 0xfe ? 4 : 8
  const next = offset + 1 + width
  if (next > bytes.length) throw new BigSizeError('truncated', 'the bytes end inside a BigSize')
  const value = readUint(bytes.subarray(offset + 1, next))
  const smallest = width === 2 ? 0xfdn : width === 4 ? 0x10000n : 0x100000000n
  if (value < smallest) throw new BigSizeError('not-minimal', `the BigSize ${value} takes ${width + 1} bytes`)
  return { value, next }
}

export function writeBigSize(value: bigint): Uint8Array {
  if (value < 0n || value > MAX_U64)
    throw new BigSizeError('out-of-range', `${value} is no unsigned 64-bit number`)
  if (value < 0xfdn) return Uint8Array.of(Number(value))
  if (value < 0x10000n) return Uint8Array.of(0xfd, ...uintBytes(value, 2))
  if (value < 0x100000000n) return Uint8Array.of(0xfe, ...uintBytes(value, 4))
  return Uint8Array.of(0xff, ...uintBytes(value, 8))
}

/** A big-endian unsigned number of any width; no bytes are 0. */
export function readUint(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}

/** `value` as exactly `width` big-endian bytes. */
export function uintBytes(value: bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width)
  let rest = value
  for (let at = width - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  if (rest !== 0n) throw new BigSizeError('out-of-range', `${value} does not fit ${width} bytes`)
  return bytes
}
