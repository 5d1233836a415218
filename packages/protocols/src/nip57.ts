import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, type Hex, isHex } from './hex.ts'
import { type EventTemplate, hasValidSignature, type NostrEvent, readEvent, valuesOfTag } from './nip01.ts'
import { encodeUtf8 } from './utf8.ts'

/** A zap request (NIP-57, kind 9734) that passed every rule of Appendix D. */
export type ZapRequest = {
  /** As it was received: the invoice commits to its hash, and the receipt repeats it. */
  readonly raw: string
  readonly sender: Hex
  readonly recipient: Hex
  /** Where the receipt is wanted, at most `MAX_RELAYS`; at least one. */
  readonly relays: readonly string[]
  readonly comment: string
  /** The event, or the coordinate of the addressable event, that is zapped; both absent: the recipient is. */
  readonly eventId?: Hex
  readonly coordinate?: string
  readonly targetKind?: string
}

export type ZapProblem =
  | 'too-long'
  /** No JSON of exactly one well-formed event. */
  | 'not-an-event'
  | 'wrong-kind'
  | 'bad-recipient'
  /** The zap is for another key than the one that this address pays. */
  | 'wrong-recipient'
  | 'bad-target'
  | 'no-relay'
  | 'wrong-amount'
  /** The receipt is wanted from another key than the one that signs ours. */
  | 'wrong-signer'
  | 'bad-signature'

export type ZapResult =
  | { readonly ok: true; readonly zap: ZapRequest }
  | { readonly ok: false; readonly code: ZapProblem; readonly detail: string }

const KIND_ZAP_REQUEST = 9734
const KIND_ZAP_RECEIPT = 9735
const MAX_CHARACTERS = 8_000
const MAX_TAGS = 32
const MAX_RELAYS = 10
/** NIP-01: `<kind>:<pubkey>:<d tag>`, the last empty for replaceable events. */
const COORDINATE = /^[0-9]{1,5}:[0-9a-f]{64}:/

/**
 * Reads the `nostr` parameter of an LNURL-pay callback, after URL-decoding, and checks it by NIP-57, Appendix D; the
 * signature last, because it costs most. `recipient` is the key that the address belongs to: without that check
 * anybody could pay themselves and be given a receipt that says that another was zapped.
 */
export function readZapRequest(
  raw: string,
  asked: { readonly amountMsat: bigint; readonly receiptPubkey: Hex; readonly recipient: Hex },
): ZapResult {
  if (raw.length > MAX_CHARACTERS) return refuse('too-long', `it exceeds ${MAX_CHARACTERS} characters`)
  const event = parseEvent(raw)
  if (event === null) return refuse('not-an-event', 'it is no well-formed Nostr event')
  if (event.kind !== KIND_ZAP_REQUEST) return refuse('wrong-kind', `its kind is not ${KIND_ZAP_REQUEST}`)
  // "It MUST have tags"; "It MUST have only one p tag".
  const [recipient, ...moreRecipients] = valuesOfTag(event, 'p')
  if (recipient === undefined || moreRecipients.length > 0 || !isHex(recipient, 32))
    return refuse('bad-recipient', 'it needs exactly one p tag with a public key in hex')
  if (recipient !== asked.recipient)
    return refuse('wrong-recipient', 'its p tag is not the key of this address')
  const target = targetOf(event)
  if (target === null) return refuse('bad-target', 'an e, a or k tag is malformed or stands twice')
  // "There should be a relays tag": without one nobody would ever see the receipt.
  const relays = relaysOf(event)
  if (relays.length === 0) return refuse('no-relay', 'it names no wss:// relay for the receipt')
  // "If there is an amount tag, it MUST be equal to the amount query parameter."
  if (valuesOfTag(event, 'amount').some((amount) => amount !== `${asked.amountMsat}`))
    return refuse('wrong-amount', 'its amount tag is not the amount of the request')
  // "There MUST be 0 or 1 P tags. If there is one, it MUST be equal to the zap receipt's pubkey."
  const signers = valuesOfTag(event, 'P')
  if (signers.length > 1 || signers.some((signer) => signer !== asked.receiptPubkey))
    return refuse('wrong-signer', 'its P tag is not the key that signs our receipts')
  if (!hasValidSignature(event)) return refuse('bad-signature', 'its id or signature is wrong')
  return {
    ok: true,
    zap: { raw, sender: event.pubkey, recipient, relays, comment: event.content, ...target },
  }
}

/** What the invoice commits to: "this zap request note and this note only". SHA-256, hex. */
export function zapDescriptionHash({ raw }: Pick<ZapRequest, 'raw'>): Hex {
  return bytesToHex(sha256(encodeUtf8(raw)))
}

/**
 * The receipt (kind 9735, Appendix E) for the recipient's provider to sign and publish once the invoice is paid.
 * `paidAt` is milliseconds since 1970. It has no `preimage` tag: the preimage is the payer's proof, and not ours.
 */
export function zapReceiptTemplate(
  zap: ZapRequest,
  paid: { invoice: string; paidAt: number },
): EventTemplate {
  const tags = [
    ['p', zap.recipient],
    ['P', zap.sender],
  ]
  if (zap.eventId !== undefined) tags.push(['e', zap.eventId])
  if (zap.coordinate !== undefined) tags.push(['a', zap.coordinate])
  if (zap.targetKind !== undefined) tags.push(['k', zap.targetKind])
  tags.push(['bolt11', paid.invoice], ['description', zap.raw])
  // "The created_at date SHOULD be set to the invoice paid_at date for idempotency."
  return { kind: KIND_ZAP_RECEIPT, created_at: Math.floor(paid.paidAt / 1000), tags, content: '' }
}

function parseEvent(raw: string): NostrEvent | null {
  try {
    return readEvent(JSON.parse(raw), MAX_TAGS)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Null: a tag is malformed, or there are two e tags ("It MUST have 0 or 1 e tags"). */
function targetOf(event: NostrEvent): Pick<ZapRequest, 'eventId' | 'coordinate' | 'targetKind'> | null {
  const [eventIds, coordinates, kinds] = ['e', 'a', 'k'].map((name) => valuesOfTag(event, name)) as [
    string[],
    string[],
    string[],
  ]
  if (Math.max(eventIds.length, coordinates.length, kinds.length) > 1) return null
  if (!eventIds.every((id) => isHex(id, 32))) return null
  // "If there is an a tag, it MUST be a valid event coordinate".
  if (!coordinates.every((coordinate) => COORDINATE.test(coordinate))) return null
  if (!kinds.every((kind) => /^[0-9]{1,5}$/.test(kind))) return null
  const [[eventId], [coordinate], [targetKind]] = [eventIds, coordinates, kinds]
  return {
    ...(eventId !== undefined && { eventId }),
    ...(coordinate !== undefined && { coordinate }),
    ...(targetKind !== undefined && { targetKind }),
  }
}

/** "relays should not be nested in an additional list": the values stand in the tag itself. */
function relaysOf(event: NostrEvent): string[] {
  const [, ...urls] = event.tags.find(([name]) => name === 'relays') ?? []
  const usable = urls.filter((url) => URL.canParse(url) && new URL(url).protocol === 'wss:')
  return [...new Set(usable)].slice(0, MAX_RELAYS)
}

function refuse(code: ZapProblem, detail: string): ZapResult {
  return { ok: false, code, detail }
}
