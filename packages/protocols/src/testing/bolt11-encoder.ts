import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { bech32 } from '@scure/base'
import { wordsOfBytes } from '../bech32-words.ts'
import { uintBytes } from '../bigsize.ts'
import { FIELD_TYPE } from '../bolt11/fields.ts'
import type { Fallback, RouteHop } from '../bolt11/hints.ts'
import { writePrefix } from '../bolt11/prefix.ts'
import { signedHash } from '../bolt11/signature.ts'
import { type Hex, hexToBytes } from '../hex.ts'
import type { Network } from '../network.ts'
import { encodeUtf8 } from '../utf8.ts'

export type InvoiceParts = {
  network?: Network
  amountMsat?: bigint
  /** Milliseconds since 1970. */
  createdAt?: number
  fields: Uint8Array[]
  secretKey: Uint8Array
}

/** One tagged field of these words. */
export function tagged(tag: keyof typeof FIELD_TYPE | number, words: Uint8Array): Uint8Array {
  const type = typeof tag === 'number' ? tag : FIELD_TYPE[tag]
  return Uint8Array.of(type, words.length >> 5, words.length & 31, ...words)
}

export const fieldOf = {
  hex: (tag: 'p' | 's' | 'h' | 'n' | 'm', value: Hex) => tagged(tag, wordsOfBytes(hexToBytes(value))),
  description: (text: string) => tagged('d', wordsOfBytes(encodeUtf8(text))),
  number: (tag: 'x' | 'c', value: number) => tagged(tag, numberWords(value)),
  features: (bits: readonly number[]) => {
    const words = new Uint8Array(bits.length === 0 ? 0 : Math.floor(Math.max(...bits) / 5) + 1)
    for (const bit of bits) words[words.length - 1 - Math.floor(bit / 5)]! |= 1 << (bit % 5)
    return tagged('9', words)
  },
  fallback: ({ version, program }: Fallback) => {
    const lead = version === 'p2pkh' ? 17 : version === 'p2sh' ? 18 : version
    return tagged('f', Uint8Array.of(lead, ...wordsOfBytes(hexToBytes(program))))
  },
  routeHint: (hops: readonly RouteHop[]) => tagged('r', wordsOfBytes(concatBytes(...hops.map(hopBytes)))),
}

/** The invoice's words before its signature. */
export function unsignedWords({ createdAt = 0, fields }: InvoiceParts): Uint8Array {
  const timestamp = numberWords(createdAt / 1000)
  return concatBytes(new Uint8Array(7 - timestamp.length), timestamp, ...fields)
}

/** Signs whatever it is given, well-formed or not. */
export function encodeInvoice(parts: InvoiceParts, prefix?: string): string {
  const words = unsignedWords(parts)
  const hrp = prefix ?? writePrefix(parts.network ?? 'regtest', parts.amountMsat ?? null)
  const signed = secp256k1.sign(signedHash(hrp, words), parts.secretKey, {
    prehash: false,
    format: 'recovered',
  })
  return assemble(hrp, words, Uint8Array.of(...signed.subarray(1), signed[0]!))
}

/** An invoice of these words with this signature: R, S and the recovery id. */
export function assemble(prefix: string, words: Uint8Array, signature: Uint8Array): string {
  return bech32.encode(prefix, [...words, ...wordsOfBytes(signature)], false)
}

function numberWords(value: number): Uint8Array {
  const words: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 32)) words.unshift(rest % 32)
  return Uint8Array.from(words)
}

function hopBytes(hop: RouteHop): Uint8Array {
  return concatBytes(
    hexToBytes(hop.nodeId),
    uintBytes(hop.shortChannelId, 8),
    uintBytes(BigInt(hop.feeBaseMsat), 4),
    uintBytes(BigInt(hop.feeProportionalMillionths), 4),
    uintBytes(BigInt(hop.cltvExpiryDelta), 2),
  )
}
