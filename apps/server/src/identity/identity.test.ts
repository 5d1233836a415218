import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeMemoryRateLimiter } from '../platform/http/rate-limiter.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import {
  change,
  type IdentityWorld,
  newDevice,
  openSession,
  PUBLIC_URL,
  read,
  type Sent,
  sign,
  startIdentityWorld,
} from './testing/identity-world.ts'

const database = withDatabase()
let now = Date.now()
let world: IdentityWorld
let alice = newDevice()

beforeEach(async () => {
  now = 1_800_000_000_000
  alice = newDevice()
  world = await startIdentityWorld(database, { clock: () => now })
})

afterEach(() => world.close())

describe('a signed request', () => {
  test('is its signer’s', async () => {
    const response = await read(world, sign(alice, { now }))
    expect([response.statusCode, response.json()]).toEqual([200, { owner: alice.owner }])
  })

  const url = '/read?b=2&a=1'
  const refused: [what: string, sent: Sent, code: string][] = [
    ['signed for another host', { signed: { url: 'https://other.test/read' } }, 'AUTH_EVENT_MISMATCH'],
    ['signed for http', { signed: { url: 'http://api.shop.test/read' } }, 'AUTH_EVENT_MISMATCH'],
    ['signed for another path', { signed: { url: `${PUBLIC_URL}/reads` } }, 'AUTH_EVENT_MISMATCH'],
    ['signed without the query', { url, signed: { url: `${PUBLIC_URL}/read` } }, 'AUTH_EVENT_MISMATCH'],
    [
      'signed with a sorted query',
      { url, signed: { url: `${PUBLIC_URL}/read?a=1&b=2` } },
      'AUTH_EVENT_MISMATCH',
    ],
    ['signed for another method', { signed: { method: 'POST' } }, 'AUTH_EVENT_MISMATCH'],
    ['signed for a body that is not there', { signed: { body: '{}' } }, 'AUTH_EVENT_MISMATCH'],
    ['signed 61 s ago', { now: 1_800_000_000_000 - 61_000 }, 'AUTH_EVENT_EXPIRED'],
    ['signed 61 s from now', { now: 1_800_000_000_000 + 61_000 }, 'AUTH_EVENT_EXPIRED'],
  ]
  for (const [what, sent, code] of refused) {
    test(`${what} is refused with ${code}`, async () => {
      const response = await read(world, sign(alice, { now, ...sent }), sent.url)
      expect(response.json()).toMatchObject({
        code,
        status: 401,
        serverTime: now,
        url: PUBLIC_URL + (sent.url ?? '/read'),
      })
    })
  }

  for (const skew of [-60_000, 60_000]) {
    test(`from a clock that differs by ${skew} ms is accepted`, async () => {
      expect((await read(world, sign(alice, { now: now + skew }))).statusCode).toBe(200)
    })
  }

  const headers: [header: string | undefined, code: string][] = [
    [undefined, 'AUTH_REQUIRED'],
    ['', 'AUTH_REQUIRED'],
    ['Basic YTpi', 'AUTH_REQUIRED'],
    ['Nostr', 'AUTH_REQUIRED'],
    ['Nostr e30=', 'AUTH_EVENT_INVALID'],
    ['Nostr !', 'AUTH_EVENT_INVALID'],
    ['Bearer abc', 'SESSION_INVALID'],
    [`Bearer ${'A'.repeat(43)}`, 'SESSION_INVALID'],
  ]
  for (const [header, code] of headers) {
    test(`with the header ${header} is refused with ${code}`, async () => {
      expect((await read(world, header)).json()).toMatchObject({ code, status: 401 })
    })
  }

  test('whose body was changed on the way is refused, and nothing is executed', async () => {
    const authorization = sign(alice, { method: 'POST', url: '/change', body: '{"amountMsat":"1"}', now })
    const response = await world.app.inject({
      method: 'POST',
      url: '/change',
      body: '{"amountMsat":"9"}',
      headers: { authorization, 'idempotency-key': 'k', 'content-type': 'application/json' },
    })
    expect(response.json()).toMatchObject({ code: 'AUTH_EVENT_MISMATCH' })
    expect(world.executions).toBe(0)
  })

  test('is good once, whichever instance hears it', async () => {
    const other = await startIdentityWorld(database, { clock: () => now })
    const header = sign(alice, { now })
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, i) => read(i % 2 ? world : other, header)),
    )
    expect(responses.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1)
    const codes = responses.filter((r) => r.statusCode !== 200).map((r) => r.json<{ code: string }>().code)
    expect(new Set(codes)).toEqual(new Set(['AUTH_EVENT_REPLAYED']))
    await other.close()
  })

  test('cannot be used again after its request has failed, not even under another Idempotency-Key', async () => {
    world.work = async () => {
      throw new Error('a fault')
    }
    const body = '{"amountMsat":"1"}'
    const authorization = sign(alice, { method: 'POST', url: '/change', body, now })
    const send = (key: string) =>
      world.app.inject({
        method: 'POST',
        url: '/change',
        body,
        headers: { authorization, 'idempotency-key': key, 'content-type': 'application/json' },
      })
    expect((await send('a')).statusCode).toBe(500)
    expect((await send('b')).json()).toMatchObject({ code: 'AUTH_EVENT_REPLAYED' })
  })

  test('counts against its owner’s limit, and nobody else’s', async () => {
    const rateLimiter = makeMemoryRateLimiter({ points: 2, seconds: 60 })
    const limited = await startIdentityWorld(database, { clock: () => now, rateLimiter })
    for (let i = 0; i < 2; i++) await read(limited, sign(alice, { now: now - i * 1000 }))
    const third = await read(limited, sign(alice, { now: now - 2000 }))
    expect(third.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429 })
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0)
    expect((await read(limited, sign(newDevice(), { now }))).statusCode).toBe(200)
    await limited.close()
  })
})

