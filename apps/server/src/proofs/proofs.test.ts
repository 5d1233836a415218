import { TYPE } from '@holdfast/protocols/dns/codes'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { parseTrustAnchors, resolveTxt } from '@holdfast/protocols/dnssec'
import { makeWorld, NOW, text, type World } from '@holdfast/protocols/dnssec/testing/signed-world'
import { verifyNameProof } from '@holdfast/protocols/name-proof'
import { decodePsbtProof } from '@holdfast/protocols/psbt-proof'
import { afterEach, describe, expect, test } from 'vitest'
import { type App, makeHttpApp } from '../platform/http/app.ts'
import { makeLog } from '../platform/log.ts'
import { CROWD } from '../resolve/turnstile.ts'
import { makeProofsSlice } from './proofs-slice.ts'

const BINARY = 'application/octet-stream'
const URI = 'bitcoin:?lno=lno1alice'

const world = makeWorld([
  { apex: '.' },
  { apex: 'test.' },
  {
    apex: 'shop.test.',
    data: (add) => {
      add('alice.user._bitcoin-payment', TYPE.TXT, text(URI), text('v=spf1'))
      add('two.user._bitcoin-payment', TYPE.TXT, text(URI), text('bitcoin:?lno=other'))
      const long = Array.from({ length: 62 }, (_, i) => text(...Array(4).fill(`${i}`.padEnd(255, '.'))))
      add('big.user._bitcoin-payment', TYPE.TXT, text(URI), ...long.slice(1))
    },
  },
  { apex: 'open.test.', ds: null },
])

let app: App
afterEach(() => app.close())

/** The slice behind HTTP, before a signed DNS in memory; `time.ms` is the clock. */
async function serve(of: World = world, remembered: (name: string) => { uri: string } | null = () => null) {
  const time = { ms: NOW * 1000 }
  const asked: string[] = []
  const log = makeLog({ level: 'silent' })
  app = await makeHttpApp({
    config: { publicUrl: null, rateLimit: 0, trustedProxies: [] },
    log,
    readiness: [],
    openapi: { title: 'Test', version: '0', description: '' },
  })
  makeProofsSlice({
    anchors: of.anchors,
    clock: () => time.ms,
    remembered,
    resolveTxt: (name, nowSeconds): Promise<TxtResolution> => {
      asked.push(name)
      return resolveTxt(name, { query: of.query, anchors: of.anchors, nowSeconds })
    },
  }).routes(app)
  const get = (url: string, accept?: string) => app.inject({ url, headers: accept ? { accept } : {} })
  return { get, asked, time }
}

