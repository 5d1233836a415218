import { refuse } from '@holdfast/core'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RefusalError } from '../platform/http/problem.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
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
