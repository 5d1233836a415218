import { createHash } from 'node:crypto'
import { LANES } from '@holdfast/core'
import type { Positions } from './read-entries.ts'

const VERSION = 1
const CHECKSUM_BYTES = 4

/**
 * Where a client stands in the journal, as a short opaque string (base64url): a version byte, each lane's position as
 * an unsigned LEB128, and the first bytes of a SHA-256 over both, so that a garbled token is seen.
 */
export function encodeResumeToken(positions: Positions): string {
  const body = [VERSION]
  for (let lane = 0; lane < LANES; lane++) {
    let left = positions[lane]!
    while (left > 127n) {
      body.push(Number(left & 127n) | 128)
      left >>= 7n
    }
    body.push(Number(left))
  }
  const bytes = Buffer.from(body)
  return Buffer.concat([bytes, checksum(bytes)]).toString('base64url')
}

/** `null`: not a token that we gave. Whether its positions exist is for the reader to see. */
export function decodeResumeToken(token: string): Positions | null {
  if (!/^[A-Za-z0-9_-]{1,150}$/.test(token)) return null
  const bytes = Buffer.from(token, 'base64url')
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  if (bytes.length <= CHECKSUM_BYTES || !checksum(body).equals(bytes.subarray(-CHECKSUM_BYTES))) return null
  if (body[0] !== VERSION) return null
  const positions: bigint[] = []
  let value = 0n
  let shift = 0n
  for (const byte of body.subarray(1)) {
    value |= BigInt(byte & 127) << shift
    shift += 7n
    if (byte & 128) continue
    positions.push(value)
    value = 0n
    shift = 0n
  }
  return positions.length === LANES && shift === 0n ? positions : null
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, CHECKSUM_BYTES)
}
