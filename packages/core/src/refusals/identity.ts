import type { Catalogue } from './catalogue.ts'

/** Who asks, and whether they have asked before. */
export const IDENTITY_REFUSALS = {
  AUTH_REQUIRED: {
    status: 401,
    title: 'The request is not signed.',
    hint: 'Sign it with NIP-98 or send a session token.',
  },
  AUTH_EVENT_INVALID: {
    status: 401,
    title: 'The NIP-98 event is malformed or its signature is wrong.',
    hint: 'Sign a kind 27235 event with the tags u, method and payload.',
  },
  AUTH_EVENT_MISMATCH: {
    status: 401,
    title: 'The NIP-98 event was signed for another request.',
    hint: 'Sign the exact URL, method and body that you send.',
  },
  AUTH_EVENT_EXPIRED: {
    status: 401,
    title: 'The NIP-98 event is too old or lies in the future.',
    hint: 'Set the clock; created_at must be within 60 seconds of now.',
  },
  AUTH_EVENT_REPLAYED: {
    status: 401,
    title: 'The NIP-98 event was used before.',
    hint: 'Sign a new event for every request.',
  },
  SESSION_INVALID: {
    status: 401,
    title: 'The session token is unknown or has expired.',
    hint: 'Open a new session with POST /v1/sessions.',
  },
  FORBIDDEN: { status: 403, title: 'This key may not do that.', hint: 'Sign with the key that owns it.' },
  IDEMPOTENCY_KEY_REQUIRED: {
    status: 400,
    title: 'The Idempotency-Key header is missing or malformed.',
    hint: 'Send 1 to 64 characters of A-Z a-z 0-9 _ - that are new for every distinct request.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 409,
    title: 'The Idempotency-Key was used for another request.',
    hint: 'Use a new key, or repeat exactly the same request.',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    title: 'The same request is being answered right now.',
    hint: 'Repeat it in a moment with the same key.',
  },
} as const satisfies Catalogue
