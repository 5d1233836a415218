import { base32hexnopad, base64 } from '@scure/base'
import { describe, expect, test } from 'vitest'
import { TYPE } from '../dns/codes.ts'
import { decodeRrsig, encodeRrsig } from '../dns/rdata.ts'
import {
  formatBindTrustAnchors,
  formatTrustAnchor,
  parseTrustAnchors,
  ROOT_ANCHORS,
  TrustAnchorError,
} from './anchors.ts'
import { nsec3Hash } from './denial-nsec3.ts'
import { keyTag, makeDs, matchesDs, usableDs } from './keys.ts'
import { resolveTxt } from './resolve-txt.ts'
import { rrsetsOf } from './rrset.ts'
import { parseRsaKey, verifyRsaSha256 } from './rsa.ts'
import { serialDistance, signatureWindow } from './signature-time.ts'
import { makeWorld, NOW, tampered, type World } from './testing/signed-world.ts'
import { testKey } from './testing/test-keys.ts'
import { NAME, withShop } from './testing/validation-cases.ts'

const hex = (text: string) => Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (pair) => parseInt(pair, 16))
const resolve = (world: World, nowSeconds = NOW) =>
  resolveTxt(NAME, { query: world.query, anchors: world.anchors, nowSeconds })

describe('trust anchors', () => {
  test.each([
    [
      20326,
      'AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=',
    ],
    [
      38696,
      'AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5eeHspaQWOmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siFUiRAAxm9qyJNg/wOZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGOHOijtzN+u1TQNatX2XBuzZNQ1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73PYc=',
    ],
  ])('the DS of the root’s key %i is what its published DNSKEY gives', (tag, publicKey) => {
    const key = { flags: 257, protocol: 3, algorithm: 8, publicKey: base64.decode(publicKey) }
    expect(keyTag(key)).toBe(tag)
    expect(ROOT_ANCHORS).toContainEqual({ zone: '.', kind: 'ds', ds: makeDs('.', key, 2) })
  })

  const key = testKey('p256').dnskey
  const encoded = base64.encode(key.publicKey)
  const ds = makeDs('.', key, 2)
  const digest = Array.from(ds.digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const dsAnchor = { zone: '.', kind: 'ds', ds }
  const keyAnchor = { zone: '.', kind: 'dnskey', key }
  test.each([
    ['a DS line', `. IN DS ${ds.keyTag} 13 2 ${digest}\n`, [dsAnchor]],
    ['a DNSKEY line with TTL and comment', `; root\n. 3600 IN DNSKEY 257 3 13 ${encoded} ; KSK`, [keyAnchor]],
    [
      'class before TTL, data in groups and parentheses',
      `. IN 3600 DS ${ds.keyTag} 13 2 (\n${digest.slice(0, 32)}\n${digest.slice(32)} )`,
      [dsAnchor],
    ],
    [
      'two lines',
      `. DS ${ds.keyTag} 13 2 ${digest}\ntest. DNSKEY 257 3 13 ${encoded}`,
      [dsAnchor, { ...keyAnchor, zone: 'test.' }],
    ],
    [
      'BIND’s statement',
      `// made by us\ntrust-anchors {\n  . initial-key 257 3 13 "${encoded}";\n "." static-ds ${ds.keyTag} 13 2 "${digest}"; /* both */ };\n`,
      [keyAnchor, dsAnchor],
    ],
  ])('%s is read', (_, file, anchors) => {
    expect(parseTrustAnchors(file)).toEqual(anchors)
  })

  test('lines that we write are what we read', () => {
    const anchors = [...ROOT_ANCHORS, { zone: 'test.', kind: 'dnskey', key } as const]
    expect(parseTrustAnchors(anchors.map(formatTrustAnchor).join('\n'))).toEqual(anchors)
  })

  test('what we write for BIND is what we read', () => {
    const anchors = [...ROOT_ANCHORS, { zone: '.', kind: 'dnskey', key } as const]
    expect(parseTrustAnchors(formatBindTrustAnchors(anchors))).toEqual(anchors)
  })

  test('// in the base64 of a key begins no comment', () => {
    const slashes = { flags: 257, protocol: 3, algorithm: 13, publicKey: new Uint8Array(64).fill(0xff) }
    const text = formatBindTrustAnchors([{ zone: '.', kind: 'dnskey', key: slashes }])
    expect(text).toContain('//')
    expect(parseTrustAnchors(text)).toEqual([{ zone: '.', kind: 'dnskey', key: slashes }])
  })

  test.each([
    '',
    '; nothing\n',
    '. IN TXT "x"',
    '. IN DS 1 2',
    '. IN DS 70000 8 2 00',
    '. IN DS 1 8 2 xyz',
    '. IN DNSKEY 257 3 13',
    '. IN DNSKEY 257 3 13 !!!!',
    'a..b IN DS 1 8 2 00',
    'trust-anchors { . somekey 1 2 3 "x"; };',
    'trust-anchors { };',
  ])('%j is no anchor', (file) => {
    expect(() => parseTrustAnchors(file)).toThrow(TrustAnchorError)
  })
})

describe('keys and signatures', () => {
  test('the P-256 example of RFC 6605 §6.1', () => {
    const key = {
      flags: 257,
      protocol: 3,
      algorithm: 13,
      publicKey: base64.decode(
        'GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==',
      ),
    }
    expect(keyTag(key)).toBe(55648)
    const ds = {
      keyTag: 55648,
      algorithm: 13,
      digestType: 2,
      digest: hex('b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17'),
    }
    expect(matchesDs('example.net.', key, ds)).toBe(true)
    expect(matchesDs('example.org.', key, ds)).toBe(false)
    expect(matchesDs('example.net.', key, { ...ds, digestType: 9 })).toBe(false)
    expect(() => makeDs('.', key, 3)).toThrow(RangeError)
  })

  test('the hashes of RFC 5155 appendix A', () => {
    const hash = (name: string) => base32hexnopad.encode(nsec3Hash(name, hex('aabbccdd'), 12)).toLowerCase()
    expect(hash('Example')).toBe('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom')
    expect(hash('a.example')).toBe('35mthgpgcu1qg68fab165klnsnk3dpvl')
  })

  test('SHA-1 digests do not count beside stronger ones; unknown ones never do', () => {
    const ds = (digestType: number, algorithm = 13) => ({
      keyTag: 1,
      algorithm,
      digestType,
      digest: hex('00'),
    })
    expect(usableDs([ds(1), ds(2)])).toEqual([ds(2)])
    expect(usableDs([ds(1), ds(3), ds(2, 5)])).toEqual([ds(1)])
  })

  const message = hex('00')
  const modulus = `c0${'00'.repeat(126)}01`
  test('RSA: a long exponent field is read, a signature above the modulus is wrong', () => {
    const key = parseRsaKey(hex(`00 0001 03 ${modulus}`))
    if ('unusable' in key) throw new Error(key.unusable)
    expect(key.exponent).toBe(3n)
    expect(verifyRsaSha256(key, message, new Uint8Array(128).fill(0xff))).toBe(false)
  })

  test('signature times are serial numbers (RFC 4034 §3.1.5)', () => {
    const year2106 = 2 ** 32
    expect(serialDistance(year2106 - 10, 10)).toBe(20)
    expect(serialDistance(10, year2106 - 10)).toBe(-20)
    const window = { inception: year2106 - 10, expiration: 100 }
    expect(signatureWindow(window, year2106 + 5)).toBe('valid')
    expect(signatureWindow(window, year2106 + 101)).toBe('expired')
    expect(signatureWindow(window, year2106 - 11)).toBe('not-yet-valid')
  })
})

describe('the lifetime of an answer', () => {
  test('is the smallest TTL in the chain', async () => {
    const result = await resolve(withShop({}))
    expect(result).toMatchObject({ status: 'secure', ttlSeconds: 120, expiresAt: NOW + 120 })
  })

  test('a TTL raised on the way does not lengthen it', async () => {
    const world = tampered(withShop({}), ({ answer }) => {
      for (const record of answer) record.ttl = 1_000_000
    })
    expect(await resolve(world)).toMatchObject({ status: 'secure', ttlSeconds: 120 })
  })

  test('a TTL that a cache has let run down shortens it', async () => {
    const world = tampered(withShop({}), ({ answer }, _, type) => {
      if (type === TYPE.DS) for (const record of answer) record.ttl = 7
    })
    expect(await resolve(world)).toMatchObject({ status: 'secure', ttlSeconds: 7 })
  })

  test('nothing outlives a signature', async () => {
    expect(await resolve(withShop({ expiration: NOW + 30 }))).toMatchObject({ ttlSeconds: 30 })
  })

  test('the chain holds the records that prove the answer, from the root down', async () => {
    const result = await resolve(withShop({}))
    if (result.status !== 'secure') throw new Error(result.status)
    const signed = result.chain
      .filter(({ type }) => type !== TYPE.RRSIG)
      .map(({ name, type }) => `${name} ${type}`)
    expect(signed).toEqual([
      `. ${TYPE.DNSKEY}`,
      `test. ${TYPE.DS}`,
      `test. ${TYPE.DNSKEY}`,
      `shop.test. ${TYPE.DS}`,
      `shop.test. ${TYPE.DNSKEY}`,
      `${NAME} ${TYPE.TXT}`,
    ])
    expect(result.chain.filter(({ type }) => type === TYPE.RRSIG)).toHaveLength(6)
  })
})

describe('hostile answers', () => {
  test('colliding keys and wrong signatures end the work soon (KeyTrap)', async () => {
    let verified = 0
    const thief = testKey('p256', 'thief')
    const good = testKey('p256', 'shop.test.')
    const world = tampered(
      withShop({ signWith: [{ dnskey: good.dnskey, sign: thief.sign }] }),
      ({ answer }) => {
        const rrsig = answer.find(({ type }) => type === TYPE.RRSIG)
        if (!rrsig) return
        const parsed = decodeRrsig(rrsig.rdata)
        for (let i = 0; i < 500; i++) {
          const signature = Uint8Array.from(parsed.signature)
          signature[63] = i & 0xff
          answer.unshift({ ...rrsig, rdata: encodeRrsig({ ...parsed, signature }) })
          verified += 1
        }
      },
    )
    expect(await resolve(world)).toMatchObject({ status: 'bogus', code: 'too-much-work' })
    expect(verified).toBeGreaterThan(500)
  })

  test('a name that would need too many queries is given up', async () => {
    const deep = Array.from({ length: 45 }, (_, i) => ({ apex: 'a.'.repeat(i) || '.' }))
    const world = makeWorld(deep)
    const result = await resolveTxt('a.'.repeat(44), {
      query: world.query,
      anchors: world.anchors,
      nowSeconds: NOW,
    })
    expect(result).toMatchObject({ status: 'bogus', code: 'too-much-work' })
  })

  test('what is no domain name is the caller’s mistake', async () => {
    const { query } = withShop({})
    await expect(resolveTxt('a..b', { query, nowSeconds: NOW })).rejects.toMatchObject({ code: 'bad-label' })
  })

  test('without anchors given, the real root keys are trusted, and no others', async () => {
    const { query } = withShop({})
    expect(await resolveTxt(NAME, { query, nowSeconds: NOW })).toMatchObject({ code: 'keys-do-not-match-ds' })
  })

  test('an anchor below the root, as a key, is where the walk begins', async () => {
    const world = withShop({})
    const anchors = [
      { zone: 'shop.test.', kind: 'dnskey', key: testKey('p256', 'shop.test.').dnskey } as const,
    ]
    const asked: string[] = []
    const query = (name: string, type: number) => {
      asked.push(`${type} ${name}`)
      return world.query(name, type)
    }
    expect(await resolveTxt(NAME, { query, anchors, nowSeconds: NOW })).toMatchObject({ status: 'secure' })
    expect(asked).toEqual([`${TYPE.TXT} ${NAME}`, `${TYPE.DNSKEY} shop.test.`])
  })

  test('DNSKEY and DS from a wildcard are refused', async () => {
    const world = tampered(withShop({}), ({ answer }, name, type) => {
      if (type !== TYPE.DS || name !== 'shop.test.') return
      for (const record of answer) {
        if (record.type !== TYPE.RRSIG) continue
        record.rdata = encodeRrsig({ ...decodeRrsig(record.rdata), labels: 1 })
      }
    })
    expect(await resolve(world)).toMatchObject({ status: 'bogus' })
  })

  test('a zone without DNSKEY is bogus', async () => {
    const world = tampered(withShop({}), ({ answer }, name, type) => {
      if (type === TYPE.DNSKEY && name === 'shop.test.') answer.length = 0
    })
    expect(await resolve(world)).toMatchObject({ code: 'keys-do-not-match-ds' })
  })
})

test('RRSIGs that cover nothing in their section, and other classes, are left out', () => {
  const { answer } = withShop({}).answer(NAME, TYPE.TXT)
  expect(rrsetsOf(answer.filter(({ type }) => type === TYPE.RRSIG))).toEqual([])
  expect(rrsetsOf(answer.map((record) => ({ ...record, class: 3 })))).toEqual([])
})
