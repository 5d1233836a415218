import { base64 } from '@scure/base'
import fc from 'fast-check'
import { finalizeEvent, verifyEvent } from 'nostr-tools/pure'
import { describe, expect, test } from 'vitest'
import {
  type AuthEvent,
  type AuthRequest,
  authEventTemplate,
  authorizationHeader,
  createAuthEvent,
  readAuthEvent,
  verifyAuthEvent,
} from './nip98.ts'
import { secretKey } from './testing/points.ts'
import { encodeUtf8 } from './utf8.ts'

const NOW = 1_800_000_000_000
const BODY = 'ab'.repeat(32)
const NO_BODY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const KEY = secretKey(1)
const request: AuthRequest = {
  url: 'https://api.example/v1/names?x=1',
  method: 'POST',
  bodySha256: BODY,
  now: NOW,
}
const event = createAuthEvent(request, KEY)

const resigned = (change: Partial<AuthEvent>): AuthEvent => {
  const template = { ...authEventTemplate(request), ...change } as Parameters<typeof finalizeEvent>[0]
  const { id, pubkey, created_at, kind, tags, content, sig } = finalizeEvent(template, KEY)
  return { id, pubkey, created_at, kind, tags, content, sig }
}
const headerOf = (value: unknown) => `Nostr ${base64.encode(encodeUtf8(JSON.stringify(value)))}`
const codeOf = (given: string | AuthEvent, asked: Partial<AuthRequest> & { windowSeconds?: number } = {}) => {
  const result = verifyAuthEvent(given, { ...request, ...asked })
  return result.ok ? 'ok' : result.code
}

test('an event signed for the request tells who signed it', () => {
  const result = { ok: true, pubkey: event.pubkey, eventId: event.id, createdAt: NOW, event }
  expect(verifyAuthEvent(authorizationHeader(event), request)).toEqual(result)
  expect(verifyAuthEvent(event, request)).toEqual(result)
  expect(verifyEvent({ ...event, tags: event.tags.map((tag) => [...tag]) })).toBe(true)
})

test('a salt makes two events of two equal requests', () => {
  const salted = createAuthEvent(request, KEY, 'x')
  expect(salted.id).not.toBe(event.id)
  expect(codeOf(salted)).toBe('ok')
})

describe('accepted is also', () => {
  test.each<[string, () => string]>([
    ['a scheme in another case', () => codeOf(authorizationHeader(event).replace('Nostr', 'nOSTR'))],
    ['a method in another case', () => codeOf(event, { method: 'post' })],
    [
      'a request without a body',
      () => codeOf(createAuthEvent({ ...request, bodySha256: null }, KEY), { bodySha256: null }),
    ],
    [
      'the hash of nothing without a body',
      () => codeOf(createAuthEvent({ ...request, bodySha256: NO_BODY }, KEY), { bodySha256: null }),
    ],
    [
      'no payload tag, for the hash of nothing',
      () => codeOf(createAuthEvent({ ...request, bodySha256: null }, KEY), { bodySha256: NO_BODY }),
    ],
    ['a clock that is 60 seconds behind', () => codeOf(event, { now: NOW + 60_000 })],
    ['a clock that is 60 seconds ahead', () => codeOf(event, { now: NOW - 60_000 })],
    ['a wider window', () => codeOf(event, { now: NOW + 120_000, windowSeconds: 120 })],
    ['a tag that NIP-98 does not name', () => codeOf(resigned({ tags: [...event.tags, ['client', 'x']] }))],
    ['content', () => codeOf(resigned({ content: 'hello' }))],
  ])('%s', (_, code) => {
    expect(code()).toBe('ok')
  })
})

