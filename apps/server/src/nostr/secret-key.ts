import { decode } from 'nostr-tools/nip19'
import { getPublicKey } from 'nostr-tools/pure'

/** A secret key as people have it, in hex or as nsec1… (NIP-19), in hex; null: it is none. */
export function readSecretKey(text: string): string | null {
  const bytes = bytesOf(text)
  if (bytes === null) return null
  try {
    // Not every 32 bytes are a number below the curve's order, and 0 is none, either.
    getPublicKey(bytes)
    return bytes.toString('hex')
  } catch {
    return null
  }
}

function bytesOf(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, 'hex')
  if (!text.startsWith('nsec1')) return null
  try {
    const { type, data } = decode(text)
    return type === 'nsec' ? Buffer.from(data) : null
  } catch {
    return null
  }
}
