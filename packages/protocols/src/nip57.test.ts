import { finalizeEvent } from 'nostr-tools/pure'
import { describe, expect, test } from 'vitest'
import type { NostrEvent } from './nip01.ts'
import { readZapRequest, type ZapRequest, zapDescriptionHash, zapReceiptTemplate } from './nip57.ts'
import { secretKey } from './testing/points.ts'

const RECIPIENT = '04c915daefee38317fa734444acee390a8269fe5810b2241e5e6dd343dfbecc9'
const SIGNER = '9630f464cca6a5147aa8a35f0bcdd3ce485324e732fd39e09233b1d848238f31'
const EVENT_ID = '9ae37aa68f48645127299e9453eb5d908a0cbb6058ff340d528ed4d37c8994fb'
const asked = { amountMsat: 21_000n, receiptPubkey: SIGNER, recipient: RECIPIENT }

const RELAYS = ['relays', 'wss://nostr-pub.wellorder.com', 'wss://anotherrelay.example.com']
const TAGS = [RELAYS, ['amount', '21000'], ['lnurl', 'lnurl1dp68'], ['p', RECIPIENT]]

function request(change: { kind?: number; tags?: string[][]; content?: string } = {}): NostrEvent {
  const template = { kind: 9734, content: 'Zap!', tags: TAGS, created_at: 1_679_673_265, ...change }
  const { id, pubkey, created_at, kind, tags, content, sig } = finalizeEvent(template, secretKey(5))
  return { id, pubkey, created_at, kind, tags, content, sig }
}
const rawOf = (event: object) => JSON.stringify(event)
const codeOf = (raw: string) => {
  const result = readZapRequest(raw, asked)
  return result.ok ? 'ok' : result.code
}
const zapOf = (raw: string): ZapRequest => {
  const result = readZapRequest(raw, asked)
  if (!result.ok) throw new Error(result.detail)
  return result.zap
}

test('a zap request tells who zaps whom, and where the receipt goes', () => {
  const raw = rawOf(request())
  expect(zapOf(raw)).toEqual({
    raw,
    sender: request().pubkey,
    recipient: RECIPIENT,
    relays: RELAYS.slice(1),
    comment: 'Zap!',
  })
})

describe('accepted is also', () => {
  test.each<[string, string[][]]>([
    ['an event that is zapped', [...TAGS, ['e', EVENT_ID], ['k', '1']]],
    ['an article that is zapped', [...TAGS, ['a', `30023:${RECIPIENT}:an article: part 1`]]],
    ['no amount tag', [RELAYS, ['p', RECIPIENT]]],
    ['the key of the receipt', [...TAGS, ['P', SIGNER]]],
    ['a tag that nobody knows', [...TAGS, ['zzz']]],
  ])('%s', (_, tags) => {
    expect(codeOf(rawOf(request({ tags })))).toBe('ok')
  })

  test('more relays than are served, some of them of no use', () => {
    const many = Array.from({ length: 20 }, (_, i) => `wss://relay${i}.example`)
    const tags = [
      ['relays', 'nonsense', 'ws://plain.example', 'https://x.example', ...many],
      ['p', RECIPIENT],
    ]
    expect(zapOf(rawOf(request({ tags }))).relays).toEqual(many.slice(0, 10))
  })
})

describe('refused is', () => {
  const without = (name: string) => TAGS.filter(([tag]) => tag !== name)
  const tampered = { ...request(), content: 'Zap more!' }
  test.each<[string, string, string]>([
    ['no JSON', 'nostr', 'not-an-event'],
    ['no event', '{}', 'not-an-event'],
    ['an event with a field too many', rawOf({ ...request(), x: 1 }), 'not-an-event'],
    ['more than 8,000 characters', rawOf(request({ content: 'x'.repeat(8_000) })), 'too-long'],
    ['33 tags', rawOf(request({ tags: Array(33).fill(['t', 'x']) })), 'not-an-event'],
    ['another kind', rawOf(request({ kind: 1 })), 'wrong-kind'],
    ['no tags', rawOf(request({ tags: [] })), 'bad-recipient'],
    ['two recipients', rawOf(request({ tags: [...TAGS, ['p', RECIPIENT]] })), 'bad-recipient'],
    ['an npub', rawOf(request({ tags: [RELAYS, ['p', 'npub1xyz']] })), 'bad-recipient'],
    ['another recipient', rawOf(request({ tags: [RELAYS, ['p', SIGNER]] })), 'wrong-recipient'],
    ['two events', rawOf(request({ tags: [...TAGS, ['e', EVENT_ID], ['e', EVENT_ID]] })), 'bad-target'],
    ['an event id that is no hex', rawOf(request({ tags: [...TAGS, ['e', 'note1']] })), 'bad-target'],
    ['a malformed coordinate', rawOf(request({ tags: [...TAGS, ['a', '30023:abc']] })), 'bad-target'],
    ['a kind that is no number', rawOf(request({ tags: [...TAGS, ['k', 'one']] })), 'bad-target'],
    ['no relays', rawOf(request({ tags: without('relays') })), 'no-relay'],
    ['relays in a list of their own', rawOf(request({ tags: [['relays'], ['p', RECIPIENT]] })), 'no-relay'],
    ['another amount', rawOf(request({ tags: [...without('amount'), ['amount', '21001']] })), 'wrong-amount'],
    [
      'an amount with a zero in front',
      rawOf(request({ tags: [RELAYS, ['amount', '021000'], ['p', RECIPIENT]] })),
      'wrong-amount',
    ],
    ['another signer of the receipt', rawOf(request({ tags: [...TAGS, ['P', RECIPIENT]] })), 'wrong-signer'],
    ['two signers', rawOf(request({ tags: [...TAGS, ['P', SIGNER], ['P', SIGNER]] })), 'wrong-signer'],
    ['a changed content', rawOf(tampered), 'bad-signature'],
    [
      'the signature of another',
      rawOf({ ...request(), sig: request({ content: 'x' }).sig }),
      'bad-signature',
    ],
  ])('%s', (_, raw, code) => {
    expect(codeOf(raw)).toBe(code)
  })
})

describe('a receipt', () => {
  const paid = { invoice: 'lnbc10u1example', paidAt: 1_674_164_545_999 }

  test('repeats the request, its invoice and whom it is for, and holds no preimage', () => {
    const raw = rawOf(
      request({ tags: [...TAGS, ['e', EVENT_ID], ['a', `30023:${RECIPIENT}:d`], ['k', '30023']] }),
    )
    expect(zapReceiptTemplate(zapOf(raw), paid)).toEqual({
      kind: 9735,
      created_at: 1_674_164_545,
      content: '',
      tags: [
        ['p', RECIPIENT],
        ['P', request().pubkey],
        ['e', EVENT_ID],
        ['a', `30023:${RECIPIENT}:d`],
        ['k', '30023'],
        ['bolt11', paid.invoice],
        ['description', raw],
      ],
    })
  })

  test('for a person names no event', () => {
    const { tags } = zapReceiptTemplate(zapOf(rawOf(request())), paid)
    expect(tags.map(([name]) => name)).toEqual(['p', 'P', 'bolt11', 'description'])
  })

  test('the invoice commits to the request exactly as it was sent', () => {
    const spaced = JSON.stringify(request(), null, 1)
    expect(zapDescriptionHash(zapOf(spaced))).not.toBe(zapDescriptionHash(zapOf(rawOf(request()))))
    // printf '%s' abc | sha256sum
    expect(zapDescriptionHash({ raw: 'abc' })).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })
})
