import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, planOf, taskClient } from './testing/task-client.ts'

/** Signed, and once. */
const database = withDatabase({ maxConnections: 20 })
let world: GraphqlWorld
let client: ReturnType<typeof taskClient>

beforeAll(async () => {
  world = await startGraphqlWorld(database)
  client = taskClient(world)
})
afterAll(() => world.close())

const code = ({ errors }: Awaited<ReturnType<GraphqlWorld['send']>>) => errors?.[0]?.extensions.code ?? null

describe('the same request under the same key', () => {
  test('is done once, and answered with the task as it is now', async () => {
    const { buyer } = newParties()
    const how = { key: randomUUID(), token: await world.session(buyer) }
    const plan = planOf()
    const answer = 'task { id phase } replayed'
    const first = await client.send(null, 'createTask', { plan }, answer, how)
    const { id } = first.data.createTask.task
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    await client.mutate(buyer, 'publishTask', { taskId: id })
    const again = await client.send(null, 'createTask', { plan }, answer, how)
    expect(again.data).toEqual({ createTask: { task: { id, phase: 'OPEN' }, replayed: true } })
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })

  test('is done once also when it is sent 20 times at once', async () => {
    const { buyer } = newParties()
    const how = { key: randomUUID(), token: await world.session(buyer) }
    const plan = planOf()
    const send = () => client.send(null, 'createTask', { plan }, 'task { id }', how)
    const answers = await Promise.all(Array.from({ length: 20 }, send))
    const ids = answers.map(({ data }) => data?.createTask.task.id)
    expect(new Set(ids).size).toBe(1)
  })

  test('answers the invoice again that it has answered', async () => {
    const parties = newParties()
    const taskId = await client.assigned(parties)
    await client.invoice(parties, taskId)
    const how = { key: randomUUID(), token: await world.session(parties.buyer) }
    const fund = () =>
      client.mutate(null, 'fundMilestone', { taskId, milestone: 0 }, 'funding { invoice } replayed', how)
    const { funding } = await fund()
    expect(await fund()).toEqual({ funding, replayed: true })
    expect(funding.invoice).toMatch(/^lnbcrt/)
  })

  test('is refused again as it was, though it might be done by now', async () => {
    const parties = newParties()
    const taskId = await client.draft(parties)
    const how = { key: randomUUID(), token: await world.session(parties.buyer) }
    const input = { taskId, worker: parties.worker.owner }
    expect(code(await client.send(null, 'assignWorker', input, undefined, how))).toBe('ESCROW_WRONG_PHASE')
    await client.mutate(parties.buyer, 'publishTask', { taskId })
    await client.mutate(parties.worker, 'applyToTask', { taskId })
    const again = await client.send(null, 'assignWorker', input, undefined, how)
    expect(code(again)).toBe('ESCROW_WRONG_PHASE')
    expect(again.errors?.[0]?.extensions.data).toEqual({ phase: 'draft' })
    expect(again.headers.get('idempotency-replayed')).toBeNull()
  })

  test('is done when it could not be, because the node was away', async () => {
    const parties = newParties()
    const taskId = await client.assigned(parties)
    await client.invoice(parties, taskId)
    const how = { key: randomUUID(), token: await world.session(parties.buyer) }
    const fund = () => client.send(null, 'fundMilestone', { taskId, milestone: 0 }, 'replayed', how)
    world.node.offline = true
    try {
      expect(code(await fund())).toBe('NODE_OFFLINE')
    } finally {
      world.node.offline = false
    }
    expect((await fund()).data).toEqual({ fundMilestone: { replayed: false } })
  })
})

test('another request under the same key is refused', async () => {
  const { buyer } = newParties()
  const how = { key: randomUUID(), token: await world.session(buyer) }
  await client.send(null, 'createTask', { plan: planOf() }, 'task { id }', how)
  const other = await client.send(
    null,
    'createTask',
    { plan: planOf({ title: 'Another' }) },
    'task { id }',
    how,
  )
  expect(code(other)).toBe('IDEMPOTENCY_KEY_REUSED')
})

