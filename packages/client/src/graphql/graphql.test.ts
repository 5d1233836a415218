import { describe, expect, test } from 'vitest'
import { clientOf } from '../testing/client-of.ts'
import { problem } from '../testing/scripted-server.ts'
import { readEvents } from './server-sent-events.ts'

const QUOTE = { data: { quote: { payoutMsat: '1000', feeMsat: '10', fundingMsat: '1010' } } }
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }

function declined(code: string, status: number, data: object = {}) {
  const extensions = { code, status, hint: 'Do this.', requestId: 'req-1', data }
  return {
    status: 200,
    json: { data: null, errors: [{ message: 'It is so.', extensions }] },
    headers: JSON_TYPE,
  }
}

describe('an answer', () => {
  test('has its amounts as bigint, also within lists', async () => {
    const { client, seen } = clientOf({ 'POST /graphql': [{ json: QUOTE }] })
    expect(await client.escrow.quote(1_000n)).toEqual({
      payoutMsat: 1_000n,
      feeMsat: 10n,
      fundingMsat: 1_010n,
    })
    expect(seen.at(-1)?.body).toMatchObject({ variables: { payoutMsat: '1000' } })
  })

  test.each([
    ['no amount where one should be', { data: { quote: { payoutMsat: '-1' } } }],
    ['nothing of GraphQL', { hello: 'world' }],
    ['a text', 'hello'],
    ['an error without a code', { errors: [{ message: 'no' }] }],
    ['an error that is none', { errors: ['no'] }],
  ])('with %s is not one of the server', async (_what, json) => {
    const { client } = clientOf({ 'POST /graphql': [{ json }] }, { anonymous: true })
    await expect(client.escrow.quote(1n)).rejects.toMatchObject({ code: 'RESPONSE_INVALID' })
  })

  test('that declines says why, what to do, and what the code adds', async () => {
    const answer = declined('ESCROW_WRONG_PHASE', 409, { phase: 'held' })
    const { client, seen } = clientOf({ 'POST /graphql': [answer] })
    await expect(client.escrow.approveMilestone({ taskId: 'x', milestone: 0 })).rejects.toMatchObject({
      code: 'ESCROW_WRONG_PHASE',
      status: 409,
      title: 'It is so.',
      detail: 'Do this.',
      requestId: 'req-1',
      data: { phase: 'held' },
    })
    expect(seen.filter(({ path }) => path === '/graphql')).toHaveLength(1)
  })

  test('of status 400 is read as well, and a problem document before the query was read', async () => {
    const wrong = { ...declined('REQUEST_INVALID', 400), status: 400 }
    const { client } = clientOf({ 'POST /graphql': [wrong, problem(413, 'BODY_TOO_LARGE')] })
    await expect(client.escrow.quote(1n)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    await expect(client.escrow.quote(1n)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' })
  })
})

describe('what may turn out otherwise is asked again', () => {
  test('with one key for all attempts of a mutation', async () => {
    const payload = { data: { publishTask: { task: { id: 'x' }, replayed: false } } }
    const { client, seen } = clientOf({
      'POST /graphql': [
        'broken',
        declined('NODE_OFFLINE', 503),
        declined('IDEMPOTENCY_IN_PROGRESS', 409),
        { json: payload },
      ],
    })
    await client.escrow.publishTask({ taskId: 'x' })
    const asked = seen.filter(({ path }) => path === '/graphql')
    expect(asked).toHaveLength(4)
    expect(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  })

  test('with another session when the server no longer knows the first', async () => {
    const { client, seen } = clientOf({
      'POST /graphql': [declined('SESSION_INVALID', 401), { json: QUOTE }],
    })
    await client.escrow.quote(1n)
    expect(seen.map(({ path }) => path)).toEqual(['/v1/sessions', '/graphql', '/v1/sessions', '/graphql'])
  })
})

describe('a stream of events', () => {
  const streamOf = (...chunks: string[]) =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
          controller.close()
        },
      }),
      { headers: { 'content-type': 'text/event-stream; charset=utf-8' } },
    )
  const never = new AbortController().signal
  const eventsOf = async (response: Response) => {
    const events = []
    for await (const event of readEvents(response, never)) events.push(event)
    return events
  }

  test('is read whatever its line ends and however it is cut', async () => {
    const whole =
      ': hello\n\nevent: next\ndata: {"a":1}\n\nevent: next\r\ndata: x\r\ndata: y\r\n\r\ndata\n\n:\n\nevent: complete\n\n'
    const expected = [
      { event: 'next', data: '{"a":1}' },
      { event: 'next', data: 'x\ny' },
      { event: 'message', data: '' },
      { event: 'complete', data: '' },
    ]
    expect(await eventsOf(streamOf(whole))).toEqual(expected)
    expect(await eventsOf(streamOf(...whole))).toEqual(expected)
    expect(await eventsOf(streamOf('event: next\ndata: unfinished'))).toEqual([])
  })

  test('keeps a character whole that two chunks share', async () => {
    const bytes = new TextEncoder().encode('data: ₿\n\n')
    const halves = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, 7))
        controller.enqueue(bytes.slice(7))
        controller.close()
      },
    })
    const response = new Response(halves, { headers: { 'content-type': 'text/event-stream' } })
    expect(await eventsOf(response)).toEqual([{ event: 'message', data: '₿' }])
  })

  test('that breaks is a network that failed; something else is no stream', async () => {
    const breaking = new ReadableStream({
      start: (controller) => controller.error(new TypeError('terminated')),
    })
    const response = new Response(breaking, { headers: { 'content-type': 'text/event-stream' } })
    await expect(eventsOf(response)).rejects.toMatchObject({ code: 'NETWORK_FAILED' })
    await expect(eventsOf(new Response('<html>'))).rejects.toMatchObject({ code: 'RESPONSE_INVALID' })
  })

  test('is left when its signal is aborted', async () => {
    const stop = new AbortController()
    let cancelled: unknown
    const endless = new ReadableStream({
      cancel: (reason) => {
        cancelled = reason
      },
    })
    const response = new Response(endless, { headers: { 'content-type': 'text/event-stream' } })
    const next = readEvents(response, stop.signal).next()
    stop.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
    expect(cancelled).toMatchObject({ message: 'enough' })
  })
})
