import { describe, expect, test } from 'vitest'
import { CLASS, TYPE } from '../dns/codes.ts'
import { decodeMessage } from '../dns/message.ts'
import { decodeRrsig, encodeRrsig } from '../dns/rdata.ts'
import { verifySignature } from './algorithms.ts'
import { resolveTxt } from './resolve-txt.ts'
import { NAME, OWNER, resign, VALUE_TEXT, withShop } from './testing/crafted-case.ts'
import { NOW, shopWorld, tampered, text, type World } from './testing/signed-world.ts'
import { testKey } from './testing/test-keys.ts'

const TXT = new TextEncoder().encode(VALUE_TEXT)

function resolve({ anchors, query }: World) {
  return resolveTxt(NAME, { query, anchors, nowSeconds: NOW })
}

describe('a TTL of 0', () => {
  test('that its zone has signed: the record is right, and may not be kept', async () => {
    const world = tampered(withShop({}), ({ answer }, _, type) => {
      if (type !== TYPE.TXT) return
      for (const record of answer) record.ttl = 0
      resign(answer, TYPE.TXT, 'shop.test.', testKey('p256', 'shop.test.'))
    })
    const [rrsig] = decodeMessage(await world.query(NAME, TYPE.TXT)).answer.slice(-1)
    expect(decodeRrsig(rrsig!.rdata).originalTtl).toBe(0)
    expect(await resolve(world)).toMatchObject({
      status: 'secure',
      values: [TXT],
      ttlSeconds: 0,
      expiresAt: NOW,
    })
  })

  test('that a cache has let run down says the same', async () => {
    const world = tampered(withShop({}), ({ answer }, _, type) => {
      if (type === TYPE.DNSKEY) for (const record of answer) record.ttl = 0
    })
    expect(await resolve(world)).toMatchObject({ status: 'secure', ttlSeconds: 0 })
  })
})

describe('an answer of 64 KB', () => {
  test('that holds one record is read whole', async () => {
    const strings = Array.from({ length: 240 }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(255))
    const world = shopWorld({ data: (add) => add(OWNER, TYPE.TXT, text(...strings)) })
    expect((await world.query(NAME, TYPE.TXT)).length).toBeGreaterThan(61_000)
    const result = await resolve(world)
    if (result.status !== 'secure') throw new Error(result.status)
    expect(result.values.map((value) => new TextDecoder().decode(value))).toEqual([strings.join('')])
  })

  test('in which thousands of other records are compressed into a few bytes each is read as it is', async () => {
    const name = `${'a.'.repeat(120)}shop.test.`
    const long = { name, type: TYPE.A, class: CLASS.IN, ttl: 1, rdata: Uint8Array.of(127, 0, 0, 1) }
    const world = tampered(withShop({}), (response, _, type) => {
      if (type === TYPE.TXT) response.additional.push(...Array.from({ length: 4_000 }, () => long))
    })
    expect((await world.query(NAME, TYPE.TXT)).length).toBeGreaterThan(60_000)
    expect(await resolve(world)).toMatchObject({ status: 'secure', values: [TXT] })
  })

  test('full of signatures costs no more than a few checks', async () => {
    let checks = 0
    const world = tampered(withShop({}), (response, _, type) => {
      if (type !== TYPE.TXT) return
      const real = response.answer.find((record) => record.type === TYPE.RRSIG)!
      const wrong = Array.from({ length: 500 }, (_, i) => {
        const rrsig = decodeRrsig(real.rdata)
        rrsig.signature[0]! ^= 1 + (i & 0x7f)
        return { ...real, rdata: encodeRrsig(rrsig) }
      })
      response.answer.unshift(...wrong)
    })
    expect((await world.query(NAME, TYPE.TXT)).length).toBeGreaterThan(50_000)
    const result = await resolveTxt(NAME, {
      ...world,
      nowSeconds: NOW,
      verifySignature: (...check) => {
        checks++
        return verifySignature(...check)
      },
    })
    expect(result).toMatchObject({ status: 'bogus', code: 'too-much-work' })
    expect(checks).toBeLessThanOrEqual(10)
  })

  test('of names that point to each other says nothing', async () => {
    const real = await withShop({}).query(NAME, TYPE.TXT)
    const bomb = Uint8Array.from({ length: 65_535 }, (_, i) => real[i] ?? (i % 2 === 0 ? 0xc0 : 0x0c))
    const view = new DataView(bomb.buffer)
    // As many records behind the answer as the header can count.
    view.setUint16(10, 65_535)
    // Whatever the last owner was, the next begins with a pointer to itself.
    view.setUint16(real.length, 0xc000 | real.length)
    const { anchors, query } = withShop({})
    const world: World = {
      anchors,
      answer: () => decodeMessage(bomb),
      query: async (name, type) => (type === TYPE.TXT ? bomb : query(name, type)),
    }
    expect(await resolve(world)).toEqual({
      status: 'unavailable',
      reason: expect.stringContaining('malformed'),
    })
  })
})
