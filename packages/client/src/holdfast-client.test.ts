import { verifyEvent } from 'nostr-tools/pure'
import { describe, expect, test } from 'vitest'
import { clientOf, JOB, NAME, PAYMENT, SESSION, sessionOf, signer } from './testing/client-of.ts'
import { type Answer, BASE_URL, NOW, problem } from './testing/scripted-server.ts'

describe('a session', () => {
  test('is opened with one NIP-98 request and shared by calls that start together', async () => {
    const { client: holdfast, seen } = clientOf({ 'GET /v1/jobs/job-1': [{ json: JOB }] })
    await Promise.all([holdfast.getJob('job-1'), holdfast.getJob('job-1')])
    expect(seen.map(({ path }) => path)).toEqual(['/v1/sessions', '/v1/jobs/job-1', '/v1/jobs/job-1'])
    const event = JSON.parse(atob(seen[0]!.headers.authorization!.replace('Nostr ', '')))
    expect(verifyEvent({ ...event })).toBe(true)
    expect(event).toMatchObject({ kind: 27235, pubkey: signer.pubkey, created_at: NOW / 1000, content: '' })
    expect(event.tags.slice(0, 2)).toEqual([
      ['u', `${BASE_URL}/v1/sessions`],
      ['method', 'POST'],
    ])
    expect(seen[1]!.headers.authorization).toBe('Bearer token-1')
  })

  test('is for reading only where each change is to be signed itself, anew for each attempt', async () => {
    const { client: holdfast, seen } = clientOf(
      { 'POST /v1/names': ['broken', { status: 202, json: JOB }], 'GET /v1/jobs/job-1': [{ json: JOB }] },
      { signsEach: true },
    )
    await holdfast.registerName({ user: 'alicé', domain: 'shop.test' })
    await holdfast.getJob('job-1')
    expect(seen.map(({ path }) => path)).toEqual(['/v1/names', '/v1/names', '/v1/sessions', '/v1/jobs/job-1'])
    const events = seen
      .slice(0, 2)
      .map(({ headers }) => JSON.parse(atob(headers.authorization!.slice('Nostr '.length))))
    // Of the UTF-8 bytes of the body.
    const payload = '0fca8b31ca626a0cddf9f2a97a9ac1e2532ccb4bfc23d62dbb8b8ef82ced0223'
    for (const { tags } of events) {
      expect(tags.slice(0, 3)).toEqual([
        ['u', `${BASE_URL}/v1/names`],
        ['method', 'POST'],
        ['payload', payload],
      ])
    }
    expect(events[0].id).not.toBe(events[1].id)
    expect(seen[0]!.headers['idempotency-key']).toBe(seen[1]!.headers['idempotency-key'])
  })

  test('signs a new event for every attempt, also within one second', async () => {
    const { client: holdfast, seen } = clientOf({
      'POST /v1/sessions': ['broken', SESSION],
      'GET /v1/jobs/job-1': [{ json: JOB }],
    })
    await holdfast.getJob('job-1')
    const ids = seen
      .filter(({ path }) => path === '/v1/sessions')
      .map(({ headers }) => JSON.parse(atob(headers.authorization!.slice(6))).id)
    expect(new Set(ids).size).toBe(2)
  })

  test('is renewed shortly before it ends', async () => {
    const {
      client: holdfast,
      seen,
      clock,
    } = clientOf({
      'POST /v1/sessions': [SESSION, sessionOf('token-2', NOW + 7_200_000)],
      'GET /v1/jobs/job-1': [{ json: JOB }],
    })
    await holdfast.getJob('job-1')
    clock.pass(3_600_000 - 30_000)
    await holdfast.getJob('job-1')
    expect(seen.at(-1)!.headers.authorization).toBe('Bearer token-2')
  })

  test('that the server has forgotten is opened anew, once', async () => {
    const { client: holdfast, seen } = clientOf({
      'POST /v1/sessions': [SESSION, sessionOf('token-2')],
      'POST /v1/payments': [problem(401, 'SESSION_INVALID'), { json: PAYMENT }],
    })
    await holdfast.pay({ to: PAYMENT.to })
    const payments = seen.filter(({ path }) => path === '/v1/payments')
    expect(payments.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(new Set(payments.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  })

  test('that is refused twice is an error', async () => {
    const { client: holdfast } = clientOf({ 'GET /v1/jobs/job-1': [problem(401, 'SESSION_INVALID')] })
    await expect(holdfast.getJob('job-1')).rejects.toMatchObject({ code: 'SESSION_INVALID', status: 401 })
  })

  test('that could not be opened is tried again by the next call', async () => {
    const { client: holdfast } = clientOf({
      'POST /v1/sessions': [problem(401, 'AUTH_EVENT_EXPIRED'), SESSION],
      'GET /v1/jobs/job-1': [{ json: JOB }],
    })
    await expect(holdfast.getJob('job-1')).rejects.toMatchObject({ code: 'AUTH_EVENT_EXPIRED' })
    expect(await holdfast.getJob('job-1')).toMatchObject({ id: 'job-1' })
  })

  test('is not needed for what everybody may ask', async () => {
    const { client: holdfast, seen } = clientOf(
      {
        'GET /v1/names/alice%40shop.test': [{ json: NAME }],
        'GET /v1/resolve/alice%40shop.test': [
          {
            json: {
              name: NAME.name,
              hasPunycode: false,
              provenByDnssec: true,
              uri: NAME.uri,
              offer: 'lno1x',
            },
          },
        ],
      },
      { anonymous: true },
    )
    expect(await holdfast.getName('₿alice@shop.test')).toEqual(NAME)
    expect(await holdfast.resolve('₿alice@shop.test')).toEqual({
      name: NAME.name,
      hasPunycode: false,
      uri: NAME.uri,
      offer: 'lno1x',
    })
    expect(seen.every(({ headers }) => headers.authorization === undefined)).toBe(true)
    await expect(holdfast.pay({ to: 'x' })).rejects.toMatchObject({ code: 'SIGNER_REQUIRED' })
  })
})

describe('a mutation', () => {
  test('sends its amounts as decimal strings and an Idempotency-Key', async () => {
    const { client: holdfast, seen } = clientOf({ 'POST /v1/payments': [{ json: PAYMENT }] })
    const payment = await holdfast.pay({ to: PAYMENT.to, amountMsat: 21_000n, maxFeeMsat: 0n })
    expect(payment).toEqual({ ...PAYMENT, amountMsat: 21_000n })
    expect(seen.at(-1)).toMatchObject({ body: { to: PAYMENT.to, amountMsat: '21000', maxFeeMsat: '0' } })
    expect(seen.at(-1)!.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/)
  })

  test('is repeated with the same key after a broken connection, 503 and 429, and waits as told', async () => {
    const {
      client: holdfast,
      seen,
      clock,
    } = clientOf({
      'POST /v1/names': [
        'broken',
        problem(503, 'SHUTTING_DOWN'),
        problem(429, 'RATE_LIMITED', { 'retry-after': '7' }),
        problem(409, 'IDEMPOTENCY_IN_PROGRESS'),
        { status: 202, json: JOB },
      ],
    })
    expect(await holdfast.registerName({ user: 'alice', domain: 'shop.test' })).toEqual(JOB)
    const keys = seen
      .filter(({ path }) => path === '/v1/names')
      .map(({ headers }) => headers['idempotency-key'])
    expect(keys).toHaveLength(5)
    expect(new Set(keys).size).toBe(1)
    expect(clock.slept).toEqual([200, 400, 7000, 1600])
  })

  test('has a key of its own for each call, or the one that the caller gives', async () => {
    const { client: holdfast, seen } = clientOf({ 'POST /v1/payments': [{ json: PAYMENT }] })
    await holdfast.pay({ to: 'x' })
    await holdfast.pay({ to: 'x' })
    await holdfast.pay({ to: 'x' }, { idempotencyKey: 'mine' })
    const [first, second, third] = seen.slice(1).map(({ headers }) => headers['idempotency-key'])
    expect(first).not.toBe(second)
    expect(third).toBe('mine')
  })

  test.each([
    [409, 'NAME_TAKEN'],
    [422, 'NAME_INVALID'],
    [500, 'INTERNAL'],
  ])('that is refused with %d %s is not repeated', async (status, code) => {
    const { client: holdfast, seen } = clientOf({ 'POST /v1/names': [problem(status, code)] })
    await expect(holdfast.registerName({ user: 'a', domain: 'b' })).rejects.toMatchObject({
      name: 'HoldfastError',
      code,
      status,
      title: `Title of ${code}.`,
      detail: 'Do this.',
      requestId: 'req-1',
    })
    expect(seen.filter(({ path }) => path === '/v1/names')).toHaveLength(1)
  })

  test('that goes unanswered is given up after six attempts', async () => {
    const { client: holdfast, seen, clock } = clientOf({ 'POST /v1/names': ['broken'] })
    await expect(holdfast.registerName({ user: 'a', domain: 'b' })).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      status: 0,
      requestId: null,
      cause: expect.any(TypeError),
    })
    expect(seen.filter(({ path }) => path === '/v1/names')).toHaveLength(6)
    expect(clock.slept).toEqual([200, 400, 800, 1600, 3200])
  })

  test('stops when its signal is aborted', async () => {
    const { client: holdfast } = clientOf({ 'POST /v1/names': [{ json: JOB }] })
    const reason = new Error('the user went away')
    await expect(
      holdfast.registerName({ user: 'a', domain: 'b' }, { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
  })
})

describe('a name', () => {
  const NAME = { name: 'a@b', state: 'active', owner: 'aa', jobId: 'job', createdAt: 1, offer: 'lno1' }
  const script = {
    'PUT /v1/names/a%40b': [{ json: JOB }],
    'DELETE /v1/names/a%40b': [{ json: { ...NAME, state: 'withdrawing' } }],
    'PUT /v1/names/a%40b/transfer': [{ json: { ...NAME, transfer: { to: 'bb', until: 7 } } }],
    'DELETE /v1/names/a%40b/transfer': [{ json: NAME }],
    'POST /v1/names/a%40b/transfer/accept': [{ json: JOB }],
    'POST /v1/names/a%40b/suspend': [{ json: { ...NAME, trouble: { code: 'X', title: 'T.', hint: 'H.' } } }],
    'POST /v1/names/a%40b/resume': [{ json: JOB }],
  }
  type Client = ReturnType<typeof clientOf>['client']

  test.each<[call: string, (client: Client) => Promise<unknown>, answer: object, body: unknown]>([
    ['PUT /v1/names/a%40b', (client) => client.changeOffer('₿a@b'), JOB, {}],
    ['PUT /v1/names/a%40b', (client) => client.changeOffer('a@b', { offer: 'l' }), JOB, { offer: 'l' }],
    ['DELETE /v1/names/a%40b', (client) => client.releaseName('a@b'), { state: 'withdrawing' }, undefined],
    [
      'PUT /v1/names/a%40b/transfer',
      (client) => client.proposeTransfer('a@b', 'bb'),
      { transfer: { to: 'bb', until: 7 } },
      { to: 'bb' },
    ],
    ['DELETE /v1/names/a%40b/transfer', (client) => client.cancelTransfer('a@b'), NAME, undefined],
    ['POST /v1/names/a%40b/transfer/accept', (client) => client.acceptTransfer('a@b'), JOB, {}],
    [
      'POST /v1/names/a%40b/suspend',
      (client) => client.suspendName('a@b'),
      { trouble: { code: 'X', title: 'T.', hint: 'H.' } },
      undefined,
    ],
    ['POST /v1/names/a%40b/resume', (client) => client.resumeName('a@b'), JOB, undefined],
  ])('is changed by %s', async (call, ask, answer, body) => {
    const { client: holdfast, seen } = clientOf(script)
    expect(await ask(holdfast)).toMatchObject(answer)
    const sent = seen.at(-1)!
    expect([`${sent.method} ${sent.path}`, sent.body]).toEqual([call, body])
    expect(sent.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('an answer', () => {
  const asking = (answer: Answer) => clientOf({ 'GET /v1/names/a%40b': [answer] }).client.getName('a@b')

  test('of "no such name" is null to findName', async () => {
    const { client: holdfast } = clientOf({
      'GET /v1/names/a%40b': [problem(404, 'NAME_NOT_FOUND')],
      'GET /v1/names/c%40d': [problem(404, 'ROUTE_NOT_FOUND')],
    })
    expect(await holdfast.findName('a@b')).toBeNull()
    await expect(holdfast.findName('c@d')).rejects.toMatchObject({ code: 'ROUTE_NOT_FOUND' })
  })

  test.each<[string, Answer]>([
    ['that is not JSON', { status: 200, text: '<html>' }],
    ['that is a list', { json: [] }],
    ['that is null', { json: null }],
    ['without an owner', { json: { name: 'a@b', state: 'active' } }],
    ['with a number as offer', { json: { ...NAME, offer: 7 } }],
    ['of an error without a problem', { status: 404, text: 'not found' }],
    [
      'of a problem without a code',
      { status: 400, json: {}, headers: { 'content-type': 'application/problem+json' } },
    ],
  ])('%s is refused', async (_, answer) => {
    await expect(asking(answer)).rejects.toMatchObject({ name: 'HoldfastError', code: 'RESPONSE_INVALID' })
  })

  test('of a proxy that cannot reach the server is asked again', async () => {
    const { client: holdfast } = clientOf({
      'GET /v1/names/a%40b': [
        { status: 502, text: 'bad gateway', headers: { 'x-request-id': 'r' } },
        { json: { ...NAME, offer: null, uri: null, unhealthy: null, later: 1 } },
      ],
    })
    expect(await holdfast.getName('a@b')).toEqual({
      name: NAME.name,
      state: 'active',
      owner: signer.pubkey,
      jobId: 'job',
      createdAt: NOW,
    })
  })

  test.each([
    ['a state that we do not know', { ...PAYMENT, state: 'lost' }],
    ['an amount that is a number', { ...PAYMENT, amountMsat: 21_000 }],
    ['an amount with a sign', { ...PAYMENT, amountMsat: '-1' }],
  ])('about a payment with %s is refused', async (_, json) => {
    const { client: holdfast } = clientOf({ 'GET /v1/payments/pay-1': [{ json }] })
    await expect(holdfast.getPayment('pay-1')).rejects.toMatchObject({ code: 'RESPONSE_INVALID' })
  })

  test.each([
    ['a percentage that is a text', { ...JOB, percent: '20' }],
    ['steps that are no list', { ...JOB, stepsDone: {} }],
    ['an id that is missing', { ...JOB, id: undefined }],
  ])('about a job with %s is refused', async (_, json) => {
    const { client: holdfast } = clientOf({ 'GET /v1/jobs/job-1': [{ json }] })
    await expect(holdfast.getJob('job-1')).rejects.toMatchObject({ code: 'RESPONSE_INVALID' })
  })
})

test('a base URL with a path keeps it, and so does what is signed', async () => {
  const { client: holdfast, seen } = clientOf(
    { 'POST /pay/v1/sessions': [SESSION], 'GET /pay/v1/jobs/a%2Fb': [{ json: JOB }] },
    { baseUrl: `${BASE_URL}/pay` },
  )
  await holdfast.getJob('a/b')
  expect(JSON.parse(atob(seen[0]!.headers.authorization!.slice(6))).tags[0]).toEqual([
    'u',
    `${BASE_URL}/pay/v1/sessions`,
  ])
})

describe('zones and pages of names', () => {
  const ZONE = {
    domain: 'shop.test',
    phase: 'ds-publishing',
    since: '2026-01-01T00:00:00.000Z',
    waitsUntil: null,
    ds: ['1 13 2 AA'],
    problem: { code: 'PERSON_NEEDED', text: 'publish-ds is for a person to do.' },
    todo: { action: 'publish-ds', text: 'Have the registrar …', records: ['shop.test. DS 1 13 2 AA'] },
  }
  const SIGNED = { ...ZONE, phase: 'signed', problem: null, todo: null }

  test('are read by everybody, and changed by operators', async () => {
    const { client: holdfast, seen } = clientOf({
      'GET /v1/zones': [{ json: { zones: [ZONE, SIGNED] } }],
      'GET /v1/zones/shop.test': [{ json: ZONE }],
      'POST /v1/zones/shop.test/roll': [{ json: SIGNED }],
    })
    expect(await holdfast.listZones()).toEqual([ZONE, SIGNED])
    expect(await holdfast.getZone('shop.test')).toEqual(ZONE)
    expect(seen.map(({ path }) => path)).toEqual(['/v1/zones', '/v1/zones/shop.test'])
    expect(await holdfast.changeZone('shop.test', 'roll')).toEqual(SIGNED)
    expect(seen.at(-1)!.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/)
  })

  test('of which the next is asked with what the one before said', async () => {
    const { client: holdfast, seen } = clientOf({
      'GET /v1/names?owner=me&limit=1': [{ json: { names: [NAME], next: 'cursor' } }],
      'GET /v1/names?owner=me&after=cursor': [{ json: { names: [], next: null } }],
    })
    expect(await holdfast.listNames({ limit: 1 })).toEqual({ names: [NAME], next: 'cursor' })
    expect(await holdfast.listNames({ after: 'cursor' })).toEqual({ names: [], next: null })
    expect(seen).toHaveLength(3)
  })
})
