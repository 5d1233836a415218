import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OutboundError } from './outbound-error.ts'
import { makeOutbound, type OutboundOptions } from './outbound-https.ts'
import { type Answer, type HttpsServer, json, startHttpsServer } from './testing/https-server.ts'
import { TEST_CERTIFICATE } from './testing/test-certificate.ts'

let server: HttpsServer
beforeAll(async () => {
  server = await startHttpsServer()
})
afterAll(() => server.stop())

const onLoopback: OutboundOptions = {
  allowLoopback: true,
  lookup: async () => ['127.0.0.1'],
  ca: TEST_CERTIFICATE,
}
const urlOf = (path: string, host = 'address.test') => `https://${host}:${server.port}${path}`
const get = (path: string, more: OutboundOptions = {}) =>
  makeOutbound({ ...onLoopback, ...more }).getJson(urlOf(path))

async function refusal(work: Promise<unknown>) {
  const error = await work.then(
    () => null,
    (error) => error,
  )
  return error?.code
}

test('a host is asked at the address that was checked, under its own name', async () => {
  server.answers = { '/a': json({ yes: 1 }) }
  const looked: string[] = []
  const outbound = makeOutbound({
    ...onLoopback,
    // A hostile DNS names another address the second time.
    lookup: async (host) => (looked.push(host) === 1 ? ['127.0.0.1'] : ['10.0.0.1']),
  })
  expect(await outbound.getJson(urlOf('/a?b=c'))).toEqual({ yes: 1 })
  expect(looked).toEqual(['address.test'])
  expect(server.asked.at(-1)).toEqual({
    host: `address.test:${server.port}`,
    path: '/a?b=c',
    servername: 'address.test',
  })
})

test('a host of which one address does not listen is asked at the next', async () => {
  server.answers = { '/a': json('here') }
  const addresses = ['::1', '127.0.0.2', '127.0.0.1']
  expect(await get('/a', { lookup: async () => addresses })).toBe('here')
})

test('a host with a final dot is the same host', async () => {
  server.answers = { '/a': json('here') }
  expect(await makeOutbound(onLoopback).getJson(urlOf('/a', 'address.test.'))).toBe('here')
})

describe('a host is not asked', () => {
  test.each([
    ['on loopback, unless that is allowed', ['127.0.0.1']],
    ['in a private network', ['192.168.0.1']],
    ['where a cloud keeps its metadata', ['169.254.169.254']],
    ['behind NAT64', ['64:ff9b::7f00:1']],
    ['when one of its addresses is private', ['1.1.1.1', '10.0.0.1']],
    ['when one of its addresses is no address', ['1.1.1.1', 'nonsense']],
  ])('%s', async (_, addresses) => {
    const before = server.asked.length
    const outbound = makeOutbound({ lookup: async () => addresses })
    expect(await refusal(outbound.getJson('https://address.test/'))).toBe('forbidden')
    expect(server.asked).toHaveLength(before)
  })

  test('in a private network even when loopback is allowed', async () => {
    expect(await refusal(get('/', { lookup: async () => ['10.0.0.1'] }))).toBe('forbidden')
  })

  test.each([
    ['http://address.test/'],
    ['ftp://address.test/'],
    ['file:///etc/passwd'],
    ['https://user@address.test/'],
    ['https://user:password@address.test/'],
    ['https://address.test:8443/'],
    ['https://127.0.0.1/'],
    ['https://2130706433/'],
    ['https://0x7f.1/'],
    ['https://[::1]/'],
    ['https://[::ffff:7f00:1]/'],
    ['https://[64:ff9b::a00:1]/'],
    ['https://abcdefghij.onion/'],
    ['https://abcdefghij.onion./'],
    ['https://address_test/'],
    ['https://address.test/\n'],
    ['https://addre\tss.test/'],
    ['https://аddress.test/'],
    ['//address.test/'],
    ['address.test'],
    [''],
    [`https://address.test/${'a'.repeat(9_000)}`],
  ])('by the URL %s', async (url) => {
    const outbound = makeOutbound({ lookup: async () => ['1.1.1.1'] })
    expect(await refusal(outbound.getJson(url))).toBe('forbidden')
  })

  test('that does not resolve, or has no address, or does not listen', async () => {
    const failing = async () => {
      throw new Error('ENOTFOUND')
    }
    expect(await refusal(get('/', { lookup: failing }))).toBe('unreachable')
    expect(await refusal(get('/', { lookup: async () => [] }))).toBe('unreachable')
    const free = makeOutbound(onLoopback).getJson('https://address.test:1/')
    expect(await refusal(free)).toBe('unreachable')
  })
})

