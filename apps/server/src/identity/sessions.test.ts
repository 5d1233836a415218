import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import {
  type IdentityWorld,
  newDevice,
  openSession,
  read,
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
})

afterEach(() => world.close())

describe('a session', () => {
  const end = (authorization: string) =>
    world.app.inject({ method: 'DELETE', url: '/v1/sessions', headers: { authorization } })

  test('speaks for who opened it, until it ends', async () => {
    const { response, session } = await openSession(world, alice)
    expect(response.statusCode).toBe(201)
    expect(session).toEqual({
      token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      expiresAt: now + 15 * 60_000,
      owner: alice.owner,
    })
    expect((await read(world, `bearer ${session.token}`)).json()).toEqual({ owner: alice.owner })
    expect(await world.identity.ownerOfToken(session.token)).toBe(alice.owner)
    now += 15 * 60_000 - 1
    expect((await read(world, `Bearer ${session.token}`)).statusCode).toBe(200)
    now += 1
    expect((await read(world, `Bearer ${session.token}`)).json()).toMatchObject({ code: 'SESSION_INVALID' })
    expect(await world.identity.ownerOfToken(session.token)).toBeNull()
  })

  test('does not survive its revocation; others of the key do', async () => {
    const [first, second] = [
      (await openSession(world, alice)).session,
      await later(() => openSession(world, alice)),
    ]
    expect((await end(`Bearer ${first.token}`)).statusCode).toBe(204)
    expect((await read(world, `Bearer ${first.token}`)).statusCode).toBe(401)
    expect((await end(`Bearer ${first.token}`)).statusCode).toBe(401)
    expect((await read(world, `Bearer ${second.session.token}`)).statusCode).toBe(200)
  })

  test('ends with all others of the key by a signed request, and only of that key', async () => {
    const bob = newDevice()
    const sessions = [
      (await openSession(world, alice)).session,
      (await later(() => openSession(world, alice))).session,
      (await openSession(world, bob)).session,
    ]
    expect((await end(sign(alice, { method: 'DELETE', url: '/v1/sessions', now }))).statusCode).toBe(204)
    const statuses = await Promise.all(sessions.map(({ token }) => read(world, `Bearer ${token}`)))
    expect(statuses.map(({ statusCode }) => statusCode)).toEqual([401, 401, 200])
  })

  test('cannot prolong itself', async () => {
    const { session } = await openSession(world, alice)
    const headers = { authorization: `Bearer ${session.token}` }
    const again = await world.app.inject({ method: 'POST', url: '/v1/sessions', headers })
    expect(again.json()).toMatchObject({ code: 'AUTH_REQUIRED' })
  })

  test('leaves no token in the database', async () => {
    const { session } = await openSession(world, alice)
    const rows = JSON.stringify(await database.db.selectFrom('session').selectAll().execute())
    expect(rows).toContain(alice.owner)
    expect(rows).not.toContain(session.token)
    expect(rows).not.toContain(JSON.stringify([...Buffer.from(session.token, 'base64url')]).slice(1, -1))
  })

  test('can be shorter', async () => {
    const brief = await startIdentityWorld(database, { clock: () => now, sessionTtlMs: 1000 })
    expect((await openSession(brief, alice)).session.expiresAt).toBe(now + 1000)
    await brief.close()
  })

  /** A second later, so that the event is another one. */
  function later<T>(act: () => Promise<T>): Promise<T> {
    now += 1000
    return act()
  }
})
