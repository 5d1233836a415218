import { randomUUID } from 'node:crypto'
import { refuse } from '@holdfast/core'
import { sql } from 'kysely'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RefusalError } from '../platform/http/problem.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { revokeSession } from './sessions.ts'
import {
  change,
  type IdentityWorld,
  newDevice,
  openSession,
  startIdentityWorld,
} from './testing/identity-world.ts'

const database = withDatabase()
let world: IdentityWorld
let alice = newDevice()

beforeEach(async () => {
  alice = newDevice()
  world = await startIdentityWorld(database)
})
afterEach(() => world.close())

/** Connections of this database in a transaction, and keys that are locked. */
async function held(): Promise<number> {
  const { rows } = await sql<{ held: number }>`
    select (select count(*) from pg_stat_activity
            where datname = current_database() and state like 'idle in transaction%')::int
         + (select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database
            where locktype = 'advisory' and datname = current_database())::int as held`.execute(database.db)
  return rows[0]!.held
}

/** Lets every request wait while it is prepared. */
function holdUp() {
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const prepared = { count: 0 }
  world.prepare = async () => {
    prepared.count++
    begun.resolve()
    await go.promise
  }
  return { begun: begun.promise, go: go.resolve, prepared }
}

describe('what a mutation prepares', () => {
  test('holds no connection and no lock, for whoever signs or has a session', async () => {
    const { session } = await openSession(world, alice)
    for (const by of [alice, session]) {
      const { begun, go } = holdUp()
      const changing = change(world, by)
      await begun
      expect(await held()).toBe(0)
      go()
      expect((await changing).statusCode).toBe(201)
    }
  })

  test('of one key asked for twice at once is answered once, by one execution', async () => {
    const { session } = await openSession(world, alice)
    const { go, prepared } = holdUp()
    const changing = [change(world, session, { key: 'k' }), change(world, session, { key: 'k' })]
    await expect.poll(() => prepared.count).toBe(2)
    go()
    const answers = await Promise.all(changing)
    expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'])).toHaveLength(1)
    expect(world.executions).toBe(1)
  })

  test('is not prepared again when it was answered before', async () => {
    const { session } = await openSession(world, alice)
    const first = await change(world, session, { key: 'k' })
    const { prepared } = holdUp()
    const again = await change(world, session, { key: 'k' })
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([first.body, 'true'])
    expect([prepared.count, world.executions]).toEqual([0, 1])
    const other = await change(world, session, { key: 'k', body: '{"amountMsat":"2"}' })
    expect(other.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
  })

  test('is told who asks; nobody else gets so far', async () => {
    const asked: string[] = []
    world.prepare = async (owner) => void asked.push(owner)
    await change(world, alice)
    const stranger = await change(world, { token: 'A'.repeat(43) })
    expect(stranger.json()).toMatchObject({ code: 'SESSION_INVALID' })
    expect(asked).toEqual([alice.owner])
  })

  test('counts once against the limit of who asks', async () => {
    const counted: string[] = []
    const limited = await startIdentityWorld(database, {
      rateLimiter: { consume: async (owner) => void counted.push(owner) },
    })
    limited.prepare = async () => undefined
    await change(limited, alice)
    expect(counted).toEqual([alice.owner])
    await limited.close()
  })

  test('and that fails leaves the key as it was', async () => {
    world.prepare = async () => {
      throw new RefusalError(refuse('NODE_OFFLINE'))
    }
    const { session } = await openSession(world, alice)
    expect((await change(world, session, { key: 'k' })).json()).toMatchObject({ code: 'NODE_OFFLINE' })
    world.prepare = null
    expect((await change(world, session, { key: 'k' })).statusCode).toBe(201)
    expect(world.executions).toBe(1)
  })
})

/** How often it is asked who asks, apart from all else. */
async function claimsDuring(act: () => Promise<void>): Promise<number> {
  const query = vi.spyOn(pg.Client.prototype, 'query')
  await act()
  const claims = query.mock.calls.filter(([sent]) => JSON.stringify(sent).includes('claim_request'))
  query.mockRestore()
  return claims.length
}

describe('what is at hand', () => {
  test('is not prepared, and who asks is found out in the one transaction', async () => {
    const { session } = await openSession(world, alice)
    const { prepared } = holdUp()
    world.atHand = (owner) => owner
    const claims = await claimsDuring(async () => {
      expect((await change(world, session)).statusCode).toBe(201)
    })
    expect([prepared.count, world.executions, claims]).toEqual([0, 1, 1])
  })

  test('for others is prepared for who asks, once, and counted once', async () => {
    const counted: string[] = []
    const limited = await startIdentityWorld(database, {
      rateLimiter: { consume: async (owner) => void counted.push(owner) },
    })
    const asked: string[] = []
    limited.prepare = async (owner) => void asked.push(owner)
    limited.atHand = () => null
    expect((await change(limited, alice)).statusCode).toBe(201)
    expect([asked, counted, limited.executions]).toEqual([[alice.owner], [alice.owner], 1])
    await limited.close()
  })

  test('helps no stranger, and a request that was answered before is answered the same', async () => {
    world.prepare = async () => undefined
    world.atHand = (owner) => owner
    const stranger = await change(world, { token: 'A'.repeat(43) })
    expect(stranger.json()).toMatchObject({ code: 'SESSION_INVALID' })
    const { session } = await openSession(world, alice)
    const [first, again] = [
      await change(world, session, { key: 'k' }),
      await change(world, session, { key: 'k' }),
    ]
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([first.body, 'true'])
    expect(world.executions).toBe(1)
  })
})

describe.each(['at hand', 'prepared by reading'])('who is believed to ask, with all %s', (how) => {
  let session: { token: string }
  const kept = async () =>
    (await database.db.selectFrom('journal').select('data').where('stream', '=', 'test').execute()).length

  beforeEach(async () => {
    world.prepare = async () => undefined
    if (how === 'at hand') world.atHand = (owner) => owner
    else world.isPreparedByReading = true
    world.work = async (tx, owner) => {
      const entityId = randomUUID()
      tx.append({ stream: 'test', entityId, kind: 'test.done', data: {}, actor: owner, isFirst: true })
      return { status: 201, body: { owner } }
    }
    ;({ session } = await openSession(world, alice))
    // The first keeps the session's event, the second sees that.
    for (const _ of [1, 2]) await change(world, session)
    world.executions = 0
  })

  test('is asked for once with all the rest: by an event, and by a session that was seen', async () => {
    const before = await kept()
    const claims = await claimsDuring(async () => {
      for (const by of [alice, session]) expect((await change(world, by)).statusCode).toBe(201)
    })
    expect([claims, world.executions, (await kept()) - before]).toEqual([0, 2, 2])
  })

  test.each([
    ['was revoked', () => revokeSession(database.db, session.token)],
    [
      'has ended',
      () => database.queryAsOwner(`update session set expires_at = created_at + interval '1 ms'`),
    ],
  ])('is nobody when the session %s', async (_, end) => {
    const before = await kept()
    await end()
    for (const _ of [1, 2])
      expect((await change(world, session)).json()).toMatchObject({ code: 'SESSION_INVALID' })
    expect((await kept()) - before).toBe(0)
  })

  test('hears again what was answered before, and of another request under its key that it is another', async () => {
    const before = await kept()
    const [first, again] = [
      await change(world, session, { key: 'k' }),
      await change(world, session, { key: 'k' }),
    ]
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([first.body, 'true'])
    const other = await change(world, session, { key: 'k', body: '{"amountMsat":"2"}' })
    expect(other.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    expect((await kept()) - before).toBe(1)
  })

  test('and asks ten times at once under one key is answered once', async () => {
    const before = await kept()
    const answers = await Promise.all(Array.from({ length: 10 }, () => change(world, session, { key: 'k' })))
    expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'])).toHaveLength(9)
    expect((await kept()) - before).toBe(1)
  })

  test('is told a refusal, which stands', async () => {
    const before = await kept()
    const { work } = world
    world.work = async (tx, owner) => {
      await work(tx, owner)
      return refuse('AMOUNT_INVALID')
    }
    expect((await change(world, session, { key: 'k' })).json()).toMatchObject({ code: 'AMOUNT_INVALID' })
    world.work = work
    expect((await change(world, session, { key: 'k' })).json()).toMatchObject({ code: 'AMOUNT_INVALID' })
    expect((await kept()) - before).toBe(0)
  })

  test.each([
    ['refuses', new RefusalError(refuse('NODE_OFFLINE')), 'NODE_OFFLINE'],
    ['fails', new Error('a fault'), 'INTERNAL'],
  ])('is told when what is prepared %s, but not what was answered before', async (_, reason, code) => {
    const first = await change(world, session, { key: 'k' })
    world.atHand = null
    world.prepare = () => Promise.reject(reason)
    expect((await change(world, session)).json()).toMatchObject({ code })
    expect((await change(world, session, { key: 'k' })).body).toBe(first.body)
    await revokeSession(database.db, session.token)
    expect((await change(world, session)).json()).toMatchObject({ code: 'SESSION_INVALID' })
  })

  test('waits no longer than a second for what is prepared, when it was answered before', async () => {
    const first = await change(world, session, { key: 'k' })
    world.atHand = null
    world.prepare = () => new Promise(() => undefined)
    expect((await change(world, session, { key: 'k' })).body).toBe(first.body)
  })

  test('is counted once, also when the belief was wrong', async () => {
    const counted: string[] = []
    const limited = await startIdentityWorld(database, {
      rateLimiter: { consume: async (owner) => void counted.push(owner) },
    })
    const { prepare, atHand, isPreparedByReading, work } = world
    Object.assign(limited, { prepare, atHand, isPreparedByReading, work })
    for (const _ of [1, 2, 3]) await change(limited, session)
    expect(counted).toEqual([alice.owner, alice.owner, alice.owner])
    for (const _ of [1, 2]) await change(limited, session, { key: 'k' })
    expect(counted).toHaveLength(5)
    await limited.close()
  })
})
