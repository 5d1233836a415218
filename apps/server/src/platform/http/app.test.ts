import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { refuse } from '@holdfast/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { makeLog } from '../log.ts'
import { type App, type HttpConfig, makeHttpApp } from './app.ts'
import type { Dependency } from './health.ts'
import { orThrow, RefusalError, refusals } from './problem.ts'

const config: HttpConfig = {
  publicUrl: 'https://pay.shop.test',
  rateLimit: 0,
  trustedProxies: [],
  requestTimeoutMs: 300,
  handlerTimeoutMs: 1_000,
}
const openapi = { title: 'Test', version: '1', description: 'For the tests.' }

let logged: Record<string, unknown>[]
let app: App
let releaseSlow: () => void

async function start(overrides: Partial<HttpConfig> = {}, readiness: Dependency[] = []): Promise<App> {
  logged = []
  const stream = { write: (line: string) => void logged.push(JSON.parse(line)) }
  const started = await makeHttpApp({
    config: { ...config, ...overrides },
    log: makeLog({ level: 'info', stream }),
    readiness,
    openapi,
  })
  started.post(
    '/echo',
    {
      schema: {
        body: z.strictObject({ amountMsat: z.string(), note: z.string().max(5).optional() }),
        response: {
          200: z.strictObject({ amountMsat: z.string() }),
          ...refusals('NAME_TAKEN', 'AMOUNT_INVALID'),
        },
      },
    },
    async ({ body }) => ({ amountMsat: body.amountMsat }),
  )
  started.get('/taken', async () => orThrow(refuse('NAME_TAKEN', { name: 'alice' })))
  started.get('/closed', async () => orThrow(refuse('AUTH_REQUIRED')))
  started.get('/crowded', async () => {
    // What node-postgres throws when its pool has no connection to spare.
    throw new Error('timeout exceeded when trying to connect')
  })
  started.get('/fault', async () => {
    throw new Error('the vault said 42', { cause: new Error('root cause') })
  })
  started.get('/wrong', { schema: { response: { 200: z.strictObject({ a: z.string() }) } } }, async () => {
    return { a: 1 } as never
  })
  started.get('/never', async () => new Promise(() => undefined))
  const slow = new Promise<void>((resolve) => {
    releaseSlow = resolve
  })
  started.get('/slow', async () => slow.then(() => ({ done: true })))
  return started
}

beforeEach(async () => {
  app = await start()
})
afterEach(async () => {
  releaseSlow()
  await app.close()
})

const post = (payload: string | object, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/echo',
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  })

