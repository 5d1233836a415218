import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, planOf, taskClient } from './testing/task-client.ts'

const database = withDatabase()
let world: GraphqlWorld
let client: ReturnType<typeof taskClient>

beforeAll(async () => {
  world = await startGraphqlWorld(database, { handlerTimeoutMs: HANDLER_TIMEOUT_MS })
  client = taskClient(world)
})
afterAll(() => world.close())

/** Short, so that a subscription outlives it; long enough for every mutation of these tests. */
const HANDLER_TIMEOUT_MS = 3_000

const TASK = `subscription ($id: ID!, $after: String) {
  taskUpdated(id: $id, after: $after) { task { phase milestones { phase } } changes { seq kind actor } resume }
}`
const PROTOCOL = 'graphql-transport-ws'
const MILESTONE = `subscription ($id: ID!, $after: String) {
  milestoneUpdated(taskId: $id, milestone: 0, after: $after) { milestone { phase } resume }
}`

// biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for
type Update = any
type Wish = { query?: string; id: string; after?: string; token?: string; from?: GraphqlWorld }
type Following = { updates: Update[]; end(): Promise<void>; ended: Promise<void> }

function overSocket({ query = TASK, id, after, token, from = world }: Wish): Following {
  const socket = createClient({
    url: `${from.url.replace('http', 'ws')}/graphql`,
    ...(token && { connectionParams: { token } }),
    retryAttempts: 0,
  })
  const updates: Update[] = []
  const ended = new Promise<void>((resolve) => {
    socket.subscribe(
      { query, variables: { id, after } },
      {
        next: (update) => updates.push(update),
        error: (error) => {
          updates.push({ errors: error })
          resolve()
        },
        complete: resolve,
      },
    )
  })
  return { updates, ended, end: async () => socket.dispose() }
}

function overEvents({ query = TASK, id, after, token, from = world }: Wish): Following {
  const updates: Update[] = []
  const stop = new AbortController()
  const url = new URL('/graphql', from.url)
  url.search = `${new URLSearchParams({ query, variables: JSON.stringify({ id, after }) })}`
  const read = async () => {
    const headers = { accept: 'text/event-stream', ...(token && { authorization: `Bearer ${token}` }) }
    const response = await fetch(url, { headers, signal: stop.signal })
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const events = text.split('\n\n')
      text = events.pop()!
      for (const event of events) {
        const data = /^data: (.+)$/m.exec(event)?.[1]
        if (data) updates.push(JSON.parse(data))
      }
    }
  }
  const ended = read().catch(() => undefined)
  return {
    updates,
    ended,
    end: async () => {
      stop.abort()
      await ended
    },
  }
}

const phases = ({ updates }: Following) =>
  updates.map(({ data }) => data?.taskUpdated?.task.phase ?? data?.milestoneUpdated?.milestone.phase)