describe('a body', () => {
  const body = JSON.stringify({ amountMsat: '1'.repeat(30_000) })

  /** Over a real socket: the body comes in many pieces, and without its length. */
  function sendChunked(sent: {
    type: string
    body: string
    signedBody: string
  }): Promise<{ status: number; connection: string }> {
    const { port } = world.app.server.address() as AddressInfo
    const authorization = sign(alice, { method: 'POST', url: '/change', body: sent.signedBody, now })
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        port,
        method: 'POST',
        path: '/change',
        headers: {
          authorization,
          'idempotency-key': randomUUID(),
          'content-type': sent.type,
          'transfer-encoding': 'chunked',
        },
      })
      request.on('error', reject)
      request.on('response', (response) => {
        response.resume()
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, connection: response.headers.connection ?? '' }),
        )
      })
      for (let at = 0; at < sent.body.length; at += 1000) request.write(sent.body.slice(at, at + 1000))
      request.end()
    })
  }

  beforeEach(async () => {
    await world.app.listen({ port: 0, host: '127.0.0.1' })
  })

  test('in pieces is digested as a whole', async () => {
    expect(await sendChunked({ type: 'application/json', body, signedBody: body })).toMatchObject({
      status: 201,
    })
    const signedBody = body.replace('1', '2')
    expect(await sendChunked({ type: 'application/json', body, signedBody })).toMatchObject({ status: 401 })
  })

  test('that nobody reads leaves the connection usable', async () => {
    expect(await sendChunked({ type: 'text/html', body, signedBody: body })).toEqual({
      status: 415,
      connection: 'keep-alive',
    })
  })

  test('that is too large is refused before its signature is looked at', async () => {
    const large = ' '.repeat(100_000)
    expect((await sendChunked({ type: 'application/json', body: large, signedBody: '' })).status).toBe(413)
  })

  const text = (escaped: string) => `{"amountMsat":"${escaped}"}`
  test.each([
    ['bytes that are no UTF-8', Buffer.from(text('\u00ff'), 'latin1'), 400, 'JSON_INVALID'],
    ['U+0000', text('\\u0000'), 400, 'REQUEST_INVALID'],
    ['U+0000 after a backslash', text('\\\\\\u0000'), 400, 'REQUEST_INVALID'],
    ['the first half of a pair', text('\\uD83D'), 400, 'REQUEST_INVALID'],
    ['the second half of a pair', text('\\ude00'), 400, 'REQUEST_INVALID'],
    ['a first half too many', text('\\ud83d\\ud83d\\ude00'), 400, 'REQUEST_INVALID'],
    ['a second half too many', text('\\ud83d\\ude00\\ude00'), 400, 'REQUEST_INVALID'],
    ['a backslash within a pair', text('\\ud83d\\\\\\ude00'), 400, 'REQUEST_INVALID'],
    ['a pair', text('\\ud83d\\uDE00'), 201, undefined],
    ['six signs that are no escape', text('\\\\u0000 \\\\ud83d'), 201, undefined],
    ['other escapes', text('\\u0001\\ufffd\\n'), 201, undefined],
  ])('with %s is answered as it deserves', async (_what, payload, status, code) => {
    const { token } = (await openSession(world, alice)).session
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': 'b' }
    const sent = { ...headers, 'content-type': 'application/json' }
    const response = await world.app.inject({ method: 'POST', url: '/change', headers: sent, payload })
    expect(response.statusCode).toBe(status)
    expect(response.json().code).toBe(code)
  })

  test('is not there in a DELETE without one, and then is signed as absent', async () => {
    const authorization = sign(alice, { method: 'DELETE', url: '/change', now })
    const headers = { authorization, 'idempotency-key': 'd' }
    const response = await world.app.inject({ method: 'DELETE', url: '/change', headers })
    expect(response.statusCode).toBe(201)
  })
})

