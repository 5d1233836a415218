import { isPoint } from '#secp256k1'
import { bytesToHex, type Hex } from '../hex.ts'
import { chainHashOf } from '../network.ts'
import { decodeUtf8 } from '../utf8.ts'
import { type BlindedPath, readBlindedPaths } from './blinded-path.ts'
import { Bolt12Error } from './error.ts'
import { decodeBolt12String } from './string-format.ts'
import { readTlvStream, readTu64, type TlvRecord } from './tlv.ts'

export const OFFER_PREFIX = 'lno'

/** Field types of BOLT 12, "TLV Fields for Offers". */
export const OFFER_TYPE = {
  chains: 2n,
  metadata: 4n,
  currency: 6n,
  amount: 8n,
  description: 10n,
  features: 12n,
  absoluteExpiry: 14n,
  paths: 16n,
  issuer: 18n,
  quantityMax: 20n,
  issuerId: 22n,
} as const

/** What an offer says. An absent property is an absent field. */
export type OfferFields = {
  /** Chain hashes, at least one; absent means Bitcoin's main chain alone. */
  readonly chains?: readonly Hex[]
  readonly metadata?: Hex
  /** Per item, at least 1. Absent: the payer chooses. */
  readonly amount?: OfferAmount
  readonly description?: string
  /** Feature bits, big-endian. */
  readonly features?: Hex
  /** Seconds since 1970 after which no invoice may be requested. */
  readonly absoluteExpirySeconds?: bigint
  readonly paths?: readonly BlindedPath[]
  readonly issuer?: string
  /** The largest quantity in one request; 0 means no limit; absent means that no quantity may be asked. */
  readonly quantityMax?: bigint
  /** The node's public key. */
  readonly issuerId?: Hex
  /** Odd fields that BOLT 12 does not name: to be mirrored in a request, otherwise ignored. */
  readonly unknown?: readonly { readonly type: bigint; readonly value: Hex }[]
}

export type OfferAmount =
  | { readonly msat: bigint }
  /** ISO 4217 code and amount in its smallest unit, e.g. cents. */
  | { readonly currency: string; readonly minorUnits: bigint }

export type Offer = OfferFields & {
  /** Canonical form: lower case, in one piece. */
  readonly text: string
}

/**
 * Reads an offer and checks every rule that BOLT 12 gives a reader, save those that need a clock or a node's own
 * chain (`checkPublishable`, `offerChains`). Throws `Bolt12Error`.
 */
export function parseOffer(text: string): Offer {
  const decoded = decodeBolt12String(text, OFFER_PREFIX)
  const records = readTlvStream(decoded.bytes)
  if (records.length === 0) throw new Bolt12Error('empty-offer', 'the offer has no fields')
  for (const record of records) checkType(record.type)
  const byType = new Map(records.map(({ type, value }) => [type, value]))
  const field = <T>(type: bigint, read: (value: Uint8Array, type: bigint) => T): T | undefined => {
    const value = byType.get(type)
    return value === undefined ? undefined : read(value, type)
  }

  const chains = field(OFFER_TYPE.chains, readChains)
  const metadata = field(OFFER_TYPE.metadata, bytesToHex)
  const currency = field(OFFER_TYPE.currency, readCurrency)
  const amount = field(OFFER_TYPE.amount, readAmount)
  const description = field(OFFER_TYPE.description, readText)
  const features = field(OFFER_TYPE.features, readFeatures)
  const absoluteExpirySeconds = field(OFFER_TYPE.absoluteExpiry, (value, type) => readTu64(type, value))
  const paths = field(OFFER_TYPE.paths, readPaths)
  const issuer = field(OFFER_TYPE.issuer, readText)
  const quantityMax = field(OFFER_TYPE.quantityMax, (value, type) => readTu64(type, value))
  const issuerId = field(OFFER_TYPE.issuerId, readIssuerId)
  const unknown = records.filter(({ type }) => !KNOWN_TYPES.has(type)).map(hexRecord)

  if (amount !== undefined && description === undefined) {
    throw new Bolt12Error('amount-without-description', 'the offer names an amount but no description')
  }
  if (currency !== undefined && amount === undefined) {
    throw new Bolt12Error('currency-without-amount', 'the offer names a currency but no amount')
  }
  if (issuerId === undefined && paths === undefined) {
    throw new Bolt12Error(
      'no-issuer-id-and-no-paths',
      'the offer says neither who its issuer is nor a path there',
    )
  }
  return {
    text: decoded.text,
    ...(chains && { chains }),
    ...(metadata !== undefined && { metadata }),
    ...(amount !== undefined && {
      amount: currency === undefined ? { msat: amount } : { currency, minorUnits: amount },
    }),
    ...(description !== undefined && { description }),
    ...(features !== undefined && { features }),
    ...(absoluteExpirySeconds !== undefined && { absoluteExpirySeconds }),
    ...(paths && { paths }),
    ...(issuer !== undefined && { issuer }),
    ...(quantityMax !== undefined && { quantityMax }),
    ...(issuerId !== undefined && { issuerId }),
    ...(unknown.length > 0 && { unknown }),
  }
}

