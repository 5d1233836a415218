import { afterEach, expect, test } from 'vitest'
import { type App, makeHttpApp } from '../platform/http/app.ts'
import { makeAskedDomain } from '../platform/http/asked-domain.ts'
import { makeLog } from '../platform/log.ts'
import { makeNip05Slice } from './nip05-slice.ts'

const ALICE = 'ab'.repeat(32)
const ROOT = 'cd'.repeat(32)
const publicUrl = 'http://127.0.0.1:3141'

let app: App
afterEach(() => app.close())

async function ask(query: string, host = 'shop.test', path = '/.well-known/nostr.json') {
  app = await makeHttpApp({
    config: { publicUrl: null, rateLimit: 0, trustedProxies: [] },
    log: makeLog({ level: 'silent' }),
    readiness: [],
    openapi: { title: 'Test', version: '0', description: '' },
  })
  makeNip05Slice({
    ownerOf: async (user, domain) => (user === 'alice' && domain === 'shop.test' ? ALICE : null),
    askedDomain: makeAskedDomain({ domains: ['shop.test', 'other.test'], publicUrl }),
    rootOf: async (domain) => (domain === 'shop.test' ? ROOT : null),
  }).routes(app)
  return app.inject({ url: `${path}${query}`, headers: { host } })
}

test('an active name is its owner, for every origin, for a minute', async () => {
  const response = await ask('?name=alice&t=1700000000')
  expect(response.statusCode).toBe(200)
  expect(response.json()).toEqual({ names: { alice: ALICE }, relays: {} })
  expect(response.headers).toMatchObject({
    'access-control-allow-origin': '*',
    'cache-control': 'public, max-age=60',
    'content-type': expect.stringContaining('application/json'),
    vary: 'host',
  })
})

test.each([
  ['_', 'shop.test', { _: ROOT }],
  ['_', 'other.test', {}],
  ['alice', 'other.test', {}],
  ['alice', '127.0.0.1:3141', { alice: ALICE }],
  ['alice', 'SHOP.test:443', { alice: ALICE }],
  ['Alice', 'shop.test', {}],
  ['bob', 'shop.test', {}],
  ['__proto__', 'shop.test', {}],
  ['alice%00', 'shop.test', {}],
])('%s at %s is %j', async (name, host, names) => {
  const response = await ask(`?name=${name}`, host)
  expect(response.statusCode).toBe(200)
  expect(response.json()).toEqual({ names, relays: {} })
})

test('without a name no name is told, and nobody keeps an answer about an unknown one', async () => {
  for (const query of ['', '?name=nobody']) {
    const response = await ask(query)
    expect(response.json()).toEqual({ names: {}, relays: {} })
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'cache-control': 'no-store',
    })
    await app.close()
  }
})

test.each([
  ['alice', 'SHOP.test', { alice: ALICE }],
  ['_', 'shop.test', { _: ROOT }],
  ['alice', 'other.test', {}],
  ['alice', 'no%20domain', {}],
])('a proxy may name the domain: %s at %s', async (name, domain, names) => {
  const response = await ask(`?name=${name}`, 'proxy.example', `/nip05/${domain}`)
  expect(response.json()).toEqual({ names, relays: {} })
  expect(response.headers['access-control-allow-origin']).toBe('*')
})
