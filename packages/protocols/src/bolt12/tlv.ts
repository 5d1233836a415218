import { concatBytes } from '@noble/hashes/utils.js'
import { BigSizeError, MAX_U64, readBigSize, readUint, uintBytes, writeBigSize } from '../bigsize.ts'
import { Bolt12Error } from './error.ts'

export type TlvRecord = { readonly type: bigint; readonly value: Uint8Array }

/**
 * Splits a TLV stream (BOLT 1, "Type-Length-Value Format"): minimal BigSize types and lengths, types strictly
 * ascending, every length within the bytes. Which types are allowed is the caller's business.
 */
export function readTlvStream(bytes: Uint8Array): TlvRecord[] {
  const records: TlvRecord[] = []
  let at = 0
  let previous = -1n
  while (at < bytes.length) {
    const type = bigSizeAt(bytes, at)
    if (type.value <= previous) {
      throw new Bolt12Error('not-ascending', `field ${type.value} follows field ${previous}`)
    }
    const length = bigSizeAt(bytes, type.next)
    if (length.value > BigInt(bytes.length - length.next)) {
      throw new Bolt12Error('truncated', `field ${type.value} is longer than what is left`)
    }
    at = length.next + Number(length.value)
    previous = type.value
    records.push({ type: type.value, value: bytes.slice(length.next, at) })
  }
  return records
}

function bigSizeAt(bytes: Uint8Array, offset: number): { value: bigint; next: number } {
  try {
    return readBigSize(bytes, offset)
  } catch (error) {
    if (!(error instanceof BigSizeError)) throw error
    throw new Bolt12Error(error.code === 'not-minimal' ? 'not-minimal' : 'truncated', error.message)
  }
}

/** One record as it stands in a stream: type, length, value. */
export function writeTlvRecord({ type, value }: TlvRecord): Uint8Array {
  return concatBytes(writeBigSize(type), writeBigSize(BigInt(value.length)), value)
}

/** Writes the records in the order given; their order and types are not checked. */
export function writeTlvStream(records: readonly TlvRecord[]): Uint8Array {
  return concatBytes(...records.map(writeTlvRecord))
}

/** BOLT 1 `tu64`: at most 8 bytes, big-endian, without leading zero bytes; 0 has no bytes at all. */
export function readTu64(type: bigint, value: Uint8Array): bigint {
  if (value.length > 8) throw new Bolt12Error('bad-length', `field ${type} exceeds 8 bytes`)
  if (value[0] === 0) throw new Bolt12Error('not-minimal', `field ${type} has leading zero bytes`)
  return readUint(value)
}

export function writeTu64(value: bigint): Uint8Array {
  if (value < 0n || value > MAX_U64)
    throw new Bolt12Error('bad-value', `${value} is no unsigned 64-bit number`)
  let width = 0
  for (let rest = value; rest > 0n; rest >>= 8n) width++
  return uintBytes(value, width)
}
