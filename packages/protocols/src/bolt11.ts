import { bech32 } from '@scure/base'
import { bytesOfWords } from './bech32-words.ts'
import { Bolt11Error } from './bolt11/error.ts'
import { readTaggedFields, type TaggedFields } from './bolt11/fields.ts'
import type { Fallback, RouteHop } from './bolt11/hints.ts'
import { readPrefix } from './bolt11/prefix.ts'
import { payeeOf, signedHash } from './bolt11/signature.ts'
import type { Hex } from './hex.ts'
import type { Network } from './network.ts'

export { Bolt11Error, type Bolt11ErrorCode } from './bolt11/error.ts'
export type { Fallback, RouteHop } from './bolt11/hints.ts'

export type Invoice = {
  /** Canonical form: lower case. */
  readonly text: string
  readonly network: Network
  /** Absent: the payer chooses. */
  readonly amountMsat?: bigint
  /** Milliseconds since 1970, whole seconds. */
  readonly createdAt: number
  /** Milliseconds since 1970 after which no payment should be attempted. */
  readonly expiresAt: number
  readonly paymentHash: Hex
  readonly paymentSecret: Hex
  /** The payee's node id: named by the invoice or recovered from its signature, which has been checked either way. */
  readonly payee: Hex
  readonly description: InvoiceDescription
  readonly minFinalCltvExpiryDelta: number
  /** Feature bits that are set, ascending. */
  readonly features: readonly number[]
  readonly metadata?: Hex
  /** Most preferred first. */
  readonly fallbacks: readonly Fallback[]
  readonly routeHints: readonly (readonly RouteHop[])[]
}

/** `hash` is the SHA-256 of a description that is given elsewhere: whoever shows that text must compare. */
export type InvoiceDescription = { readonly text: string } | { readonly hash: Hex }

/** What the largest QR code holds in its alphanumeric mode; BOLT 11 names no limit. */
const MAX_CHARACTERS = 7089
const TIMESTAMP_WORDS = 7
const SIGNATURE_WORDS = 104
const DEFAULT_EXPIRY_SECONDS = 3600
const DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA = 18

/**
 * Reads an invoice and checks its checksum, its signature and every rule that BOLT 11 gives a reader. Whether it has
 * expired and whether its network is ours is left to the caller. Throws `Bolt11Error`.
 */
export function decodeInvoice(text: string): Invoice {
  const { prefix, words } = decodeBech32(text)
  const { network, amountMsat } = readPrefix(prefix)
  if (words.length < TIMESTAMP_WORDS + SIGNATURE_WORDS) {
    throw new Bolt11Error('truncated', 'the invoice is too short for a timestamp and a signature')
  }
  const signedWords = words.subarray(0, -SIGNATURE_WORDS)
  const fields = readTaggedFields(signedWords.subarray(TIMESTAMP_WORDS))
  const required = requireFields(fields)
  // 104 words are exactly 65 bytes.
  const signature = bytesOfWords(words.subarray(-SIGNATURE_WORDS))!
  const payee = payeeOf(signedHash(prefix, signedWords), signature, fields.payee ?? null)

  const createdAt =
    signedWords.subarray(0, TIMESTAMP_WORDS).reduce((seconds, word) => seconds * 32 + word, 0) * 1000
  return {
    text: text.toLowerCase(),
    network,
    ...(amountMsat !== null && { amountMsat }),
    createdAt,
    expiresAt: createdAt + (fields.expirySeconds ?? DEFAULT_EXPIRY_SECONDS) * 1000,
    ...required,
    payee,
    minFinalCltvExpiryDelta: fields.minFinalCltvExpiryDelta ?? DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA,
    features: fields.features ?? [],
    ...(fields.metadata !== undefined && { metadata: fields.metadata }),
    fallbacks: fields.fallbacks,
    routeHints: fields.routeHints,
  }
}

function decodeBech32(text: string): { prefix: string; words: Uint8Array } {
  if (text.length > MAX_CHARACTERS) {
    throw new Bolt11Error('too-long', `the invoice exceeds ${MAX_CHARACTERS} characters`)
  }
  try {
    // BIP-173 without its limit of 90 characters, as BOLT 11 asks.
    const { prefix, words } = bech32.decode(text as `${string}1${string}`, false)
    return { prefix, words: Uint8Array.from(words) }
  } catch (error) {
    throw new Bolt11Error('bad-bech32', 'this is no bech32 string, or its checksum is wrong', {
      cause: error,
    })
  }
}

function requireFields(fields: TaggedFields): Pick<Invoice, 'paymentHash' | 'paymentSecret' | 'description'> {
  const { paymentHash, paymentSecret, description, descriptionHash } = fields
  if (paymentHash === undefined)
    throw new Bolt11Error('missing-payment-hash', 'the invoice has no payment hash')
  // "if a valid s field is not provided: MUST fail the payment".
  if (paymentSecret === undefined) {
    throw new Bolt11Error('missing-payment-secret', 'the invoice has no payment secret')
  }
  // "MUST fail the payment if neither a d field nor a h field is present, or if both are present".
  if (description !== undefined && descriptionHash !== undefined) {
    throw new Bolt11Error('two-descriptions', 'the invoice has both a description and a description hash')
  }
  if (description !== undefined) return { paymentHash, paymentSecret, description: { text: description } }
  if (descriptionHash !== undefined)
    return { paymentHash, paymentSecret, description: { hash: descriptionHash } }
  throw new Bolt11Error('missing-description', 'the invoice has neither a description nor its hash')
}
