import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { finalizeEvent, getPublicKey } from 'nostr-tools/pure'
import { randomHex } from './random-hex.ts'

/** What is to be signed, as NIP-01 has it. */
export type EventTemplate = { kind: number; created_at: number; tags: string[][]; content: string }
export type NostrEvent = EventTemplate & { id: string; pubkey: string; sig: string }

/** Whoever holds the user's Nostr secret key: it never passes through this client. `pubkey` is 32 bytes in hex. */
export type Signer = {
  readonly pubkey: string
  sign(event: EventTemplate): NostrEvent | Promise<NostrEvent>
}

/** A signer for servers and tests, which hold a 32-byte secret key themselves. */
export function secretKeySigner(secretKey: Uint8Array): Signer {
  return { pubkey: getPublicKey(secretKey), sign: (event) => finalizeEvent(event, secretKey) }
}

const KIND_HTTP_AUTH = 27235

/** What NIP-98 signs: the absolute URL, the method and the body as they are sent; no body: null. */
export type SignedRequest = { readonly url: string; readonly method: string; readonly body: string | null }

/** The `Authorization` header of NIP-98. Each event is good for one request. */
export async function signAuthorization(
  signer: Signer,
  { url, method, body }: SignedRequest,
  now: number,
): Promise<string> {
  const event = await signer.sign({
    kind: KIND_HTTP_AUTH,
    created_at: Math.floor(now / 1000),
    tags: [
      ['u', url],
      ['method', method],
      ...(body === null ? [] : [['payload', bytesToHex(sha256(new TextEncoder().encode(body)))]]),
      // Without it two requests within one second would be one event, and the second a replay.
      ['salt', randomHex(16)],
    ],
    content: '',
  })
  const { id, pubkey, created_at, kind, tags, content, sig } = event
  // The URL is ASCII, and so is all the rest: btoa takes it.
  return `Nostr ${btoa(JSON.stringify({ id, pubkey, created_at, kind, tags, content, sig }))}`
}