describe('a request that is in order', () => {
  test('is answered with a request id and headers against sniffing and caching', async () => {
    const answer = await post({ amountMsat: '1' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ amountMsat: '1' })
    expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('is logged once, by its route', async () => {
    await post({ amountMsat: '1' }, { 'x-request-id': 'req-1' })
    expect(logged).toMatchObject([{ requestId: 'req-1', method: 'POST', route: '/echo', status: 200 }])
  })

  test.each([
    ['my-request_1.2', true],
    ['a'.repeat(65), false],
    ['line\tbreak', false],
  ])('keeps the x-request-id %j: %s', async (id, kept) => {
    const answer = await post({ amountMsat: '1' }, { 'x-request-id': id })
    expect(answer.headers['x-request-id'] === id).toBe(kept)
  })
})

describe('a bad request', () => {
  test.each([
    ['broken JSON', '{"amountMsat":', 400, 'JSON_INVALID'],
    ['no body', '', 400, 'JSON_INVALID'],
    ['a poisoned prototype', '{"amountMsat":"1","__proto__":{"x":1}}', 400, 'JSON_INVALID'],
    ['an array', '[]', 400, 'REQUEST_INVALID'],
    ['too large a body', JSON.stringify({ amountMsat: 'x'.repeat(70_000) }), 413, 'BODY_TOO_LARGE'],
  ])('%s is refused', async (_what, payload, status, code) => {
    const answer = await post(payload)
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json()).toMatchObject({ status, code, type: `/problems/${code}` })
  })

  test('names every place that is wrong, unknown fields included', async () => {
    const answer = await post({ amountMsat: 1, note: 'too long', extra: true })
    expect(answer.json()).toMatchObject({ code: 'REQUEST_INVALID' })
    const { errors } = answer.json() as { errors: { path: string; message: string }[] }
    expect(errors.map(({ path }) => path)).toEqual(['body.amountMsat', 'body.note', 'body'])
    expect(errors[2]!.message).toContain('extra')
  })

  test.each(['text/plain', 'application/xml', 'multipart/form-data'])(
    'of type %s is refused',
    async (type) => {
      const answer = await post('x', { 'content-type': type })
      expect(answer.json()).toMatchObject({ status: 415, code: 'CONTENT_TYPE_UNSUPPORTED' })
    },
  )

  test.each(['gzip', 'br', 'GZIP, identity', 'identity, x-unknown'])(
    'encoded as %s is refused, and told how to send it',
    async (coding) => {
      const answer = await post('{"amountMsat":"1"}', { 'content-encoding': coding })
      expect(answer.json()).toMatchObject({ status: 415, code: 'CONTENT_ENCODING_UNSUPPORTED' })
      expect(answer.headers['accept-encoding']).toBe('identity')
    },
  )

  test.each(['identity', 'Identity', ''])('that calls its encoding %j is none', async (coding) => {
    expect((await post('{"amountMsat":"1"}', { 'content-encoding': coding })).statusCode).toBe(200)
  })

  test('is none for an encoding of a body that there is not, nor is it told at an address that there is not', async () => {
    const headers = { 'content-encoding': 'gzip' }
    expect((await app.inject({ url: '/health', headers })).statusCode).toBe(200)
    const nowhere = await app.inject({ url: '/nothing', method: 'POST', headers, payload: 'x' })
    expect(nowhere.json()).toMatchObject({ code: 'ROUTE_NOT_FOUND' })
  })

  test.each([
    '/nothing',
    '/problems/NOTHING',
    '/%zz',
    '/docs/static/nothing',
    '/problems/INTERNAL%00',
    `/problems/${'x'.repeat(600)}`,
  ])('to %s leads nowhere', async (url) => {
    const answer = await app.inject({ url })
    expect(answer.json()).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND' })
  })

  test.each([
    ['PUT', '/echo', 'POST'],
    ['POST', '/problems/INTERNAL?x=1', 'GET, HEAD'],
    ['OPTIONS', '/health', 'GET, HEAD'],
    ['DELETE', '/docs/static/index.css', 'GET, HEAD'],
  ] as const)('by %s to %s is told what is allowed', async (method, url, allow) => {
    const answer = await app.inject({ method, url })
    expect(answer.json()).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' })
    expect(answer.headers.allow).toBe(allow)
  })

  test('by QUERY without a content-type is the client’s fault, not ours', async () => {
    const answer = await raw('QUERY /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 415 [\s\S]*"code":"CONTENT_TYPE_UNSUPPORTED"/)
    expect(logged.filter(({ level }) => level === 'error')).toEqual([])
  })

  test.each([
    ['without a host', 'GET /health HTTP/1.1', 'host'],
    ['without a host, where nothing is', 'GET /nothing HTTP/1.1', 'host'],
    ['that expects what nobody knows', 'GET /health HTTP/1.1\r\nhost: x\r\nexpect: a-miracle', 'expect'],
  ])('%s is told so', async (_, head, header) => {
    const answer = await raw(`${head}\r\nconnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\ncontent-type: application\/problem\+json/)
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'REQUEST_INVALID', header })
  })

  test.each([
    ['of HTTP/1.0 needs no host', 'GET /health HTTP/1.0'],
    ['may wait for a word before it goes on', 'GET /health HTTP/1.1\r\nhost: x\r\nexpect: 100-continue'],
  ])('%s', async (_, head) => {
    expect(await raw(`${head}\r\nconnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /m)
  })

  test('with more headers than anybody reads is told so', async () => {
    const answer = await raw(`GET /health HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 431 [\s\S]*"code":"HEADERS_TOO_LARGE"/)
  })

  test.each([
    [413, 'BODY_TOO_LARGE', {}],
    [415, 'CONTENT_ENCODING_UNSUPPORTED', { 'content-encoding': 'gzip' }],
  ])(
    'with a stream of 10 MB is refused with %i without being read to its end',
    async (status, code, more) => {
      const port = await listen()
      const request = httpRequest({
        port,
        path: '/echo',
        method: 'POST',
        headers: { 'content-type': 'application/json', ...more },
      })
      // The server closes the connection while we are still writing.
      request.on('error', () => undefined)
      const answered = once(request, 'response')
      for (let sent = 0; sent < 10; sent++) request.write('x'.repeat(1024 * 1024))
      const [answer] = await answered
      expect(answer.statusCode).toBe(status)
      expect(answer.headers.connection).toBe('close')
      expect(await readAll(answer)).toMatchObject({ code })
      request.destroy()
    },
  )

  test('that is no HTTP is answered as a problem', async () => {
    expect(await raw('\x16\x03\x01\x02\x00\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*"code":"REQUEST_INVALID"/,
    )
  })

  test('whose sender goes away in its middle is no fault of ours', async () => {
    const socket = connect(await listen(), '127.0.0.1')
    socket.write(
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    await expect.poll(() => logged).toHaveLength(1)
    expect(logged.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('that does not arrive in time is told so', async () => {
    const start =
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{'
    expect(await raw(start)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"REQUEST_TIMEOUT"/)
  })
})

describe('an answer that is not the wanted one', () => {
  test('a refusal carries its code, its data and what to do', async () => {
    const answer = await app.inject({ url: '/taken', headers: { 'x-request-id': 'r1' } })
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toEqual({
      type: '/problems/NAME_TAKEN',
      title: 'The name is taken.',
      status: 409,
      detail: 'Choose another name.',
      code: 'NAME_TAKEN',
      requestId: 'r1',
      name: 'alice',
    })
    expect((await app.inject({ url: '/problems/NAME_TAKEN' })).json()).toMatchObject({ code: 'NAME_TAKEN' })
  })

  test.each(['/problems', '/problems/NAME_TAKEN'])('%s is a page for who has a browser', async (url) => {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
    const page = await app.inject({ url, headers: { accept } })
    expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', vary: 'accept' })
    expect(page.body).toMatch(/NAME_TAKEN[\s\S]*The name is taken\.[\s\S]*Choose another name\./)
    expect(page.body).not.toMatch(/<script|(src|href)="http/)
  })

  test('who is not known is told how to say who it is', async () => {
    const answer = await app.inject({ url: '/closed' })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Nostr, Bearer')
  })

  test('a fault is logged once with its cause and answered without detail', async () => {
    const answer = await app.inject({ url: '/fault', headers: { 'x-request-id': 'r2' } })
    expect(answer.json()).toMatchObject({ status: 500, code: 'INTERNAL', requestId: 'r2' })
    expect(answer.body).not.toContain('vault')
    const faults = logged.filter(({ level }) => level === 'error')
    expect(faults).toHaveLength(1)
    expect(JSON.stringify(faults)).toMatch(
      /r2.*the vault said 42.*root cause|the vault said 42.*root cause.*r2/s,
    )
  })

  test('a server with too much to do says so, and when to come back', async () => {
    const answer = await app.inject({ url: '/crowded' })
    expect(answer.json()).toMatchObject({ status: 503, code: 'OVERLOADED' })
    expect(answer.headers['retry-after']).toBe('2')
  })

  test('an answer that breaks its own schema is a fault', async () => {
    expect((await app.inject({ url: '/wrong' })).json()).toMatchObject({ code: 'INTERNAL' })
  })

  test('a handler that takes too long is a fault', async () => {
    expect((await app.inject({ url: '/never' })).json()).toMatchObject({ code: 'INTERNAL' })
  })

  test('orThrow hands on what is no refusal', () => {
    expect(orThrow(5 as number)).toBe(5)
    expect(() => orThrow(refuse('NAME_TAKEN'))).toThrow(RefusalError)
  })
})

describe('a page of another origin', () => {
  const shop = 'https://shop.example'
  const ask = (origin: string, url: string, method: 'GET' | 'OPTIONS' = 'GET') =>
    app.inject({ url, method, headers: { origin, 'access-control-request-method': 'POST' } })

  test('is not let in by default', async () => {
    for (const method of ['GET', 'OPTIONS'] as const)
      expect((await ask(shop, '/health', method)).headers).not.toHaveProperty('access-control-allow-origin')
  })

  test.each(['/health', '/taken', '/closed', '/nowhere'])(
    'that was named reads what %s answers, good or bad',
    async (url) => {
      await app.close()
      app = await start({ corsOrigins: [shop, 'https://market.example'] })
      const { headers } = await ask(shop, url)
      expect(headers['access-control-allow-origin']).toBe(shop)
      expect(headers['access-control-expose-headers']).toContain('retry-after')
      expect(headers.vary).toContain('Origin')
      expect((await ask('https://evil.example', url)).headers).not.toHaveProperty(
        'access-control-allow-origin',
      )
    },
  )

  test('that was named may send what the SDK sends; other methods are told as ever', async () => {
    await app.close()
    app = await start({ corsOrigins: [shop], rateLimit: 3 })
    const { statusCode, headers } = await ask(shop, '/echo', 'OPTIONS')
    expect([statusCode, headers['access-control-allow-origin']]).toEqual([204, shop])
    expect(headers['access-control-allow-methods']).toContain('POST')
    expect(headers['access-control-allow-headers']).toContain('idempotency-key')
    expect((await ask(shop, '/nowhere')).statusCode).toBe(404)
    const wrong = await ask(shop, '/echo')
    expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, 'POST'])
    await ask(shop, '/taken')
    const limited = await ask(shop, '/taken')
    expect([limited.statusCode, limited.headers['access-control-allow-origin']]).toEqual([429, shop])
  })
})

describe('rate limits', () => {
  test('count by address and say when to come back; health does not count', async () => {
    await app.close()
    app = await start({ rateLimit: 2, trustedProxies: ['127.0.0.1'] })
    const from = (address: string, url = '/taken') =>
      app.inject({ url, headers: { 'x-forwarded-for': address } })
    expect((await from('192.0.2.1')).statusCode).toBe(409)
    expect((await from('192.0.2.1')).statusCode).toBe(409)
    const limited = await from('192.0.2.1')
    expect(limited.json()).toMatchObject({ status: 429, code: 'RATE_LIMITED' })
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0)
    expect((await from('192.0.2.1', '/health')).statusCode).toBe(200)
    expect((await from('192.0.2.2')).statusCode).toBe(409)
  })
})

describe('health', () => {
  const works: Dependency = { name: 'database', check: async () => 'v18' }
  const broken: Dependency = { name: 'dns', check: async () => Promise.reject(new Error('refused')) }
  const hangs: Dependency = { name: 'chain', check: () => new Promise(() => undefined) }

  test('is alive whatever its dependencies do', async () => {
    await app.close()
    app = await start({}, [broken])
    expect((await app.inject({ url: '/health' })).json()).toEqual({ ok: true })
  })

  test('is ready when every dependency is', async () => {
    await app.close()
    app = await start({}, [works])
    const answer = await app.inject({ url: '/ready' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toMatchObject({
      ready: true,
      dependencies: [{ name: 'database', ok: true, detail: 'v18' }],
    })
  })

  test('is ready without what is not essential, and says what is missing', async () => {
    await app.close()
    app = await start({}, [works, { ...broken, essential: false }])
    const answer = await app.inject({ url: '/ready' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toMatchObject({
      ready: true,
      dependencies: [
        { name: 'database', ok: true, essential: true },
        { name: 'dns', ok: false, essential: false },
      ],
    })
  })

  test('asks its dependencies once for all who ask within a second', async () => {
    await app.close()
    let asked = 0
    app = await start({}, [{ name: 'counted', check: async () => `${++asked}` }])
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.inject({ url: '/ready' })))
    expect(new Set(answers.map((answer) => answer.json().dependencies[0].detail))).toEqual(new Set(['1']))
    await new Promise((resolve) => setTimeout(resolve, 1_050))
    expect((await app.inject({ url: '/ready' })).json().dependencies[0].detail).toBe('2')
  })

  test('names the dependency that is down, and one that hangs within its time', async () => {
    await app.close()
    app = await start({ handlerTimeoutMs: 5_000 }, [works, broken, hangs])
    const answer = await app.inject({ url: '/ready' })
    expect(answer.statusCode).toBe(503)
    expect(answer.json().dependencies).toMatchObject([
      { name: 'database', ok: true },
      { name: 'dns', ok: false, detail: 'refused' },
      { name: 'chain', ok: false, detail: 'no answer within 2000 ms' },
    ])
  })
})

describe('the API description', () => {
  test('is OpenAPI 3.1 with the routes that have a schema', async () => {
    const document = (await app.inject({ url: '/openapi.json' })).json()
    expect(document).toMatchObject({ openapi: '3.1.0', servers: [{ url: 'https://pay.shop.test' }] })
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/echo', '/health', '/ready', '/problems']),
    )
    expect(Object.keys(document.paths)).not.toContain('/fault')
    expect(document.paths['/echo'].post.responses).toMatchObject({
      409: { description: 'NAME_TAKEN' },
      422: { description: 'AMOUNT_INVALID' },
    })
  })

  test('can be read as a page', async () => {
    const page = await app.inject({ url: '/docs' })
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  })

  test('a schema that accepts unknown fields is refused when the route is added', () => {
    const add = () =>
      app.post(
        '/lax',
        { schema: { body: z.strictObject({ a: z.array(z.object({ b: z.string() })) }) } },
        async () => 1,
      )
    expect(add).toThrow(/accepts unknown fields/)
  })
})

describe('closing', () => {
  test('finishes what runs, refuses what comes', async () => {
    const port = await listen()
    const running = fetch(`http://127.0.0.1:${port}/slow`)
    await expect.poll(() => app.server.listening).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = app.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow()
    releaseSlow()
    expect(await (await running).json()).toEqual({ done: true })
    await closed
  })

  test('refuses a request whose last bytes come after the stop', async () => {
    const port = await listen()
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    socket.write('GET /taken HTTP/1.1\r\nhost: x\r\n')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = app.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
    socket.write('\r\n')
    await closed
    await expect.poll(() => answer).toMatch(/^HTTP\/1\.1 503[\s\S]*"code":"SHUTTING_DOWN"/)
  })
})

async function listen(): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as { port: number }).port
}

async function raw(bytes: string): Promise<string> {
  const socket = connect(await listen(), '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text
  })
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}
