import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TYPE } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { nameToWire } from '../dns/names.ts'
import { decodeRrsig } from '../dns/rdata.ts'
import type { TxtResolution } from '../dnssec/result.ts'
import { makeWorld, NOW, shopWorld, tampered, text, type World } from '../dnssec/testing/signed-world.ts'
import { CASES, NAME, type ValidationCase, withShop } from '../dnssec/testing/validation-cases.ts'
import { makeVerifiedSignatures } from '../dnssec/verified-signatures.ts'
import { decodeAuthenticationChain, encodeAuthenticationChain } from './authentication-chain.ts'
import { buildProof } from './build-proof.ts'
import { verifyProof } from './verify-proof.ts'

/** What is right is computed once for all tests. */
const { verify: verifySignature } = makeVerifiedSignatures()

async function build(world: World, name = NAME, nowSeconds = NOW) {
  const { anchors, query } = world
  const built = await buildProof(name, { query, anchors, nowSeconds, verifySignature })
  const records = built.proof ? decodeAuthenticationChain(built.proof) : []
  const verify = (proof: Uint8Array = built.proof!) =>
    verifyProof(proof, name, { anchors, nowSeconds, verifySignature })
  return { ...built, records, verify }
}

const covered = ({ type, rdata }: ResourceRecord) =>
  type === TYPE.RRSIG ? decodeRrsig(rdata).typeCovered : type
const setOf = (record: ResourceRecord) => `${record.name} ${covered(record)}`
const setsOf = (records: readonly ResourceRecord[]) => [...new Set(records.map(setOf))]

/** All but the records, whose letter case a proof does not keep. */
const said = (resolution: TxtResolution) => ({ ...resolution, chain: 'chain' in resolution })

const isProven = ({ expected }: ValidationCase) => /^(?:secure|nxdomain|nodata)/.test(expected)
const caseOf = (title: string) => CASES.find((one) => one.title === title)!

describe('for every crafted zone that validates', () => {
  test.each(CASES.filter(isProven))(
    '$title: the proof says offline what the DNS says, and no RRset can be left out',
    async ({ world, name, nowSeconds, expected }) => {
      const { proof, resolution, window, records, verify } = await build(world, name, nowSeconds)
      const verified = await verify(proof!)
      expect(expected.startsWith(resolution.status)).toBe(true)
      expect({ ...verified, resolution: said(verified.resolution) }).toEqual({
        resolution: said(resolution),
        window,
      })
      for (const left of setsOf(records)) {
        const fewer = encodeAuthenticationChain(records.filter((record) => setOf(record) !== left))
        const { status } = (await verify(fewer)).resolution
        expect({ left, status }).not.toEqual({ left, status: resolution.status })
      }
    },
  )
})

test.each(CASES.filter((one) => !isProven(one)))('$title: nothing to prove', async (one) => {
  const { proof, window, resolution } = await build(one.world, one.name, one.nowSeconds)
  expect({ proof, window, status: resolution.status }).toEqual({
    proof: null,
    window: null,
    status: one.expected.split(' ')[0],
  })
})

describe('the order of a chain (RFC 9102 §2.3)', () => {
  test('the answer comes first, the keys of the anchor last, each RRset before its RRSIG', async () => {
    const { records } = await build(withShop({}))
    expect(records.map(({ name, type }) => `${name} ${type}`)).toEqual(
      [
        [NAME, TYPE.TXT],
        ['shop.test.', TYPE.DNSKEY],
        ['shop.test.', TYPE.DS],
        ['test.', TYPE.DNSKEY],
        ['test.', TYPE.DS],
        ['.', TYPE.DNSKEY],
      ].flatMap(([name, type]) => [`${name} ${type}`, `${name} ${TYPE.RRSIG}`]),
    )
  })

  test('an alias comes before its target', async () => {
    const { records } = await build(caseOf('a CNAME').world)
    expect(setsOf(records).slice(0, 2)).toEqual([`${NAME} ${TYPE.CNAME}`, `real.shop.test. ${TYPE.TXT}`])
  })

  test('any order verifies', async () => {
    const { records, resolution, verify } = await build(caseOf('a CNAME into another signed zone').world)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(records, { minLength: records.length }), async (shuffled) => {
        expect((await verify(encodeAuthenticationChain(shuffled))).resolution).toMatchObject({
          status: 'secure',
          values: resolution.status === 'secure' && resolution.values,
        })
      }),
      { numRuns: 8 },
    )
  })

  test('building twice gives the same bytes, whatever the letter case of the answers', async () => {
    const mixed = caseOf('owner names answered in mixed case').world
    expect((await build(mixed)).proof).toEqual((await build(withShop({}))).proof)
  })
})

test('denials that the result does not need are left out', async () => {
  const { world } = caseOf('a wildcard, with denial of the exact name by NSEC')
  const talkative = tampered(world, ({ answer, authority }, _, type) => {
    if (type !== TYPE.TXT || answer.length === 0) return
    authority.unshift(...world.answer('zz.shop.test.', TYPE.TXT).authority)
  })
  expect((await build(talkative)).proof).toEqual((await build(world)).proof)
})

test('names between two zones need no denial in a proof', async () => {
  const world = makeWorld([
    { apex: '.' },
    { apex: 'a.b.c.test.', data: (add) => add('x.y', TYPE.TXT, text('bitcoin:')) },
  ])
  const { records, verify } = await build(world, 'x.y.a.b.c.test.')
  expect(setsOf(records)).toHaveLength(4)
  expect((await verify()).resolution).toMatchObject({ status: 'secure' })
})

test('the window is that of all signatures together', async () => {
  const world = shopWorld(
    { inception: NOW - 50, expiration: NOW + 5_000, data: (add) => add('x', TYPE.TXT, text('bitcoin:')) },
    { inception: NOW - 5_000, expiration: NOW + 50 },
  )
  const { window } = await build(world, 'x.shop.test.')
  expect(window).toEqual({ notBefore: NOW - 50, notAfter: NOW + 50 })
})

test('a TTL is never above the signed one', async () => {
  const { records } = await build(withShop({}))
  for (const { type, ttl, rdata } of records) {
    if (type === TYPE.RRSIG) expect(ttl).toBeLessThanOrEqual(decodeRrsig(rdata).originalTtl)
  }
})

test('what does not fit 65,535 bytes has no proof', async () => {
  const big = Array.from({ length: 62 }, (_, i) =>
    text(...Array.from({ length: 4 }, () => `${i}`.padEnd(255, '.'))),
  )
  const world = withShop({ data: (add) => add('big', TYPE.TXT, ...big) })
  const built = await build(world, 'big.shop.test.')
  expect(built).toMatchObject({ resolution: { status: 'secure' }, proof: null })
})

test('a proof of what a DNAME gives tolerates the CNAME that servers synthesize', async () => {
  const { records, verify } = await build(caseOf('a DNAME').world)
  const cname: ResourceRecord = {
    name: NAME,
    type: TYPE.CNAME,
    class: 1,
    ttl: 120,
    rdata: nameToWire('alice.people.shop.test.'),
  }
  expect((await verify(encodeAuthenticationChain([...records, cname]))).resolution.status).toBe('secure')
  const elsewhere = { ...cname, name: 'alice.shop.test.' }
  expect((await verify(encodeAuthenticationChain([...records, elsewhere]))).resolution).toMatchObject({
    code: 'proof-excess',
  })
})
