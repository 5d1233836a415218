import { randomUUID } from 'node:crypto'
import type { AuthEvent } from '@holdfast/protocols/nip98'
import { verifyEvent } from 'nostr-tools/pure'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import {
  change,
  type IdentityWorld,
  newDevice,
  openSession,
  sign,
  startIdentityWorld,
} from './testing/identity-world.ts'

const database = withDatabase()
let now = 0
let world: IdentityWorld
let alice = newDevice()

beforeEach(async () => {
  now = 1_800_000_000_000
  alice = newDevice()
  world = await startIdentityWorld(database, { clock: () => now })
  world.work = async (tx, owner) => {
    const entry = { stream: 'test', kind: 'test.done', data: { text: 'x' }, actor: owner }
    tx.append({ ...entry, entityId: randomUUID() })
    tx.append({ ...entry, entityId: randomUUID() })
    return { status: 201, body: { owner } }
  }
})

afterEach(() => world.close())

const entriesOfAlice = async () =>
  (await database.db.selectFrom('journal').select('data').where('actor', '=', alice.owner).execute()).map(
    ({ data }) => data,
  )

/** The events that are kept of Alice. */
async function keptEvents(): Promise<AuthEvent[]> {
  const rows = await database.db.selectFrom('signed_request').select(['id', 'event']).execute()
  for (const { id, event } of rows) expect(Buffer.from(id).toString('hex')).toBe(event.id)
  return rows.map(({ event }) => event).filter(({ pubkey }) => pubkey === alice.owner)
}

const eventOf = (authorization: string): AuthEvent =>
  JSON.parse(Buffer.from(authorization.slice('Nostr '.length), 'base64').toString())

/** Opens a session with a header of our own, so that its event is known. */
async function openKnownSession() {
  const authorization = sign(alice, { method: 'POST', url: '/v1/sessions', now })
  const answer = await world.app.inject({ method: 'POST', url: '/v1/sessions', headers: { authorization } })
  return { token: answer.json<{ token: string }>().token, event: eventOf(authorization) }
}

describe('an entry of a signed request', () => {
  test('says which event authorized it, and in which request; the event is kept and can be verified', async () => {
    const body = '{"amountMsat":"1"}'
    const authorization = sign(alice, { method: 'POST', url: '/change', body, now })
    const answer = await world.app.inject({
      ...{ method: 'POST', url: '/change', body },
      headers: { authorization, 'idempotency-key': 'k', 'content-type': 'application/json' },
    })
    expect(answer.statusCode).toBe(201)
    const event = eventOf(authorization)
    const said = { text: 'x', requestId: answer.headers['x-request-id'], signedRequest: event.id }
    expect(await entriesOfAlice()).toEqual([said, said])
    expect(await keptEvents()).toEqual([event])
    expect(verifyEvent((await keptEvents())[0] as never)).toBe(true)
  })

  test('is not told of, and no event kept, when the request was refused or wrote nothing', async () => {
    world.work = async (tx, actor) => {
      tx.append({ stream: 'test', entityId: 'x', kind: 'test.done', data: {}, actor })
      return { refused: 'NAME_TAKEN', data: {} } as never
    }
    await change(world, alice)
    now += 1000
    world.work = async (_tx, owner) => ({ status: 201, body: { owner } })
    expect((await change(world, alice)).statusCode).toBe(201)
    expect([await entriesOfAlice(), await keptEvents()]).toEqual([[], []])
  })

  test('is not written again, nor its event, by a repetition that was signed anew', async () => {
    await change(world, alice, { key: 'k' })
    now += 1000
    expect((await change(world, alice, { key: 'k' })).headers['idempotency-replayed']).toBe('true')
    expect(await entriesOfAlice()).toHaveLength(2)
    expect(await keptEvents()).toHaveLength(1)
  })

  test('whose event holds what JSON of PostgreSQL does not take is written all the same', async () => {
    const odd = sign(alice, { method: 'POST', url: '/v1/sessions', now, salt: '\u0000 "\\u0000"' })
    const headers = { authorization: odd }
    const answer = await world.app.inject({ method: 'POST', url: '/v1/sessions', headers })
    expect((await change(world, { token: answer.json<{ token: string }>().token })).statusCode).toBe(201)
    expect(await keptEvents()).toEqual([eventOf(odd)])
  })
})

describe('an entry of a request with a session’s token', () => {
  test('says which event opened the session, which is kept once', async () => {
    const { token, event } = await openKnownSession()
    expect(await keptEvents()).toEqual([])
    await change(world, { token })
    await change(world, { token })
    const [first, , second] = await entriesOfAlice()
    expect([first?.signedRequest, second?.signedRequest]).toEqual([event.id, event.id])
    expect(first?.requestId).not.toBe(second?.requestId)
    expect(await keptEvents()).toEqual([event])
  })

  test('also when 20 requests of the session are the first at once', async () => {
    const { token, event } = await openKnownSession()
    const answers = await Promise.all(Array.from({ length: 20 }, () => change(world, { token })))
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([201]))
    expect(new Set((await entriesOfAlice()).map((data) => data.signedRequest))).toEqual(new Set([event.id]))
    expect(await keptEvents()).toEqual([event])
  })

  test('keeps its event when the session has ended', async () => {
    const { token, event } = await openKnownSession()
    await change(world, { token })
    now += 3_600_000
    await world.identity.sweep()
    expect(await keptEvents()).toEqual([event])
  })
})

test('an edge that words its answers itself journals the same', async () => {
  const seen: string[] = []
  world.app.post('/perform', async (request) => {
    await world.identity.perform(request, {
      prepare: async () => null,
      async work(tx, actor) {
        tx.append({ stream: 'test', entityId: randomUUID(), kind: 'test.done', data: {}, actor })
        return 'done'
      },
    })
    seen.push(request.id)
    return {}
  })
  const send = (authorization: string, key: string) =>
    world.app.inject({
      ...{ method: 'POST', url: '/perform' },
      headers: { authorization, 'idempotency-key': key },
    })
  const { session } = await openSession(world, alice)
  const direct = sign(alice, { method: 'POST', url: '/perform', now })
  await send(direct, 'a')
  await send(`Bearer ${session.token}`, 'b')
  const entries = await entriesOfAlice()
  expect(entries.map(({ requestId }) => requestId).sort()).toEqual(seen.sort())
  const kept = await keptEvents()
  expect(kept.map(({ id }) => id)).toContain(eventOf(direct).id)
  expect(entries.map(({ signedRequest }) => signedRequest).sort()).toEqual(kept.map(({ id }) => id).sort())
})

describe('a kept event', () => {
  test.each([
    'update signed_request set first_used_at = now()',
    'delete from signed_request',
    'truncate signed_request',
  ])('can be changed neither by the server nor by the owner of the table: %s', async (statement) => {
    await change(world, alice)
    await expect(database.pool.query(statement)).rejects.toMatchObject({ code: '42501' })
    await expect(database.queryAsOwner(statement)).rejects.toThrow('append-only')
    expect(await keptEvents()).toHaveLength(1)
  })
})