describe.each([
  ['WebSocket', overSocket],
  ['Server-Sent Events', overEvents],
])('over %s', (_, follow) => {
  test('a task is followed from where it is, change by change', async () => {
    const parties = newParties()
    const id = await client.open(parties)
    const following = follow({ id })
    await expect.poll(() => phases(following)).toEqual(['OPEN'])
    await client.mutate(parties.worker, 'applyToTask', { taskId: id })
    await client.mutate(parties.buyer, 'assignWorker', { taskId: id, worker: parties.worker.owner })
    await expect.poll(() => phases(following).at(-1)).toBe('ASSIGNED')
    const changes = following.updates.flatMap(({ data }) => data.taskUpdated.changes)
    expect(changes).toEqual([
      { seq: 3, kind: 'apply', actor: null },
      { seq: 4, kind: 'assign', actor: null },
    ])
    await following.end()
  })

  test('who comes back with the last token misses nothing', async () => {
    const parties = newParties()
    const id = await client.open(parties)
    const token = await world.session(parties.buyer)
    const before = follow({ id, token })
    await expect.poll(() => before.updates).toHaveLength(1)
    const after = before.updates[0].data.taskUpdated.resume
    await before.end()
    await client.mutate(parties.worker, 'applyToTask', { taskId: id })
    await client.mutate(parties.buyer, 'assignWorker', { taskId: id, worker: parties.worker.owner })
    const again = follow({ id, after, token })
    await expect
      .poll(() => again.updates.flatMap(({ data }) => data.taskUpdated.changes))
      .toEqual([
        { seq: 3, kind: 'apply', actor: parties.worker.owner },
        { seq: 4, kind: 'assign', actor: parties.buyer.owner },
      ])
    const last = again.updates.at(-1).data.taskUpdated.resume
    await again.end()
    const still = follow({ id, after: last, token })
    await client.mutate(parties.buyer, 'cancelTask', { taskId: id })
    await expect.poll(() => phases(still).at(-1)).toBe('CANCELLED')
    expect(still.updates.at(-1).data.taskUpdated.changes).toMatchObject([{ kind: 'cancel' }])
    await still.end()
  })

  test('a token is good in the next life of the server, too', async () => {
    const parties = newParties()
    const id = await client.open(parties)
    const one = await startGraphqlWorld(database)
    const before = follow({ id, from: one })
    await expect.poll(() => before.updates).toHaveLength(1)
    const after = before.updates[0].data.taskUpdated.resume
    await one.close()
    await before.ended
    await client.mutate(parties.worker, 'applyToTask', { taskId: id })
    const other = await startGraphqlWorld(database)
    try {
      const again = follow({ id, after, from: other })
      await expect
        .poll(() => again.updates.flatMap(({ data }) => data.taskUpdated.changes))
        .toEqual([{ seq: 3, kind: 'apply', actor: null }])
      await again.end()
    } finally {
      await other.close()
    }
  })

  test('a milestone is told only when it has changed', async () => {
    const parties = newParties()
    const id = await client.open(parties)
    const following = follow({ query: MILESTONE, id, token: await world.session(parties.buyer) })
    await expect.poll(() => phases(following)).toEqual(['PLANNED'])
    await client.mutate(parties.worker, 'applyToTask', { taskId: id })
    await client.mutate(parties.buyer, 'assignWorker', { taskId: id, worker: parties.worker.owner })
    const { paymentHash } = await client.invoice(parties, id)
    await client.mutate(parties.buyer, 'fundMilestone', { taskId: id, milestone: 0 })
    world.node.buyerPays(paymentHash)
    await world.slice.follow()
    await expect.poll(() => phases(following).at(-1)).toBe('HELD')
    expect(phases(following).filter((phase, at, all) => phase === all[at - 1])).not.toContain('PLANNED')
    await following.end()
  })

  test('each update tells how high the chain is at its own time', async () => {
    const parties = newParties()
    const { taskId } = await client.held(parties)
    const query = MILESTONE.replace('milestone { phase }', 'milestone { phase deadlines { height } }')
    const following = follow({ query, id: taskId })
    await expect.poll(() => following.updates).toHaveLength(1)
    world.node.height += 3
    await world.slice.guard()
    await client.mutate(parties.worker, 'submitProof', { taskId, milestone: 0, text: 'Done.' })
    await expect.poll(() => following.updates).toHaveLength(2)
    const [before, after] = following.updates.map(
      ({ data }) => data.milestoneUpdated.milestone.deadlines.height,
    )
    expect(after).toBe(before + 3)
    await following.end()
  })

  test.each<[string, (parties: ReturnType<typeof newParties>, id: string) => Promise<Partial<Wish>>, string]>(
    [
      [
        'a task that there is not',
        async () => ({ id: '00000000-0000-4000-8000-000000000000' }),
        'ESCROW_NOT_FOUND',
      ],
      [
        'a draft of somebody else',
        async (parties) => ({ id: await client.draft(parties) }),
        'ESCROW_NOT_FOUND',
      ],
      ['a token that we did not give', async () => ({ after: 'bm90IG91cnM' }), 'RESUME_TOKEN_INVALID'],
      [
        'a token from the future',
        async () => ({ after: Buffer.from('escrow 99').toString('base64url') }),
        'RESUME_TOKEN_INVALID',
      ],
      [
        'a milestone that there is not',
        async () => ({ query: MILESTONE.replace('milestone: 0', 'milestone: 7') }),
        'ESCROW_NOT_FOUND',
      ],
      ['a session that there is not', async () => ({ token: 'A'.repeat(43) }), 'SESSION_INVALID'],
      [
        'a query in which a field is wrong',
        async () => ({ query: TASK.replace('resume', 'preimage') }),
        'REQUEST_INVALID',
      ],
    ],
  )('%s is refused', async (_name, wish, code) => {
    const parties = newParties()
    const id = await client.open(parties)
    const following = follow({ id, ...(await wish(parties, id)) })
    await expect
      .poll(() => following.updates[0]?.errors?.[0]?.extensions)
      .toMatchObject({ code, requestId: expect.any(String), status: expect.any(Number) })
    await following.ended
  })

  test('ends with SESSION_INVALID when the session ends', async () => {
    const parties = newParties()
    const id = await client.open(parties)
    const token = await world.session(parties.buyer)
    const following = follow({ id, token })
    await expect.poll(() => following.updates).toHaveLength(1)
    await fetch(`${world.url}/v1/sessions`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    })
    await client.mutate(parties.worker, 'applyToTask', { taskId: id })
    await following.ended
    expect(following.updates[1].errors[0].extensions.code).toBe('SESSION_INVALID')
  })

  test('lasts longer than a request may', async () => {
    const parties = newParties()
    const id = await client.open(parties)
    const following = follow({ id })
    await expect.poll(() => following.updates).toHaveLength(1)
    await sleep(HANDLER_TIMEOUT_MS + 500)
    await client.mutate(parties.worker, 'applyToTask', { taskId: id })
    await expect.poll(() => following.updates).toHaveLength(2)
    await following.end()
  })

  test('ends when the server stops, which does not wait for it', async () => {
    const stopping = await startGraphqlWorld(database)
    const id = await client.open(newParties())
    const following = follow({ id, from: stopping })
    await expect.poll(() => following.updates).toHaveLength(1)
    await stopping.close()
    await following.ended
  })

  test('who leaves is forgotten, also while nothing happens', async () => {
    const parties = newParties()
    const id = await client.open(parties)
    const following = follow({ id })
    await expect.poll(() => following.updates).toHaveLength(1)
    expect(world.feed.watched()).toContain(id)
    await following.end()
    await expect.poll(() => world.feed.watched()).not.toContain(id)
  })
})