test.each(['', 'with space', 'a'.repeat(65)])('the key %j is refused', async (key) => {
  const { buyer } = newParties()
  expect(code(await client.send(buyer, 'createTask', { plan: planOf() }, 'task { id }', { key }))).toBe(
    'IDEMPOTENCY_KEY_REQUIRED',
  )
})

test('an event that was signed for another body, or used before, is refused', async () => {
  const { buyer } = newParties()
  const headers = {
    authorization: world.signed(buyer, '{"query":"{ quote(payoutMsat: \\"1\\") { feeMsat } }"}'),
  }
  const stolen = await client.send(null, 'createTask', { plan: planOf() }, 'task { id }', { headers })
  expect(code(stolen)).toBe('AUTH_EVENT_MISMATCH')
  const query = '{ tasks(filter: { role: BUYER }) { nodes { id } } }'
  const once = { headers: { authorization: world.signed(buyer, JSON.stringify({ query })) } }
  expect(code(await world.send(null, { query }, once))).toBeNull()
  expect(code(await world.send(null, { query }, once))).toBe('AUTH_EVENT_REPLAYED')
})

test('the journal names who asked, the request, and the event that was signed for it', async () => {
  const { buyer } = newParties()
  const headers = { 'x-request-id': 'the-request-1' }
  const { task } = await client.mutate(buyer, 'createTask', { plan: planOf() }, 'task { id }', { headers })
  const [entry] = await world.entriesOf(task.id)
  expect(entry).toMatchObject({
    kind: 'escrow.create',
    actor: buyer.owner,
    data: { requestId: 'the-request-1', signedRequest: expect.stringMatching(/^[0-9a-f]{64}$/) },
  })
  const kept = await database.db
    .selectFrom('signed_request')
    .select('event')
    .where('id', '=', Buffer.from(String(entry?.data.signedRequest), 'hex'))
    .executeTakeFirst()
  expect(kept?.event).toMatchObject({ pubkey: buyer.owner, kind: 27235 })
})

test('200 approve, cancel and give back at once, in two sessions: one outcome', async () => {
  const parties = newParties()
  const { taskId } = await client.held(parties)
  const input = { taskId, milestone: 0 }
  const [buyer, worker] = await Promise.all([world.session(parties.buyer), world.session(parties.worker)])
  const wishes = [
    () => client.send(null, 'approveMilestone', input, 'replayed', { token: buyer }),
    () => client.send(null, 'refundMilestone', input, 'replayed', { token: worker }),
    () => client.send(null, 'cancelTask', { taskId }, 'replayed', { token: buyer }),
  ] as const
  const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => wishes[at % 3]!()))
  expect(answers.filter(({ errors }) => !errors)).toHaveLength(1)
  // On a slow machine some do not get a connection in time: those were not asked at all.
  const refusals = ['ESCROW_WRONG_PHASE', 'ESCROW_FUNDED', 'OVERLOADED']
  expect(
    answers
      .filter(({ errors }) => errors)
      .map(code)
      .filter((one) => !refusals.includes(`${one}`)),
  ).toEqual([])
  const kinds = (await world.entriesOf(taskId)).map(({ kind }) => kind)
  const ends = ['escrow.approve', 'escrow.refund', 'escrow.cancel']
  expect(kinds.filter((kind) => ends.includes(kind))).toHaveLength(1)
  world.node.payeeAnswers(true)
  await world.slice.follow()
  const isApproved = kinds.includes('escrow.approve')
  await expect
    .poll(() => client.read(parties.buyer, taskId, 'milestones { phase }'))
    .toEqual({ milestones: [{ phase: isApproved ? 'RELEASED' : 'REFUNDED' }] })
  expect(await world.replayed(taskId)).toEqual(await world.read(taskId))
})
