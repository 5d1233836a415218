import { isPoint } from '#secp256k1'
import { bytesOfWords } from '../bech32-words.ts'
import { bytesToHex, type Hex } from '../hex.ts'
import { decodeUtf8 } from '../utf8.ts'
import { Bolt11Error } from './error.ts'
import { readFeatures } from './features.ts'
import { type Fallback, type RouteHop, readFallback, readRouteHint } from './hints.ts'

/** The types of BOLT 11, "Tagged Fields", as the 5-bit values of their letters. */
export const FIELD_TYPE = {
  p: 1,
  r: 3,
  '9': 5,
  x: 6,
  f: 9,
  d: 13,
  s: 16,
  n: 19,
  h: 23,
  c: 24,
  m: 27,
} as const

export type TaggedFields = {
  paymentHash?: Hex
  paymentSecret?: Hex
  description?: string
  descriptionHash?: Hex
  metadata?: Hex
  payee?: Hex
  expirySeconds?: number
  minFinalCltvExpiryDelta?: number
  features?: number[]
  fallbacks: Fallback[]
  routeHints: RouteHop[][]
}

/**
 * Reads the tagged fields. Unknown types are skipped, and so are `p`, `s`, `h` and `n` of another length: BOLT 11's
 * text now says to fail on those, but its published examples still carry them as "fields which must be ignored", and
 * the nodes that we pay through skip them. Nothing is lost: an invoice without a well-formed `p` or `s` is refused.
 */
export function readTaggedFields(words: Uint8Array): TaggedFields {
  const fields: TaggedFields = { fallbacks: [], routeHints: [] }
  let at = 0
  while (at < words.length) {
    if (words.length - at < 3) throw new Bolt11Error('truncated', 'the data ends inside a field')
    const type = words[at]!
    const length = words[at + 1]! * 32 + words[at + 2]!
    at += 3 + length
    if (at > words.length) throw new Bolt11Error('truncated', 'a field is longer than what is left')
    readField(fields, type, words.subarray(at - length, at))
  }
  return fields
}

function readField(fields: TaggedFields, type: number, data: Uint8Array): void {
  const once = <Key extends keyof TaggedFields>(key: Key, value: TaggedFields[Key]) => {
    // BOLT 11 lets a writer include each of these once. Two would let two payers understand one invoice differently.
    if (fields[key] !== undefined)
      throw new Bolt11Error('duplicate-field', `the field for ${key} stands twice`)
    fields[key] = value
  }
  switch (type) {
    case FIELD_TYPE.p:
      if (data.length === 52) once('paymentHash', bytesToHex(wholeBytes(data)))
      break
    case FIELD_TYPE.s:
      if (data.length === 52) once('paymentSecret', bytesToHex(wholeBytes(data)))
      break
    case FIELD_TYPE.h:
      if (data.length === 52) once('descriptionHash', bytesToHex(wholeBytes(data)))
      break
    case FIELD_TYPE.n:
      if (data.length === 53) once('payee', readPayee(data))
      break
    case FIELD_TYPE.d:
      once('description', readDescription(data))
      break
    case FIELD_TYPE.m:
      once('metadata', bytesToHex(wholeBytes(data)))
      break
    case FIELD_TYPE.x:
      once('expirySeconds', readNumber(data, 'expiry'))
      break
    case FIELD_TYPE.c:
      once('minFinalCltvExpiryDelta', readNumber(data, 'final CLTV delta'))
      break
    case FIELD_TYPE['9']:
      rejectLeadingZero(data, 'feature field')
      once('features', readFeatures(data))
      break
    case FIELD_TYPE.f: {
      const fallback = readFallback(data)
      if (fallback !== null) fields.fallbacks.push(fallback)
      break
    }
    case FIELD_TYPE.r:
      fields.routeHints.push(readRouteHint(wholeBytes(data)))
      break
  }
}

/** "MUST pad field data to a multiple of 5 bits, using 0s." */
function wholeBytes(data: Uint8Array): Uint8Array {
  const bytes = bytesOfWords(data)
  if (bytes === null) throw new Bolt11Error('bad-padding', 'a field holds bits that belong to no byte')
  return bytes
}

function readDescription(data: Uint8Array): string {
  const text = decodeUtf8(wholeBytes(data))
  if (text === null) throw new Bolt11Error('bad-utf8', 'the description is not UTF-8')
  return text
}

function readPayee(data: Uint8Array): Hex {
  const point = wholeBytes(data)
  if (!isPoint(point)) throw new Bolt11Error('bad-payee', 'the payee is not a point')
  return bytesToHex(point)
}

/** Above this, dates leave what a clock can say; no such invoice is meant seriously. */
const MAX_NUMBER = 2 ** 40

function readNumber(data: Uint8Array, what: string): number {
  rejectLeadingZero(data, what)
  let value = 0
  for (const word of data) {
    value = value * 32 + word
    if (value > MAX_NUMBER) throw new Bolt11Error('number-too-large', `the ${what} is absurdly large`)
  }
  return value
}

/** "if a c, x, or 9 field is provided which has a non-minimal data_length: SHOULD treat the invoice as invalid". */
function rejectLeadingZero(data: Uint8Array, what: string): void {
  if (data[0] === 0) throw new Bolt11Error('not-minimal', `the ${what} has leading zeros`)
}