describe('what has expired', () => {
  test('is swept, and what may still be used is kept', async () => {
    await read(world, sign(alice, { now }))
    const { session } = await openSession(world, alice)
    await change(world, { token: session.token }, { key: 'kept' })
    const counts = async () => {
      const { rows } = await sql<{ counts: number[] }>`
        select array[(select count(*) from nip98_event where expires_at > ${new Date(now)})::int,
          (select count(*) from session where owner = ${alice.owner})::int,
          (select count(*) from idempotency_key where owner = ${alice.owner})::int] as counts`.execute(
        database.db,
      )
      return rows[0]?.counts
    }
    now += 60_000
    await world.identity.sweep()
    expect((await counts())?.slice(1)).toEqual([1, 1])
    expect((await counts())?.[0]).toBeGreaterThan(0)
    now += 24 * 3_600_000
    await world.identity.sweep()
    expect(await counts()).toEqual([0, 0, 1])
    now += 24 * 3_600_000
    await world.identity.sweep()
    expect(await counts()).toEqual([0, 0, 0])
    const left = await database.db.selectFrom('nip98_event').selectAll().execute()
    expect(left).toEqual([])
  })

  test('is swept whole, however much there is', async () => {
    await sql`insert into nip98_event select sha256(int4send(i)), ${new Date(now - 1)}
      from generate_series(1, 12000) i`.execute(database.db)
    await world.identity.sweep()
    expect(
      await database.db
        .selectFrom('nip98_event')
        .select('id')
        .where('expires_at', '<', new Date(now))
        .execute(),
    ).toEqual([])
  })
})

test('a body where none is read, as with GET, is neither a fault nor part of what is signed', async () => {
  for (const authorization of [sign(newDevice(), { now }), 'Nostr e30=', 'Bearer x']) {
    const headers = { authorization, 'content-type': 'application/json' }
    const answer = await world.app.inject({ method: 'GET', url: '/read', headers, payload: '{"a":1}' })
    expect(answer.statusCode).toBe(authorization === 'Nostr e30=' || authorization === 'Bearer x' ? 401 : 200)
  }
})

test('a route that was added before identity fails instead of trusting an unseen body', async () => {
  const headers = { authorization: 'Nostr e30=', 'content-length': '2' }
  const request = { method: 'POST', headers, bodySha256: null } as never
  await expect(world.identity.authenticate(request)).rejects.toThrow(/install identity before/)
})
