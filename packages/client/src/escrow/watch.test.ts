import { expect, test } from 'vitest'
import { clientOf, SESSION, sessionOf } from '../testing/client-of.ts'
import { type Answer, NOW, problem } from '../testing/scripted-server.ts'

/** A stream of answers, and then its end. */
function stream(...answers: object[]): Answer {
  const events = answers.map((answer) => `event: next\ndata: ${JSON.stringify(answer)}\n\n`)
  const text = `${events.join('')}event: complete\ndata:\n\n`
  return { status: 200, text, headers: { 'content-type': 'text/event-stream' } }
}

const update = (resume: string, endedAt: number | null = null) => ({
  data: { taskUpdated: { task: { id: 'task', payoutMsat: '7', endedAt }, changes: [], resume } },
})
const declined = (code: string, status: number) => ({
  errors: [{ message: 'no', extensions: { code, status, hint: '', requestId: 'r', data: {} } }],
})

async function watch(answers: Record<string, Answer[]>, anonymous = false) {
  const { client, seen } = clientOf(answers, { anonymous })
  const troubles: string[] = []
  const amounts: bigint[] = []
  const watched = client.escrow.watchTask('task', { onTrouble: ({ code }) => troubles.push(code) })
  for await (const { task } of watched) amounts.push(task.payoutMsat)
  const asked = seen.filter(({ path }) => path === '/graphql')
  return { amounts, troubles, asked, sessions: seen.length - asked.length }
}

test('a session that ends while it is watched with is replaced, and the watch goes on', async () => {
  const { asked, ...seen } = await watch({
    'POST /v1/sessions': [SESSION, sessionOf('token-2', NOW + 7_200_000)],
    'POST /graphql': [stream(update('a'), declined('SESSION_INVALID', 401)), stream(update('b', 1))],
  })
  expect(seen).toEqual({ amounts: [7n, 7n], troubles: ['SESSION_INVALID'], sessions: 2 })
  expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2'])
  expect(asked.map(({ body }) => (body as { variables: object }).variables)).toEqual([
    { id: 'task', after: null },
    { id: 'task', after: 'a' },
  ])
})

test('without a signer it is watched as nobody', async () => {
  const { asked, sessions } = await watch({ 'POST /graphql': [stream(update('a', 1))] }, true)
  expect(sessions).toBe(0)
  expect(asked[0]?.headers).toMatchObject({ accept: 'text/event-stream' })
  expect(asked[0]?.headers).not.toHaveProperty('authorization')
})

test('a server that is not there, or too busy, is asked again', async () => {
  const { amounts, troubles } = await watch({
    'POST /graphql': ['broken', problem(503, 'OVERLOADED'), stream(update('a', 1))],
  })
  expect({ amounts, troubles }).toEqual({ amounts: [7n], troubles: ['NETWORK_FAILED', 'OVERLOADED'] })
})

test('what answers something else is no Holdfast server', async () => {
  const page = { status: 200, text: '<html>', headers: { 'content-type': 'text/html' } }
  await expect(watch({ 'POST /graphql': [page] })).rejects.toMatchObject({ code: 'RESPONSE_INVALID' })
})

test.each([200, 400])('what is declined before there is a stream is said, with status %i', async (status) => {
  const json = declined('ESCROW_NOT_FOUND', 404)
  const answer = { status, json, headers: { 'content-type': 'application/json' } }
  await expect(watch({ 'POST /graphql': [answer] })).rejects.toMatchObject({ code: 'ESCROW_NOT_FOUND' })
})