test('a subscription that may not be answered with a stream is refused', async () => {
  const id = await client.open(newParties())
  const query = encodeURIComponent(`subscription { taskUpdated(id: "${id}") { resume } }`)
  const headers = { accept: 'application/json' }
  expect((await fetch(`${world.url}/graphql?query=${query}`, { headers })).status).toBe(406)
})

/** The answer, of which nothing is read yet, on a connection that the client would keep. */
function eventsOf(query: string): Promise<IncomingMessage> {
  const url = `${world.url}/graphql?query=${encodeURIComponent(query)}`
  const agent = new Agent({ keepAlive: true })
  return new Promise((resolve, reject) => {
    const asked = get(url, { headers: { accept: 'text/event-stream' }, agent })
    asked.once('response', resolve).once('error', reject)
  })
}

test.each([
  ['without a key', { 'sec-websocket-version': '13' }],
  ['of another version', { 'sec-websocket-version': '12', 'sec-websocket-key': btoa('sixteen bytes of') }],
])('a handshake %s is refused as a problem, which names the version that is spoken', async (_, headers) => {
  const asked = get(`${world.url}/graphql`, {
    headers: { connection: 'upgrade', upgrade: 'websocket', ...headers },
  })
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  expect(response).toMatchObject({
    statusCode: 400,
    headers: { 'content-type': 'application/problem+json', 'sec-websocket-version': '13' },
  })
  expect(await json(response)).toMatchObject({ code: 'REQUEST_INVALID' })
})

test('the connection of a stream is not kept, because the end of the server would wait for it', async () => {
  const id = await client.open(newParties())
  const response = await eventsOf(`subscription { taskUpdated(id: "${id}") { resume } }`)
  expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', connection: 'close' })
  response.destroy()
})

test('a reader that is slow is told several changes at once, and nothing is kept for it meanwhile', async () => {
  const parties = newParties()
  const id = await client.open(parties)
  const wide = Array.from({ length: 25 }, (_, at) => `d${at}: description`).join(' ')
  const query = `subscription { taskUpdated(id: "${id}") { task { ${wide} } changes { seq } } }`
  const response = await eventsOf(query)
  // 25 times 16 KB each, which is more than the sockets between the two take.
  const CHANGES = 60
  const description = 'a'.repeat(16_000)
  for (let at = 0; at < CHANGES; at++)
    await client.mutate(parties.buyer, 'updateTask', {
      taskId: id,
      plan: planOf({ description: `${at} ${description}` }),
    })
  const told: number[][] = []
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    const events = `${text}${chunk}`.split('\n\n')
    text = events.pop() ?? ''
    for (const data of events.flatMap((event) => /^data: (.+)$/m.exec(event)?.[1] ?? []))
      told.push(JSON.parse(data).data.taskUpdated.changes.map(({ seq }: { seq: number }) => seq))
    if (told.flat().at(-1) === CHANGES + 2) break
  }
  expect(told.flat()).toEqual(Array.from({ length: CHANGES }, (_, at) => at + 3))
  expect(told.length).toBeLessThan(CHANGES)
})

const FIRST = { type: 'connection_init' }
const subscribe = (id: string) => ({
  type: 'subscribe',
  id,
  payload: { query: TASK, variables: { id: 'x' } },
})

describe('a WebSocket is closed', () => {
  test.each<[string, (string | object)[], string | undefined, number]>([
    ['that does not speak the protocol', [], undefined, 4406],
    ['that says nothing', [], PROTOCOL, 4408],
    ['whose first message is another', [subscribe('1')], PROTOCOL, 4401],
    ['that begins twice', [FIRST, FIRST], PROTOCOL, 4429],
    ['that says what is no JSON', ['{'], PROTOCOL, 4400],
    ['whose token is no text', [{ ...FIRST, payload: { token: 7 } }], PROTOCOL, 4403],
    ['that says too much at once', ['x'.repeat(65_537)], PROTOCOL, 1009],
  ])('%s', async (_, messages, protocol, code) => {
    const socket = new WebSocket(`${world.url.replace('http', 'ws')}/graphql`, protocol)
    const closed = new Promise<number>((resolve) => {
      socket.onclose = (event) => resolve(event.code)
    })
    socket.onopen = () => {
      for (const message of messages)
        socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    }
    expect(await closed).toBe(code)
  })
})

test('a WebSocket carries no queries and no mutations', async () => {
  const id = await client.open(newParties())
  const following = overSocket({ id, query: 'query ($id: ID!) { task(id: $id) { id } }' })
  await expect.poll(() => following.updates[0]?.errors?.[0]?.extensions.code).toBe('REQUEST_INVALID')
})
