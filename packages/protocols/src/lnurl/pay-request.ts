import { type Hex, isHex } from '../hex.ts'
import { isObject, readAnswer, readText, readWhole } from './answer.ts'
import { LnurlError } from './error.ts'
import { checkUrl } from './lnurl.ts'
import { type Metadata, readMetadata } from './metadata.ts'
import { PAYER_DATA_KINDS, type PayerDataWish } from './payer-data.ts'

/** What a service answers first (LUD-06, with LUD-12, LUD-16, LUD-18 and NIP-57), as a wallet reads it. */
export type PayRequest = Metadata & {
  readonly callback: string
  readonly minMsat: bigint
  readonly maxMsat: bigint
  /** As it stands in the answer: invoices commit to its hash. */
  readonly rawMetadata: string
  /** LUD-12: how many characters a comment may have; 0: none. */
  readonly commentAllowed: number
  /** LUD-18. Null: payer data is not understood and must not be sent. */
  readonly payerData: PayerDataWish | null
  /** NIP-57: who signs the zap receipts. Null: no zaps. */
  readonly zapPubkey: Hex | null
}

/** The same as it goes over the wire. */
export type PayRequestAnswer = {
  readonly tag: 'payRequest'
  readonly callback: string
  readonly minSendable: number
  readonly maxSendable: number
  readonly metadata: string
  readonly commentAllowed?: number
  readonly payerData?: PayerDataWish
  readonly allowsNostr?: true
  readonly nostrPubkey?: Hex
}

const MAX_METADATA_CHARACTERS = 300_000

/**
 * Reads the first answer of a service strictly. `allowHttp` lets callbacks be http:// without onion: for a devnet.
 * Throws `LnurlError`.
 */
export function readPayRequest(answer: unknown, options: { allowHttp?: boolean } = {}): PayRequest {
  const read = readAnswer(answer)
  if (read.tag !== 'payRequest') throw new LnurlError('bad-answer', 'the answer is no payRequest')
  const callback = readText(read, 'callback', 2_000)
  checkUrl(options.allowHttp ? callback.replace(/^http:/, 'https:') : callback)
  const [min, max] = [readWhole(read, 'minSendable'), readWhole(read, 'maxSendable')]
  // "can not be less than 1 or more than `maxSendable`".
  if (min < 1 || min > max) throw new LnurlError('bad-answer', 'minSendable is below 1 or above maxSendable')
  const rawMetadata = readText(read, 'metadata', MAX_METADATA_CHARACTERS)
  return {
    ...readMetadata(rawMetadata),
    callback,
    minMsat: BigInt(min),
    maxMsat: BigInt(max),
    rawMetadata,
    // "Should be interpreted as 0 if not provided".
    commentAllowed: read.commentAllowed === undefined ? 0 : readWhole(read, 'commentAllowed'),
    payerData: readWish(read.payerData),
    zapPubkey: readZapPubkey(read),
  }
}

function readWish(wish: unknown): PayerDataWish | null {
  if (wish === undefined || wish === null) return null
  if (!isObject(wish)) throw new LnurlError('bad-answer', 'payerData is no object')
  const known: readonly string[] = PAYER_DATA_KINDS
  const unmet = Object.keys(wish).find((kind) => !known.includes(kind) && isMandatory(wish[kind]))
  // LUD-18: "WALLET MUST send or otherwise do not proceed with the payment flow".
  if (unmet !== undefined)
    throw new LnurlError('not-allowed', `the service insists on payer data that we do not send: ${unmet}`)
  return Object.fromEntries(
    PAYER_DATA_KINDS.filter((kind) => wish[kind] !== undefined).map((kind) => [
      kind,
      { mandatory: isMandatory(wish[kind]) },
    ]),
  )
}

function isMandatory(wish: unknown): boolean {
  return isObject(wish) && wish.mandatory === true
}

/** NIP-57: zaps only if `allowsNostr` is true and `nostrPubkey` "is a valid BIP 340 public key in hex". */
function readZapPubkey({ allowsNostr, nostrPubkey }: Record<string, unknown>): Hex | null {
  return allowsNostr === true && typeof nostrPubkey === 'string' && isHex(nostrPubkey, 32)
    ? nostrPubkey
    : null
}
