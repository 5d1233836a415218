import { afterEach, expect, test, vi } from 'vitest'
import { createHoldfastClient } from './index.ts'
import { BASE_URL, manualClock } from './testing/scripted-server.ts'
import { type Fetch, makeTransport } from './transport.ts'

afterEach(() => vi.unstubAllGlobals())

const NAME = { name: 'a@b', state: 'active', owner: 'ab', jobId: 'job', createdAt: 1 }
const call = { method: 'GET', path: 'v1/x' } as const
const transportOf = (fetch: Fetch) => makeTransport({ baseUrl: BASE_URL, fetch, clock: manualClock() })

test('the fetch of the platform is the default', async () => {
  const fetch = vi.fn(async () => Response.json(NAME))
  vi.stubGlobal('fetch', fetch)
  expect(await createHoldfastClient({ baseUrl: BASE_URL }).getName('a@b')).toEqual(NAME)
  expect(fetch).toHaveBeenCalledExactlyOnceWith(`${BASE_URL}/v1/names/a%40b`, expect.anything())
})

test('redirects are not followed: the token would go elsewhere', async () => {
  const fetch = vi.fn(async (_url: string, _init: RequestInit) => Response.json({}))
  await transportOf(fetch).send(call)
  expect(fetch.mock.calls[0]?.[1]).toMatchObject({ redirect: 'error' })
})

test('an answer that breaks off in the middle is asked for again', async () => {
  const half = () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"a":'))
        controller.error(new TypeError('terminated'))
      },
    })
  let asked = 0
  const transport = transportOf(async () => (++asked < 3 ? new Response(half()) : Response.json({ a: 1 })))
  expect(await transport.send(call)).toEqual({ a: 1 })
})

test('a problem that breaks off in the middle is asked for again', async () => {
  let asked = 0
  const transport = transportOf(async () => {
    if (++asked > 1) return Response.json({ a: 1 })
    const broken = new ReadableStream({
      start: (controller) => controller.error(new TypeError('terminated')),
    })
    return new Response(broken, { status: 400, headers: { 'content-type': 'application/problem+json' } })
  })
  expect(await transport.send(call)).toEqual({ a: 1 })
})

test('a caller that gives up while the answer arrives hears its own reason', async () => {
  const stop = new AbortController()
  const reason = new Error('the user went away')
  const transport = transportOf(async () => {
    const broken = new ReadableStream({
      start(controller) {
        stop.abort(reason)
        controller.error(reason)
      },
    })
    return new Response(broken)
  })
  await expect(transport.send({ ...call, signal: stop.signal })).rejects.toBe(reason)
})

test.each([
  ['7', 7000],
  ['3600', 60_000],
  ['-1', 200],
  ['Wed, 21 Oct 2026 07:28:00 GMT', 200],
])('retry-after: %s is a pause of %d ms', async (value, pause) => {
  const clock = manualClock()
  let asked = 0
  const fetch: Fetch = async () =>
    ++asked === 1 ? new Response('', { status: 503, headers: { 'retry-after': value } }) : Response.json({})
  await makeTransport({ baseUrl: BASE_URL, fetch, clock }).send(call)
  expect(clock.slept).toEqual([pause])
})

test('a signer that fails is not the network that fails', async () => {
  const failed = new Error('the user declined to sign')
  const transport = transportOf(async () => Response.json({}))
  const authorization = async () => {
    throw failed
  }
  await expect(transport.send({ ...call, authorization })).rejects.toBe(failed)
})
