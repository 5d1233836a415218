import { type Refusal, type RefusalCode, refuse } from '@holdfast/core'
import { type AuthEvent, type AuthProblem, verifyAuthEvent } from '@holdfast/protocols/nip98'
import type { FastifyRequest } from 'fastify'
import { digestOfBody, isEmptyBody } from './body-digest.ts'

/** What a request says of its sender. The event is verified but may have been used; the token is not looked up. */
export type Credential =
  | { readonly kind: 'event'; readonly event: AuthEvent; readonly expiresAt: number }
  | { readonly kind: 'token'; readonly token: string }

/** NIP-98: "SHOULD check created_at within a reasonable time window (suggestion 60 seconds)". */
const WINDOW_SECONDS = 60
/**
 * A used event is remembered this much longer than its window: instances do not share a clock, and one that runs
 * late must not take an event that another has swept.
 */
const REMEMBERED_AFTER_MS = 10 * 60_000

const CODES: Record<AuthProblem, RefusalCode> = {
  invalid: 'AUTH_EVENT_INVALID',
  mismatch: 'AUTH_EVENT_MISMATCH',
  expired: 'AUTH_EVENT_EXPIRED',
}

/** Reads the Authorization header; `now` is milliseconds since 1970. Nothing is asked of the database. */
export function readCredential(
  request: FastifyRequest,
  { publicUrl, now }: { publicUrl: string; now: number },
): Credential | Refusal {
  const header = request.headers.authorization ?? ''
  // RFC 6750 §2.1, scheme without case by RFC 9110 §11.1.
  const token = /^bearer +(\S+)$/i.exec(header)?.[1]
  if (token !== undefined) return { kind: 'token', token }
  if (!/^nostr /i.test(header)) return refuse('AUTH_REQUIRED')
  const digest = digestOfBody(request)
  const url = publicUrl + request.originalUrl
  const result = verifyAuthEvent(header, {
    url,
    method: request.method,
    bodySha256: isEmptyBody(digest) ? null : Buffer.from(digest).toString('hex'),
    now,
    windowSeconds: WINDOW_SECONDS,
  })
  if (!result.ok) return refuse(CODES[result.code], { problem: result.detail, url, serverTime: now })
  const expiresAt = result.createdAt + WINDOW_SECONDS * 1000 + REMEMBERED_AFTER_MS
  return { kind: 'event', event: result.event, expiresAt }
}