describe('a certificate', () => {
  test('of somebody else is none', async () => {
    server.answers = { '/': json({}) }
    const outbound = makeOutbound(onLoopback)
    expect(await refusal(outbound.getJson(urlOf('/', 'stranger.test')))).toBe('unreachable')
    expect(await outbound.getJson(urlOf('/', 'callback.test'))).toEqual({})
  })

  test('that nobody vouches for is none', async () => {
    const { ca: _, ...untrusting } = onLoopback
    expect(await refusal(makeOutbound(untrusting).getJson(urlOf('/')))).toBe('unreachable')
  })

  test('for a name does not do for an address', async () => {
    const byAddress = makeOutbound(onLoopback).getJson(`https://127.0.0.1:${server.port}/`)
    expect(await refusal(byAddress)).toBe('unreachable')
  })
})

describe('an answer', () => {
  test.each<[string, Answer, string, number | null]>([
    ['with an error', { status: 404, body: '{}' }, 'unusable', 404],
    ['that is no JSON', { body: '<html>' }, 'unusable', null],
    ['that is no UTF-8', { body: Uint8Array.of(0x22, 0xff, 0x22) }, 'unusable', null],
    ['without a body', {}, 'unusable', null],
    [
      'packed, though nobody asked for that',
      { headers: { 'content-encoding': 'gzip' }, body: gzipSync('{}') },
      'unusable',
      null,
    ],
    ['that is too large', { body: JSON.stringify('x'.repeat(2_000)) }, 'too-large', null],
    ['that does not end', { hangs: true }, 'too-slow', null],
  ])('%s', async (_, answer, code, status) => {
    server.answers = { '/': answer }
    const error = (await get('/', { maxBytes: 1_000, timeoutMs: 300 }).catch(
      (error: unknown) => error,
    )) as OutboundError
    expect([error.code, error.status]).toEqual([code, status])
    // A path may hold whom we pay, a query how much.
    expect(error.message).not.toContain('/')
  })

  test('that says that it is not packed is taken', async () => {
    server.answers = { '/': { headers: { 'content-encoding': 'identity' }, body: '[1]' } }
    expect(await get('/')).toEqual([1])
  })

  test('does not come when the DNS does not', async () => {
    const silent = get('/', { timeoutMs: 50, lookup: () => new Promise(() => undefined) })
    expect(await refusal(silent)).toBe('too-slow')
  })
})

describe('a redirect', () => {
  const to = (location: string, status = 302): Answer => ({ status, headers: { location } })

  test.each([301, 302, 303, 307, 308])('of status %s is followed, also to another host', async (status) => {
    server.answers = { '/': to(urlOf('/b', 'callback.test'), status), '/b': to('c', status), '/c': json('c') }
    expect(await get('/')).toBe('c')
    expect(server.asked.at(-1)).toMatchObject({ servername: 'callback.test', path: '/c' })
  })

  test('and another and another is one too many', async () => {
    server.answers = { '*': to('/again') }
    const before = server.asked.length
    expect(await refusal(get('/'))).toBe('unusable')
    expect(server.asked.length - before).toBe(3)
  })

  test.each([
    ['to http', 'http://callback.test/', 'forbidden'],
    ['to a file', 'file:///etc/passwd', 'forbidden'],
    ['to a private address', 'https://10.0.0.1/', 'forbidden'],
    ['to an onion service', 'https://abc.onion/', 'forbidden'],
    ['to nowhere', 'https://:::', 'unusable'],
  ])('%s is not followed', async (_, location, code) => {
    server.answers = { '/': to(location) }
    expect(await refusal(get('/'))).toBe(code)
  })

  test('to a host in a private network is not followed', async () => {
    server.answers = { '/': to(urlOf('/', 'callback.test')) }
    const lookup = async (host: string) => [host === 'address.test' ? '127.0.0.1' : '192.168.0.1']
    expect(await refusal(get('/', { lookup }))).toBe('forbidden')
  })

  test('without a target is an answer like others', async () => {
    server.answers = { '/': { status: 302 } }
    expect(await refusal(get('/'))).toBe('unusable')
  })
})
