import { describe, expect, test } from 'vitest'
import { TYPE } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { nameToWire } from '../dns/names.ts'
import { decodeRrsig, encodeDnskey, encodeRrsig } from '../dns/rdata.ts'
import { WireWriter } from '../dns/writer.ts'
import { resolveTxt } from '../dnssec/resolve-txt.ts'
import { signRrset } from '../dnssec/signing/sign-rrset.ts'
import { DAY, NOW, shopWorld, text, type World } from '../dnssec/testing/signed-world.ts'
import { testKey } from '../dnssec/testing/test-keys.ts'
import { NAME, withShop } from '../dnssec/testing/validation-cases.ts'
import { hexToBytes } from '../hex.ts'
import {
  decodeAuthenticationChain,
  encodeAuthenticationChain,
  MAX_CHAIN_BYTES,
} from './authentication-chain.ts'
import { buildProof } from './build-proof.ts'
import { verifyProof } from './verify-proof.ts'

const world = withShop({})
const shopKey = testKey('p256', 'shop.test.')

async function recordsOf(of: World, name = NAME): Promise<ResourceRecord[]> {
  const { proof } = await buildProof(name, { query: of.query, anchors: of.anchors, nowSeconds: NOW })
  return decodeAuthenticationChain(proof!)
}

async function judge(proof: Uint8Array | readonly ResourceRecord[], anchors = world.anchors, name = NAME) {
  const bytes = proof instanceof Uint8Array ? proof : encodeAuthenticationChain(proof)
  const { resolution } = await verifyProof(bytes, name, { anchors, nowSeconds: NOW })
  return resolution.status === 'bogus' ? resolution.code : resolution.status
}

const raw = (name: Uint8Array, type: number, rdata: Uint8Array, rrClass = 1) =>
  new WireWriter().raw(name).u16(type).u16(rrClass).u32(60).u16(rdata.length).raw(rdata).finish()
const root = Uint8Array.of(0)

describe('bytes that are no proof', () => {
  test.each([
    ['a cut record', raw(root, TYPE.TXT, text('x')).slice(0, -1)],
    ['a trailing byte', Uint8Array.of(...raw(root, TYPE.TXT, text('x')), 0)],
    ['a type that no proof needs', raw(root, TYPE.A, Uint8Array.of(127, 0, 0, 1))],
    ['an unknown type', raw(root, 65_400, Uint8Array.of(1))],
    ['another class', raw(root, TYPE.TXT, text('x'), 3)],
    ['a TXT without strings', raw(root, TYPE.TXT, new Uint8Array())],
    ['an RRSIG that is cut', raw(root, TYPE.RRSIG, new Uint8Array(17))],
    ['a compressed owner', raw(Uint8Array.of(0xc0, 0x00), TYPE.TXT, text('x'))],
    ['a compressed name inside a CNAME', raw(root, TYPE.CNAME, Uint8Array.of(1, 97, 0xc0, 0x00))],
    ['a compressed name inside a DNAME', raw(root, TYPE.DNAME, Uint8Array.of(0xc0, 0x00))],
    [
      'an owner above 255 octets',
      raw(hexToBytes(`${'3f'.padEnd(128, '61').repeat(5)}00`), TYPE.TXT, text('x')),
    ],
    ['one byte more than fits', new Uint8Array(MAX_CHAIN_BYTES + 1)],
    ['64 KB of zeros', new Uint8Array(MAX_CHAIN_BYTES)],
    ['64 KB of pointers', new Uint8Array(MAX_CHAIN_BYTES).fill(0xc0)],
    [
      'the same record twice',
      Uint8Array.of(...raw(root, TYPE.TXT, text('x')), ...raw(root, TYPE.TXT, text('x'))),
    ],
  ])('%s', async (_, bytes) => {
    expect(await judge(bytes)).toBe('proof-malformed')
  })

  test('nothing at all proves nothing', async () => {
    const { resolution, window } = await verifyProof(new Uint8Array(), NAME, { nowSeconds: NOW })
    expect(resolution).toMatchObject({ status: 'bogus', code: 'keys-do-not-match-ds' })
    expect(window).toBeNull()
  })

  test('64 KB of different little records end soon', async () => {
    const records = Array.from({ length: 4_000 }, (_, i) => ({
      name: '.',
      type: TYPE.TXT,
      class: 1,
      ttl: 1,
      rdata: text(String(i)),
    }))
    expect(await judge(encodeAuthenticationChain(records))).toBe('keys-do-not-match-ds')
  })
})

