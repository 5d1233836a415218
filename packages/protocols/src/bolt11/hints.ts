import { isPoint } from '#secp256k1'
import { bytesOfWords } from '../bech32-words.ts'
import { readUint } from '../bigsize.ts'
import { bytesToHex, type Hex } from '../hex.ts'
import { Bolt11Error } from './error.ts'

/** An on-chain address to fall back to: `p2pkh`, `p2sh`, or a witness program of version 0 to 16. */
export type Fallback = { readonly version: 'p2pkh' | 'p2sh' | number; readonly program: Hex }

/** One hop of a private route, from `nodeId` over `shortChannelId` onwards. */
export type RouteHop = {
  readonly nodeId: Hex
  readonly shortChannelId: bigint
  readonly feeBaseMsat: number
  readonly feeProportionalMillionths: number
  readonly cltvExpiryDelta: number
}

/** Null for a version that a reader "MUST skip over". */
export function readFallback(data: Uint8Array): Fallback | null {
  const version = data[0]
  if (version === undefined) throw new Bolt11Error('bad-fallback', 'a fallback address is empty')
  if (version > 18) return null
  const program = bytesOfWords(data.subarray(1))
  if (program === null || !hasLengthOf(version, program.length)) {
    throw new Bolt11Error('bad-fallback', `a fallback address of version ${version} is malformed`)
  }
  return {
    version: version === 17 ? 'p2pkh' : version === 18 ? 'p2sh' : version,
    program: bytesToHex(program),
  }
}

function hasLengthOf(version: number, bytes: number): boolean {
  if (version === 17 || version === 18) return bytes === 20
  // BIP-141: a program has 2 to 40 bytes, of version 0 exactly 20 or 32.
  return version === 0 ? bytes === 20 || bytes === 32 : bytes >= 2 && bytes <= 40
}

const HOP_BYTES = 33 + 8 + 4 + 4 + 2

/** Field `r`: "one or more ordered entries". */
export function readRouteHint(bytes: Uint8Array): RouteHop[] {
  if (bytes.length === 0 || bytes.length % HOP_BYTES !== 0) {
    throw new Bolt11Error('bad-route-hint', `a route hint is not a multiple of ${HOP_BYTES} bytes`)
  }
  const hops: RouteHop[] = []
  for (let at = 0; at < bytes.length; at += HOP_BYTES) hops.push(readHop(bytes.subarray(at, at + HOP_BYTES)))
  return hops
}

function readHop(bytes: Uint8Array): RouteHop {
  const nodeId = bytes.subarray(0, 33)
  if (!isPoint(nodeId)) throw new Bolt11Error('bad-route-hint', 'a node id in a route hint is not a point')
  return {
    nodeId: bytesToHex(nodeId),
    shortChannelId: readUint(bytes.subarray(33, 41)),
    feeBaseMsat: Number(readUint(bytes.subarray(41, 45))),
    feeProportionalMillionths: Number(readUint(bytes.subarray(45, 49))),
    cltvExpiryDelta: Number(readUint(bytes.subarray(49, 51))),
  }
}
