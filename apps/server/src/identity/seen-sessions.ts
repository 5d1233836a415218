import type { Asker, Proven } from './idempotency.ts'

/**
 * Who asks by a session's token, as the database said it last. Sessions are revoked and end: nothing is kept on this
 * word before the database has confirmed it in the same transaction.
 */
export type SeenSessions = {
  get(tokenSha256: Uint8Array): Proven | null
  learn(asker: Asker, proven: Proven): void
  forget(tokenSha256: Uint8Array): void
}

const CAPACITY = 10_000

export function makeSeenSessions(capacity = CAPACITY): SeenSessions {
  // A Map keeps the order of insertion.
  const byDigest = new Map<string, Proven>()
  const keyOf = (digest: Uint8Array) => Buffer.from(digest).toString('base64')
  return {
    get: (tokenSha256) => byDigest.get(keyOf(tokenSha256)) ?? null,
    learn(asker, { owner, authority }) {
      // Until the event that opened the session is kept, who believes would not bring it along.
      if (!('tokenSha256' in asker) || authority.event !== null) return
      byDigest.set(keyOf(asker.tokenSha256), { owner, authority })
      const [oldest] = byDigest.keys()
      if (byDigest.size > capacity && oldest !== undefined) byDigest.delete(oldest)
    },
    forget: (tokenSha256) => void byDigest.delete(keyOf(tokenSha256)),
  }
}
