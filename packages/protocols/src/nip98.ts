import { base64 } from '@scure/base'
import { finalizeEvent } from 'nostr-tools/pure'
import type { Hex } from './hex.ts'
import { hasValidSignature, type NostrEvent, readEvent, valuesOfTag } from './nip01.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

/** A signed event of kind 27235. */
export type AuthEvent = NostrEvent

/** The HTTP request that an event is signed for. */
export type AuthRequest = {
  /** Absolute, with its query, exactly as sent. */
  readonly url: string
  readonly method: string
  /** SHA-256 of the body's bytes; null, or the hash of nothing, when there is none. */
  readonly bodySha256: Hex | null
  /** Milliseconds since 1970. */
  readonly now: number
}

export type AuthResult =
  /** `eventId` must be remembered for as long as the window lasts: each event is good for one request. */
  | {
      readonly ok: true
      readonly pubkey: Hex
      readonly eventId: Hex
      readonly createdAt: number
      readonly event: AuthEvent
    }
  | { readonly ok: false; readonly code: AuthProblem; readonly detail: string }

export type AuthProblem =
  /** Not a well-formed event, or its signature is wrong. */
  | 'invalid'
  /** Signed for another URL, method or body. */
  | 'mismatch'
  /** Too old, or too far in the future. */
  | 'expired'

const KIND_HTTP_AUTH = 27235
const MAX_HEADER_CHARACTERS = 8192
const MAX_TAGS = 16
const SHA256_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/**
 * Checks a NIP-98 `Authorization` header, or its event, against the request that it came with. What costs nothing is
 * checked before the signature, and nothing outside of the event is asked.
 */
export function verifyAuthEvent(
  given: string | AuthEvent,
  request: AuthRequest & { readonly windowSeconds?: number },
): AuthResult {
  const event = typeof given === 'string' ? eventOfHeader(given) : readEvent(given, MAX_TAGS)
  if (event === null) return refuse('invalid', 'the header holds no well-formed Nostr event')
  if (event.kind !== KIND_HTTP_AUTH) return refuse('invalid', `the event is not of kind ${KIND_HTTP_AUTH}`)
  const [url, ...moreUrls] = valuesOfTag(event, 'u')
  const [method, ...moreMethods] = valuesOfTag(event, 'method')
  const [payload, ...morePayloads] = valuesOfTag(event, 'payload')
  const repeated = moreUrls.length + moreMethods.length + morePayloads.length > 0
  if (url === undefined || method === undefined || repeated) {
    return refuse('invalid', 'the event needs exactly one u and one method tag, and at most one payload tag')
  }
  const ageMs = Math.abs(request.now - event.created_at * 1000)
  if (ageMs > (request.windowSeconds ?? 60) * 1000) return refuse('expired', 'created_at is too far from now')
  // "The u tag MUST be exactly the same as the absolute request URL (including query parameters)."
  if (url !== request.url) return refuse('mismatch', 'the event was signed for another URL')
  if (method.toUpperCase() !== request.method.toUpperCase()) {
    return refuse('mismatch', 'the event was signed for another method')
  }
  if (!payloadMatches(payload, request.bodySha256))
    return refuse('mismatch', 'the event was signed for another body')
  if (!hasValidSignature(event)) {
    return refuse('invalid', 'the id or the signature of the event is wrong')
  }
  return { ok: true, pubkey: event.pubkey, eventId: event.id, createdAt: event.created_at * 1000, event }
}

/** What an event says that it was signed for. */
export type SignedFor = {
  readonly pubkey: Hex
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly url: string
  readonly method: string
}

/**
 * What a kept event proves long after its request: that this key signed for this URL and method at this time. Null: it
 * proves nothing. Whether it was used in time, and for which body, only who had the request could tell.
 */
export function readAuthEvent(value: unknown): SignedFor | null {
  const event = readEvent(value, MAX_TAGS)
  if (event === null || event.kind !== KIND_HTTP_AUTH) return null
  const [url, ...moreUrls] = valuesOfTag(event, 'u')
  const [method, ...moreMethods] = valuesOfTag(event, 'method')
  if (url === undefined || method === undefined || moreUrls.length + moreMethods.length > 0) return null
  if (!hasValidSignature(event)) return null
  return { pubkey: event.pubkey, createdAt: event.created_at * 1000, url, method: method.toUpperCase() }
}

/** An event that authorizes `request`, signed with a 32-byte secret key. `salt`: see `authEventTemplate`. */
export function createAuthEvent(request: AuthRequest, secretKey: Uint8Array, salt?: string): AuthEvent {
  const event = finalizeEvent(authEventTemplate(request, salt), secretKey)
  const { id, pubkey, created_at, kind, tags, content, sig } = event
  return { id, pubkey, created_at, kind, tags, content, sig }
}

/**
 * The same, for a signer that keeps its key to itself. Time is whole seconds, so two equal requests within one second
 * are one event, and the second a replay, unless each has a `salt` of its own.
 */
export function authEventTemplate(request: AuthRequest, salt?: string) {
  const tags = [
    ['u', request.url],
    ['method', request.method.toUpperCase()],
  ]
  if (request.bodySha256 !== null) tags.push(['payload', request.bodySha256])
  if (salt !== undefined) tags.push(['salt', salt])
  return { kind: KIND_HTTP_AUTH, created_at: Math.floor(request.now / 1000), tags, content: '' }
}

/** The value of the `Authorization` header. */
export function authorizationHeader(event: AuthEvent): string {
  return `Nostr ${base64.encode(encodeUtf8(JSON.stringify(event)))}`
}

function refuse(code: AuthProblem, detail: string): AuthResult {
  return { ok: false, code, detail }
}

function eventOfHeader(header: string): AuthEvent | null {
  if (header.length > MAX_HEADER_CHARACTERS) return null
  // RFC 9110 §11.1: the scheme is case-insensitive.
  const [, encoded] = /^nostr +([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? []
  if (encoded === undefined) return null
  try {
    const text = decodeUtf8(base64.decode(encoded))
    return text === null ? null : readEvent(JSON.parse(text), MAX_TAGS)
  } catch (error) {
    // base64 with wrong padding, or no JSON: whoever sent it is told that the event is invalid.
    if (error instanceof Error) return null
    throw error
  }
}

/** A body must be signed for; that there is none may go without saying. */
function payloadMatches(payload: string | undefined, bodySha256: Hex | null): boolean {
  const actual = bodySha256 ?? SHA256_OF_NOTHING
  return payload === actual || (payload === undefined && actual === SHA256_OF_NOTHING)
}