describe('refused is', () => {
  test.each<[string, () => string, string]>([
    ['another URL', () => codeOf(event, { url: 'https://api.example/v1/names?x=2' }), 'mismatch'],
    ['another method', () => codeOf(event, { method: 'PUT' }), 'mismatch'],
    ['another body', () => codeOf(event, { bodySha256: 'cd'.repeat(32) }), 'mismatch'],
    ['a body taken away', () => codeOf(event, { bodySha256: null }), 'mismatch'],
    [
      'a body that was not signed',
      () => codeOf(createAuthEvent({ ...request, bodySha256: null }, KEY)),
      'mismatch',
    ],
    ['a clock that is 61 seconds behind', () => codeOf(event, { now: NOW + 60_001 }), 'expired'],
    ['a clock that is 61 seconds ahead', () => codeOf(event, { now: NOW - 60_001 }), 'expired'],
    ['another kind', () => codeOf(resigned({ kind: 1 })), 'invalid'],
    ['no u tag', () => codeOf(resigned({ tags: event.tags.slice(1) })), 'invalid'],
    ['no method tag', () => codeOf(resigned({ tags: [event.tags[0]!] })), 'invalid'],
    ['two u tags', () => codeOf(resigned({ tags: [event.tags[0]!, ...event.tags] })), 'invalid'],
    ['two method tags', () => codeOf(resigned({ tags: [event.tags[1]!, ...event.tags] })), 'invalid'],
    ['two payload tags', () => codeOf(resigned({ tags: [event.tags[2]!, ...event.tags] })), 'invalid'],
    ['an empty u tag', () => codeOf(resigned({ tags: [['u'], event.tags[1]!] })), 'mismatch'],
    [
      'seventeen tags',
      () => codeOf(resigned({ tags: [...event.tags, ...Array(14).fill(['x'])] })),
      'invalid',
    ],
    ['a changed content', () => codeOf({ ...event, content: 'x' }), 'invalid'],
    ['a changed id', () => codeOf({ ...event, id: '00'.repeat(32) }), 'invalid'],
    ['a changed signature', () => codeOf({ ...event, sig: '00'.repeat(64) }), 'invalid'],
    [
      'the public key of another',
      () => codeOf({ ...event, pubkey: createAuthEvent(request, secretKey(2)).pubkey }),
      'invalid',
    ],
    [
      'an event that nostr-tools has marked as verified',
      () => codeOf({ ...finalizeEvent(authEventTemplate(request), KEY), sig: '00'.repeat(64) }),
      'invalid',
    ],
  ])('%s', (_, code, expected) => {
    expect(code()).toBe(expected)
  })

  const { sig, ...unsigned } = event
  test.each<[string, string]>([
    ['nothing', ''],
    ['another scheme', authorizationHeader(event).replace('Nostr', 'Bearer')],
    ['base64 in the URL alphabet', 'Nostr ab-_'],
    ['base64 with wrong padding', 'Nostr abc'],
    ['bytes that are not UTF-8', 'Nostr /w=='],
    ['no JSON', `Nostr ${base64.encode(encodeUtf8('{'))}`],
    ['a header of more than 8192 characters', headerOf({ ...event, content: 'x'.repeat(8192) })],
    ['null', headerOf(null)],
    ['a list', headerOf([event])],
    ['a missing field', headerOf(unsigned)],
    ['a field too many', headerOf({ ...event, extra: 1 })],
    ['an id in upper case', headerOf({ ...event, id: 'AB'.repeat(32) })],
    ['a short id', headerOf({ ...event, id: 'ab' })],
    ['a number as id', headerOf({ ...event, id: 7 })],
    ['a short signature', headerOf({ ...event, sig: sig.slice(2) })],
    ['a fractional time', headerOf({ ...event, created_at: NOW / 1000 + 0.5 })],
    ['a negative time', headerOf({ ...event, created_at: -1 })],
    ['a time as text', headerOf({ ...event, created_at: `${NOW / 1000}` })],
    ['a kind as text', headerOf({ ...event, kind: '27235' })],
    ['content that is no text', headerOf({ ...event, content: null })],
    ['tags that are no list', headerOf({ ...event, tags: {} })],
    ['a tag that is no list', headerOf({ ...event, tags: ['u'] })],
    ['a tag of numbers', headerOf({ ...event, tags: [['u', 1]] })],
  ])('a header with %s', (_, header) => {
    expect(codeOf(header)).toBe('invalid')
  })

  test('any header at all, without throwing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => `Nostr ${base64.encode(encodeUtf8(json))}`),
        ),
        (header) => {
          expect(codeOf(header)).toBe('invalid')
        },
      ),
    )
  })
})

describe('a kept event', () => {
  test('proves later who signed for what, and when', () => {
    const { url, method } = request
    expect(readAuthEvent(event)).toEqual({ pubkey: event.pubkey, createdAt: NOW, url, method })
  })

  test.each<[string, unknown]>([
    ['no event', 'x'],
    ['another kind', { ...event, kind: 1 }],
    ['another id', { ...event, id: '0'.repeat(64) }],
    ['another time', { ...event, created_at: event.created_at + 1 }],
    ['another signature', { ...event, sig: '0'.repeat(128) }],
    ['no url', resigned({ tags: [['method', 'GET']] })],
    ['two urls', resigned({ tags: [...event.tags, ['u', 'https://other.test']] })],
    ['two methods', resigned({ tags: [...event.tags, ['method', 'GET']] })],
  ])('that is %s proves nothing', (_what, value) => {
    expect(readAuthEvent(value)).toBeNull()
  })
})