describe('records that do not belong', () => {
  test.each([
    ['another TXT elsewhere', { name: 'x.shop.test.', type: TYPE.TXT, rdata: text('x') }],
    ['a CNAME beside the TXT', { name: NAME, type: TYPE.CNAME, rdata: nameToWire('x.test.') }],
    ['a DNAME above the TXT', { name: 'shop.test.', type: TYPE.DNAME, rdata: nameToWire('x.test.') }],
  ])('%s', async (_, extra) => {
    expect(await judge([...(await recordsOf(world)), { class: 1, ttl: 60, ...extra }])).toBe('proof-excess')
  })

  test('a second, unsigned TXT at the name breaks the signature', async () => {
    const extra = { name: NAME, type: TYPE.TXT, class: 1, ttl: 60, rdata: text('bitcoin:?lno=evil') }
    expect(await judge([...(await recordsOf(world)), extra])).toBe('signature-wrong')
  })

  test('the true records of another name', async () => {
    const both = withShop({
      data: (add) => {
        add('a', TYPE.TXT, text('bitcoin:a'))
        add('b', TYPE.TXT, text('bitcoin:b'))
      },
    })
    const a = await recordsOf(both, 'a.shop.test.')
    const b = await recordsOf(both, 'b.shop.test.')
    const merged = [...a, ...b.filter(({ name }) => name === 'b.shop.test.')]
    expect(await judge(a, both.anchors, 'a.shop.test.')).toBe('secure')
    expect(await judge(merged, both.anchors, 'a.shop.test.')).toBe('proof-excess')
  })

  test('a denial that nothing needs', async () => {
    const absent = await recordsOf(world, 'nobody.shop.test.')
    const isDenial = ({ type, rdata }: ResourceRecord) =>
      type === TYPE.NSEC || (type === TYPE.RRSIG && decodeRrsig(rdata).typeCovered === TYPE.NSEC)
    const denial = absent.filter(isDenial)
    expect(denial.length).toBeGreaterThan(0)
    expect(await judge([...(await recordsOf(world)), ...denial])).toBe('proof-excess')
  })

  test('a signature over nothing, or by another zone', async () => {
    const records = await recordsOf(world)
    const rrsig = records.find(({ type }) => type === TYPE.RRSIG)!
    expect(await judge([...records, { ...rrsig, name: 'x.shop.test.' }])).toBe('proof-excess')
    const foreign = encodeRrsig({ ...decodeRrsig(rrsig.rdata), signerName: 'other.test.' })
    expect(await judge([...records, { ...rrsig, rdata: foreign }])).toBe('proof-excess')
  })

  test.each([
    ['valid', { inception: NOW - 10, expiration: NOW + 10 }, 'secure'],
    ['expired', { inception: NOW - 10, expiration: NOW - 1 }, 'signature-expired'],
    ['early', { inception: NOW + 1, expiration: NOW + 10 }, 'signature-not-yet-valid'],
  ])('a further signature of the zone that is %s', async (_, window, expected) => {
    const records = await recordsOf(world)
    const txt = records.find(({ type }) => type === TYPE.TXT)!
    expect(await judge([...records, signRrset([txt], 'shop.test.', shopKey, window)])).toBe(expected)
  })
})

describe('work that a proof may ask for', () => {
  test('a loop of CNAMEs ends', async () => {
    const loop = shopWorld({
      data: (add) => {
        add('a', TYPE.CNAME, nameToWire('b.shop.test.'))
        add('b', TYPE.CNAME, nameToWire('a.shop.test.'))
      },
    })
    const answers = ['a', 'b'].flatMap((owner) => loop.answer(`${owner}.shop.test.`, TYPE.TXT).answer)
    const keys = (await recordsOf(world)).filter(({ name }) => name !== NAME)
    const seen = new Map(answers.map((record) => [`${record.name} ${record.type}`, record]))
    expect(await judge([...seen.values(), ...keys], loop.anchors, 'a.shop.test.')).toBe('alias-loop')
  })

  test('colliding keys and wrong signatures do not multiply (KeyTrap)', async () => {
    const records = await recordsOf(world)
    const rrsig = records.find(({ name, type }) => name === NAME && type === TYPE.RRSIG)!
    const wrong = Array.from({ length: 300 }, (_, i) => {
      const parsed = decodeRrsig(rrsig.rdata)
      const signature = Uint8Array.from(parsed.signature)
      signature[0]! ^= 1 + (i & 0x7f)
      signature[1]! ^= i >> 7
      return { ...rrsig, rdata: encodeRrsig({ ...parsed, signature }) }
    })
    expect(await judge([...wrong, ...records])).toBe('too-much-work')
  })

  test('keys of the anchor’s zone that the anchor does not name are of no use', async () => {
    const records = await recordsOf(world)
    const thief = testKey('p256', 'thief')
    const swapped = records.map((record) =>
      record.type === TYPE.DNSKEY && record.name === '.'
        ? { ...record, rdata: encodeDnskey(thief.dnskey) }
        : record,
    )
    const resigned = swapped.filter(({ name, type }) => !(name === '.' && type === TYPE.RRSIG))
    const key = resigned.find(({ name }) => name === '.')!
    const window = { inception: NOW - DAY, expiration: NOW + DAY }
    expect(await judge([...resigned, signRrset([key], '.', thief, window)])).toBe('keys-do-not-match-ds')
  })
})

test('a time that is none is the caller’s mistake, and not a time at which everything is valid', async () => {
  const expired = withShop({ expiration: NOW - DAY })
  for (const nowSeconds of [Number.NaN, Number.POSITIVE_INFINITY, -1, NOW + 0.5]) {
    const options = { anchors: expired.anchors, nowSeconds }
    await expect(verifyProof(root, NAME, options)).rejects.toThrow(RangeError)
    await expect(resolveTxt(NAME, { ...options, query: expired.query })).rejects.toThrow(RangeError)
  }
})

test('what cannot be asked is the caller’s mistake', async () => {
  await expect(verifyProof(root, 'a..b', { nowSeconds: NOW })).rejects.toMatchObject({ code: 'bad-label' })
  for (const expiryGraceSeconds of [-1, 3_601, Number.NaN]) {
    await expect(verifyProof(root, NAME, { nowSeconds: NOW, expiryGraceSeconds })).rejects.toThrow(RangeError)
  }
})