/** The chains that an offer is valid for: those that it names, else Bitcoin's main chain (BOLT 12, `offer_chains`). */
export function offerChains(offer: Pick<OfferFields, 'chains'>): readonly Hex[] {
  return offer.chains ?? [chainHashOf('bitcoin')]
}

const KNOWN_TYPES: ReadonlySet<bigint> = new Set(Object.values(OFFER_TYPE))

function checkType(type: bigint): void {
  // "any TLV fields outside the inclusive ranges: 1 to 79 and 1000000000 to 1999999999: MUST NOT respond".
  const inRange = (type >= 1n && type <= 79n) || (type >= 1_000_000_000n && type <= 1_999_999_999n)
  if (!inRange) throw new Bolt12Error('type-out-of-range', `field ${type} may not stand in an offer`)
  // BOLT 1: an unknown field must be ignored when odd, and makes the stream invalid when even.
  if (type % 2n === 0n && !KNOWN_TYPES.has(type)) {
    throw new Bolt12Error('unknown-even-type', `field ${type} is unknown and must be understood`)
  }
}

function readChains(value: Uint8Array): Hex[] {
  if (value.length === 0) throw new Bolt12Error('empty-chains', 'the offer is valid for no chain')
  if (value.length % 32 !== 0)
    throw new Bolt12Error('bad-length', 'the chains are not a multiple of 32 bytes')
  const chains: Hex[] = []
  for (let at = 0; at < value.length; at += 32) chains.push(bytesToHex(value.subarray(at, at + 32)))
  return chains
}

function readCurrency(value: Uint8Array, type: bigint): string {
  const currency = readText(value, type)
  if (!/^[A-Z]{3}$/.test(currency)) throw new Bolt12Error('bad-currency', 'the currency is no ISO 4217 code')
  return currency
}

function readAmount(value: Uint8Array, type: bigint): bigint {
  const amount = readTu64(type, value)
  // "if offer_amount is set and is not greater than zero: MUST NOT respond to the offer".
  if (amount === 0n) throw new Bolt12Error('zero-amount', 'the offer names the amount 0')
  return amount
}

function readText(value: Uint8Array, type: bigint): string {
  const text = decodeUtf8(value)
  if (text === null) throw new Bolt12Error('bad-utf8', `field ${type} is not UTF-8`)
  return text
}

function readFeatures(value: Uint8Array): Hex {
  // BOLT 12 names no feature of offers yet, so every even bit is unknown: "MUST NOT respond to the offer".
  value.forEach((byte, at) => {
    for (let bit = 0; bit < 8; bit += 2) {
      if ((byte & (1 << bit)) === 0) continue
      const number = (value.length - 1 - at) * 8 + bit
      throw new Bolt12Error('unknown-even-feature', `feature ${number} is unknown and must be understood`)
    }
  })
  return bytesToHex(value)
}

function readPaths(value: Uint8Array): BlindedPath[] {
  // A writer's `offer_paths` holds "one or more paths".
  if (value.length === 0) throw new Bolt12Error('empty-paths', 'the offer has an empty list of paths')
  return readBlindedPaths(value)
}

function readIssuerId(value: Uint8Array): Hex {
  if (value.length !== 33) throw new Bolt12Error('bad-length', 'the issuer id is not 33 bytes long')
  if (!isPoint(value)) throw new Bolt12Error('bad-point', 'the issuer id is not a point')
  return bytesToHex(value)
}

function hexRecord({ type, value }: TlvRecord): { type: bigint; value: Hex } {
  return { type, value: bytesToHex(value) }
}
