import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, planOf, taskClient } from './testing/task-client.ts'

/** What is answered before and around the resolvers. */
const database = withDatabase()
let world: GraphqlWorld
let client: ReturnType<typeof taskClient>

beforeAll(async () => {
  world = await startGraphqlWorld(database)
  client = taskClient(world)
})
afterAll(() => world.close())

const QUOTE = '{ quote(payoutMsat: "1000000") { payoutMsat feeMsat fundingMsat } }'

async function post(body: string, headers: Record<string, string> = {}, path = '/graphql') {
  const response = await fetch(`${world.url}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  const text = await response.text()
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text,
    headers: response.headers,
  }
}

test('the fee is shown before anything is agreed, to everybody, also by GET', async () => {
  const quote = { payoutMsat: '1000000', feeMsat: '11000', fundingMsat: '1011000' }
  expect((await world.send(null, { query: QUOTE })).data).toEqual({ quote })
  const response = await fetch(`${world.url}/graphql?query=${encodeURIComponent(QUOTE)}`)
  expect(await response.json()).toEqual({ data: { quote } })
  expect(response.headers.get('x-request-id')).toMatch(/./)
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
})

describe('what is no query is answered as REST does', () => {
  test.each<[string, string, Record<string, string>, number, string]>([
    ['no JSON', '{', {}, 400, 'JSON_INVALID'],
    ['another type', QUOTE, { 'content-type': 'application/graphql' }, 415, 'CONTENT_TYPE_UNSUPPORTED'],
    [
      'a form',
      'query=1',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'CONTENT_TYPE_UNSUPPORTED',
    ],
    [
      'a body that is packed',
      JSON.stringify({ query: QUOTE }),
      { 'content-encoding': 'gzip' },
      415,
      'CONTENT_ENCODING_UNSUPPORTED',
    ],
    [
      'a text with U+0000',
      JSON.stringify({ query: QUOTE, variables: { a: 'b\u0000' } }),
      {},
      400,
      'REQUEST_INVALID',
    ],
    [
      'half a character',
      JSON.stringify({ query: QUOTE, variables: { a: '\udfff' } }),
      {},
      400,
      'REQUEST_INVALID',
    ],
    ['65 KiB', JSON.stringify({ query: QUOTE.padEnd(66_560) }), {}, 413, 'BODY_TOO_LARGE'],
  ])('%s', async (_, body, headers, status, code) => {
    const answer = await post(body, headers)
    expect(answer).toMatchObject({ status, type: expect.stringContaining('application/problem+json') })
    expect(JSON.parse(answer.text)).toMatchObject({ code, status, requestId: expect.any(String) })
  })
})

describe('so is a GET that cannot be answered', () => {
  const asked = `query=${encodeURIComponent(QUOTE)}`
  const subscription = `query=${encodeURIComponent('subscription { taskUpdated(id: "x") { resume } }')}`
  test.each<[string, string, string, number, string]>([
    ['variables that are no JSON', `${asked}&variables=%7B`, 'application/json', 400, 'JSON_INVALID'],
    [
      'one of two that is none',
      `${asked}&variables={}&variables=%7B`,
      'application/json',
      400,
      'JSON_INVALID',
    ],
    ['extensions that are none', `${asked}&extensions=x`, 'application/json', 400, 'JSON_INVALID'],
    ['a type that is not given', asked, 'text/plain', 406, 'ACCEPT_UNSUPPORTED'],
    ['a stream in pieces of another kind', subscription, 'multipart/form-data', 406, 'ACCEPT_UNSUPPORTED'],
  ])('%s', async (_, query, accept, status, code) => {
    const response = await fetch(`${world.url}/graphql?${query}`, { headers: { accept } })
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code])
  })
})

describe('what is wrong with a query is said in its errors', () => {
  test.each<[string, unknown]>([
    ['no query', {}],
    ['a query that is none', { query: 'hello' }],
    ['an empty one', { query: '' }],
    ['a field that there is not', { query: '{ preimage }' }],
    ['an unknown parameter', { query: QUOTE, batch: true }],
    ['several at once', [{ query: QUOTE }, { query: QUOTE }]],
    ['an operation that there is not', { query: `query a ${QUOTE}`, operationName: 'b' }],
    ['which of two is not said', { query: `query a ${QUOTE} query b ${QUOTE}` }],
    ['a missing variable', { query: 'query ($id: ID!) { task(id: $id) { id } }' }],
    ['too deep', { query: `{ ${'a{'.repeat(500)}a${'}'.repeat(500)} }` }],
    ['1,001 words', { query: `{ ${'__typename '.repeat(999)} }` }],
  ])('%s', async (_, body) => {
    const answer = await post(JSON.stringify(body))
    const { errors } = JSON.parse(answer.text)
    expect(errors.length).toBeGreaterThan(0)
    for (const { extensions } of errors) {
      expect(extensions).toMatchObject({ code: 'REQUEST_INVALID', requestId: expect.any(String) })
      expect(extensions).not.toHaveProperty('http')
    }
    expect(answer.text).not.toMatch(/node_modules|\.ts:/)
  })

  test('a mutation by GET changes nothing', async () => {
    const query = encodeURIComponent('mutation { publishTask(input: { taskId: "x" }) { replayed } }')
    const response = await fetch(`${world.url}/graphql?query=${query}`)
    expect(response.status).toBe(405)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'REQUEST_INVALID' } }] })
  })
})

test('a fault tells nothing but the requestId', async () => {
  const find = vi.spyOn(world.slice, 'find').mockRejectedValue(new Error('password=hunter2'))
  try {
    const query = '{ task(id: "00000000-0000-4000-8000-000000000000") { id } }'
    const { errors } = await world.send(null, { query }, { headers: { 'x-request-id': 'r-1' } })
    expect(errors).toEqual([
      {
        message: 'Something failed on our side.',
        path: ['task'],
        locations: [{ line: 1, column: 3 }],
        extensions: {
          code: 'INTERNAL',
          status: 500,
          hint: 'Tell the operator the requestId.',
          requestId: 'r-1',
          data: {},
        },
      },
    ])
  } finally {
    find.mockRestore()
  }
})

test('what custody there is can be asked, and no other is given', async () => {
  const { data } = await world.send(null, { query: '{ custodies }' })
  expect(data.custodies).toContain('HASH_LOCKED')
  const { buyer } = newParties()
  for (const custody of ['HASH_LOCKED', 'COORDINATED']) {
    const answer = await client.send(buyer, 'createTask', { custody, plan: planOf() }, 'task { custody }')
    if (data.custodies.includes(custody)) expect(answer.data).toEqual({ createTask: { task: { custody } } })
    else expect(answer.errors?.[0]?.extensions.code).toBe('ESCROW_CUSTODY_UNAVAILABLE')
  }
})

test('a wrong credential is refused also where none is needed', async () => {
  const { errors } = await world.send(null, { query: '{ tasks { nodes { id } } }' }, { token: 'x' })
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'SESSION_INVALID', status: 401 })
})

test('deadlines are told in blocks and in time', async () => {
  const parties = newParties()
  const { taskId } = await client.held(parties)
  const { milestone } = await client.read(
    null,
    taskId,
    `milestone(index: 0) { dueAt heldMsat deadlines {
      height blocksLeft dueHeight guardianHeight latestPayoutHeight deadlineHeight guardianActsAboutAt } }`,
  )
  const { deadlines } = milestone
  const heights = [
    deadlines.dueHeight,
    deadlines.guardianHeight,
    deadlines.latestPayoutHeight,
    deadlines.deadlineHeight,
  ]
  expect(heights).toEqual([...heights].sort((a, b) => a - b))
  expect(deadlines.blocksLeft).toBe(deadlines.guardianHeight - deadlines.height)
  expect(deadlines.guardianActsAboutAt).toBe(world.time.now + deadlines.blocksLeft * 600_000)
  expect(milestone.dueAt).toBe(world.time.now + planOf().milestones[0]!.workMs)
})

test('a node that has never answered is offline, not a fault of ours', async () => {
  const young = await startGraphqlWorld(database)
  try {
    young.node.offline = true
    const { errors } = await taskClient(young).send(newParties().buyer, 'createTask', { plan: planOf() })
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'NODE_OFFLINE', status: 503 })
  } finally {
    await young.close()
  }
})

test('a task can be read while the node has not answered since the start: only the heights are not known', async () => {
  const parties = newParties()
  const { taskId } = await client.held(parties)
  const young = await startGraphqlWorld(database)
  try {
    young.node.offline = true
    const { milestone } = await taskClient(young).read(
      parties.buyer,
      taskId,
      `milestone(index: 0) { phase invoiceNeededUntil deadlines { deadlineHeight height blocksLeft guardianActsAboutAt } }`,
    )
    expect(milestone).toEqual({
      phase: 'HELD',
      invoiceNeededUntil: expect.any(Number),
      deadlines: {
        deadlineHeight: expect.any(Number),
        height: null,
        blocksLeft: null,
        guardianActsAboutAt: null,
      },
    })
  } finally {
    await young.close()
  }
})

test('the connection stays usable after a body that nobody reads', async () => {
  const status = await new Promise((resolve, reject) => {
    const asked = request(
      `${world.url}/graphql`,
      { method: 'POST', headers: { 'content-type': 'text/plain' } },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      },
    )
    asked.on('error', reject)
    asked.end('hello')
  })
  expect(status).toBe(415)
})
