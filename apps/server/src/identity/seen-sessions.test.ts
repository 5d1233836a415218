import { expect, test } from 'vitest'
import type { Proven } from './idempotency.ts'
import { makeSeenSessions } from './seen-sessions.ts'

const proven = (owner: string): Proven => ({ owner, authority: { id: 'ab'.repeat(32), event: null } })

test('the sessions seen last are known, until they are forgotten', () => {
  const seen = makeSeenSessions(2)
  const digests = ['a', 'b', 'c'].map((name) => Buffer.from(name))
  for (const digest of digests) seen.learn({ tokenSha256: digest }, proven(digest.toString()))
  const owners = () => digests.map((digest) => seen.get(digest)?.owner ?? null)
  expect(owners()).toEqual([null, 'b', 'c'])
  seen.forget(Buffer.from('b'))
  expect(owners()).toEqual([null, null, 'c'])
})

test('who signs, and a session whose event is not kept yet, are not remembered', () => {
  const seen = makeSeenSessions()
  const tokenSha256 = Buffer.from('a')
  const { owner, authority } = proven('a')
  seen.learn({ owner, authority }, { owner, authority })
  const event = {
    id: authority.id,
    pubkey: owner,
    created_at: 0,
    kind: 27235,
    tags: [],
    content: '',
    sig: '',
  }
  seen.learn({ tokenSha256 }, { owner, authority: { ...authority, event } })
  expect(seen.get(tokenSha256)).toBeNull()
})