describe('GET /v1/names/:name/proof', () => {
  test('answers all that is needed to verify the name offline', async () => {
    const { get } = await serve()
    const answer = await get('/v1/names/₿Alice@Shop.Test/proof')
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'public, max-age=120',
      'access-control-allow-origin': '*',
      vary: 'accept',
    })
    const { proof, psbt, anchors, ...rest } = answer.json()
    expect(rest).toMatchObject({
      name: 'alice@shop.test',
      hasPunycode: false,
      recordName: 'alice.user._bitcoin-payment.shop.test',
      uri: URI,
      ttlSeconds: 120,
      expiresAt: (NOW + 120) * 1000,
    })
    expect(rest.txt.toSorted()).toEqual([URI, 'v=spf1'])
    const bytes = new Uint8Array(Buffer.from(proof, 'base64'))
    const options = { nowSeconds: NOW, anchors: parseTrustAnchors(anchors.join('\n')) }
    const { verdict, window } = await verifyNameProof(rest.name, bytes, options)
    expect(verdict).toMatchObject({ valid: true, uri: URI })
    expect(window).toEqual({ notBefore: rest.notBefore / 1000, notAfter: rest.notAfter / 1000 })
    expect(decodePsbtProof(new Uint8Array(Buffer.from(psbt, 'base64')))).toEqual({
      name: 'alice@shop.test',
      proof: bytes,
    })
  })

  test.each([
    ['the chain', '', 'proof'],
    ['the chain, said', '?form=chain', 'proof'],
    ['the form of a PSBT', '?form=psbt', 'psbt'],
  ])('answers %s as bytes to those who ask for bytes', async (_, query, member) => {
    const { get } = await serve()
    const url = '/v1/names/alice@shop.test/proof'
    const answer = await get(`${url}${query}`, `text/html, ${BINARY};q=0.9`)
    expect(answer.headers).toMatchObject({ 'content-type': BINARY, vary: 'accept' })
    expect(answer.rawPayload.toString('base64')).toBe((await get(url)).json()[member])
  })

  test('asks the DNS again only when the smallest signed TTL has run out', async () => {
    const { get, asked, time } = await serve()
    const url = '/v1/names/alice@shop.test/proof'
    await get(url)
    time.ms += 119_500
    const later = await get(url)
    expect(later.headers['cache-control']).toBe('public, max-age=0')
    expect(asked).toHaveLength(1)
    time.ms += 500
    expect((await get(url)).json().expiresAt).toBe((NOW + 240) * 1000)
    expect(asked).toHaveLength(2)
  })

  test.each([
    ['nobody@shop.test', 404, 'RESOLVE_NO_SUCH_NAME'],
    ['two@shop.test', 422, 'RESOLVE_AMBIGUOUS'],
    ['big@shop.test', 422, 'PROOF_TOO_LARGE'],
    ['alice@open.test', 422, 'RESOLVE_UNSIGNED'],
    ['alice', 422, 'NAME_INVALID'],
  ])('%s: %i %s, also to those who ask for bytes', async (name, status, code) => {
    const { get } = await serve()
    for (const accept of [undefined, BINARY]) {
      const answer = await get(`/v1/names/${name}/proof`, accept)
      expect({ status: answer.statusCode, code: answer.json().code }).toEqual({ status, code })
      expect(answer.headers['cache-control']).not.toContain('public')
    }
  })

  test('asks the DNS again when another record than the one that was proven has been seen since', async () => {
    const seen = { uri: URI }
    const { get, asked } = await serve(world, (name) => (name === 'alice@shop.test' ? seen : null))
    await get('/v1/names/alice@shop.test/proof')
    const once = asked.length
    await get('/v1/names/alice@shop.test/proof')
    expect(asked).toHaveLength(once)
    seen.uri = 'bitcoin:?lno=lno1bob'
    await get('/v1/names/alice@shop.test/proof')
    expect(asked).toHaveLength(2 * once)
  })

  test('says so when the DNS is down, and asks again the next time', async () => {
    const down = { ...world, query: () => Promise.reject(new Error('ECONNREFUSED')) }
    const { get, asked } = await serve(down)
    for (let times = 1; times <= 2; times++) {
      expect((await get('/v1/names/alice@shop.test/proof')).json().code).toBe('DNS_UNAVAILABLE')
      expect(asked).toHaveLength(times)
    }
  })

  test('one address cannot have all the places that strangers share', async () => {
    const slow: (() => void)[] = []
    const query = () => new Promise<never>((_, reject) => slow.push(() => reject(new Error('ETIMEDOUT'))))
    const { get } = await serve({ ...world, query })
    const ask = async (name: string) => (await get(`/v1/names/${name}@shop.test/proof`)).json().code
    const asked = Array.from({ length: CROWD.perAsker }, (_, i) => ask(`n${i}`))
    await expect.poll(() => slow.length).toBe(CROWD.perAsker)
    expect(await ask('one-more')).toBe('RATE_LIMITED')
    for (const giveUp of slow) giveUp()
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['DNS_UNAVAILABLE']))
  })

  test('is documented with both of its forms', async () => {
    const { get } = await serve()
    const { paths } = (await get('/openapi.json')).json()
    const { content } = paths['/v1/names/{name}/proof'].get.responses['200']
    expect(Object.keys(content)).toEqual(['application/json', BINARY])
    expect(content[BINARY].schema).toMatchObject({ type: 'string', format: 'binary' })
  })
})
