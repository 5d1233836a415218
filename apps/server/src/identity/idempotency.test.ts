import { randomUUID } from 'node:crypto'
import { REFUSALS, type RefusalCode, refuse } from '@holdfast/core'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RefusalError } from '../platform/http/problem.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { fingerprint } from './idempotency.ts'
import {
  change,
  type IdentityWorld,
  newDevice,
  openSession,
  startIdentityWorld,
} from './testing/identity-world.ts'

const database = withDatabase()
let world: IdentityWorld
let now = Date.now()
let alice = newDevice()

beforeEach(async () => {
  alice = newDevice()
  world = await startIdentityWorld(database, { clock: () => now })
})

afterEach(() => world.close())

const countWork = async () => {
  const entries = await database.db
    .selectFrom('journal')
    .select('entity_id')
    .where('actor', '=', alice.owner)
    .execute()
  const jobs =
    await sql`select 1 from graphile_worker.jobs where task_identifier = ${`t-${alice.owner}`}`.execute(
      database.db,
    )
  return { entries: entries.length, jobs: jobs.rows.length }
}

/** Makes the work leave traces: a table row is stood for by a session, beside an entry and a job. */
function leaveTraces(then: () => unknown): void {
  world.work = async (tx, owner) => {
    tx.append({ stream: 'test', entityId: randomUUID(), kind: 'test.done', data: {}, actor: owner })
    tx.enqueue({ task: `t-${owner}`, payload: {} })
    await tx.db
      .insertInto('nip98_event')
      .values({ id: Buffer.from(owner, 'hex'), expires_at: new Date() })
      .execute()
    then()
    return { status: 201, body: { owner } }
  }
}

async function isRowWritten(): Promise<boolean> {
  const row = await database.db
    .selectFrom('nip98_event')
    .select('id')
    .where('id', '=', Buffer.from(alice.owner, 'hex'))
    .executeTakeFirst()
  return row !== undefined
}

describe('a mutation without a usable key', () => {
  for (const key of ['', ' ', 'a b', 'ü', 'a'.repeat(65), 'a/b']) {
    test(`(${JSON.stringify(key)}) is refused and not executed`, async () => {
      const response = await change(world, alice, {
        key: encodeURI(key) === key ? key : key.replace('ü', '%C3'),
      })
      expect(response.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REQUIRED', status: 400 })
      expect(world.executions).toBe(0)
    })
  }
})

describe('the same request under the same key', () => {
  test('is executed once and gets the same bytes and headers, though it is signed anew', async () => {
    leaveTraces(() => undefined)
    const first = await change(world, alice, { key: 'k' })
    const { session } = await openSession(world, alice)
    const second = await change(world, { token: session.token }, { key: 'k' })
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    expect(second.headers['idempotency-replayed']).toBe('true')
    expect([second.statusCode, second.body]).toEqual([first.statusCode, first.body])
    expect(second.headers['content-type']).toBe(first.headers['content-type'])
    expect(world.executions).toBe(1)
    expect(await countWork()).toEqual({ entries: 1, jobs: 1 })
  })

  test('keeps the headers and an absent body', async () => {
    world.work = async () => ({ status: 202, headers: { location: '/v1/jobs/1' }, body: null })
    const [first, second] = [await change(world, alice, { key: 'k' }), await again('k')]
    for (const response of [first, second]) {
      expect([response.statusCode, response.headers.location, response.body]).toEqual([202, '/v1/jobs/1', ''])
      expect(response.headers['content-type']).toBeUndefined()
    }
    expect(world.executions).toBe(1)
  })

  test('50 times at once, over two instances, is executed exactly once and answered alike', async () => {
    leaveTraces(() => undefined)
    const other = await startIdentityWorld(database, { clock: () => now })
    other.work = world.work
    const { session } = await openSession(world, alice)
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, i) => change(i % 2 ? other : world, session, { key: 'k' })),
    )
    expect(new Set(responses.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1)
    expect(responses.filter(({ headers }) => !headers['idempotency-replayed'])).toHaveLength(1)
    expect(world.executions + other.executions).toBe(1)
    expect(await countWork()).toEqual({ entries: 1, jobs: 1 })
    await other.close()
  })

  test('is told to come back when the first takes too long', async () => {
    const started = Promise.withResolvers<void>()
    const finished = Promise.withResolvers<void>()
    world.work = async () => {
      started.resolve()
      await finished.promise
      return { status: 201, body: { owner: alice.owner } }
    }
    const { session } = await openSession(world, alice)
    const first = change(world, session, { key: 'k' })
    await started.promise
    const early = await change(world, session, { key: 'k' })
    expect(early.json()).toMatchObject({ code: 'IDEMPOTENCY_IN_PROGRESS', status: 409 })
    finished.resolve()
    expect((await first).statusCode).toBe(201)
    expect((await change(world, session, { key: 'k' })).headers['idempotency-replayed']).toBe('true')
    expect(world.executions).toBe(1)
  })

  test('of two owners are two requests', async () => {
    const bob = newDevice()
    expect((await change(world, alice, { key: 'k' })).json()).toEqual({ owner: alice.owner })
    expect((await change(world, bob, { key: 'k' })).json()).toEqual({ owner: bob.owner })
  })
})

describe('another request under the same key', () => {
  const others: [what: string, other: Parameters<typeof change>[2]][] = [
    ['body', { body: '{"amountMsat":"2"}' }],
    ['spelling of the body', { body: '{"amountMsat": "1"}' }],
    ['query', { url: '/change?a=1' }],
  ]
  for (const [what, other] of others) {
    test(`with another ${what} is refused and not executed`, async () => {
      await change(world, alice, { key: 'k' })
      now += 1000
      const response = await change(world, alice, { key: 'k', ...other })
      expect(response.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', status: 409 })
      expect(response.headers['idempotency-replayed']).toBeUndefined()
      expect(world.executions).toBe(1)
    })
  }

  test.each([
    ['/v1/x', '/v1/x?wait=20', true],
    ['/v1/x?wait=1', '/v1/x?wait=20', true],
    ['/v1/x?a=1&wait=1&b=2', '/v1/x?wait=3&a=1&b=2', true],
    ['/v1/x?a=1', '/v1/x?a=1&wait=20', true],
    ['/v1/x?a=1', '/v1/x?a=2&wait=20', false],
    ['/v1/x', '/v1/x?waits=20', false],
  ])('is not told by how long is waited for its end: %s and %s', (a, b, isSame) => {
    const body = new Uint8Array(32)
    expect(Buffer.compare(fingerprint('POST', a, body), fingerprint('POST', b, body)) === 0).toBe(isSame)
  })

  test('never has the same fingerprint', () => {
    const part = fc.stringMatching(/^[!-~]{1,12}$/)
    const request = fc.tuple(part, part, fc.uint8Array({ minLength: 32, maxLength: 32 }))
    fc.assert(
      fc.property(request, request, (a, b) => {
        const same = a[0] === b[0] && a[1] === b[1] && Buffer.compare(a[2], b[2]) === 0
        expect(Buffer.compare(fingerprint(...a), fingerprint(...b)) === 0).toBe(same)
      }),
    )
  })
})

describe('a refusal', () => {
  const decline: [how: string, decline: (code: RefusalCode) => void][] = [
    ['answered', (code) => declineBy(() => refuse(code, { name: 'alice' }))],
    ['thrown', (code) => leaveTraces(() => raise(new RefusalError(refuse(code, { name: 'alice' }))))],
  ]
  for (const [how, declineWith] of decline) {
    test(`that is final, ${how}, undoes the work and is repeated`, async () => {
      declineWith('NAME_TAKEN')
      const [first, second] = [await change(world, alice, { key: 'k' }), await again('k')]
      const problem = { code: 'NAME_TAKEN', status: 409, name: 'alice' }
      expect([first.json(), second.json()]).toMatchObject([problem, problem])
      expect(second.headers).toMatchObject({
        'idempotency-replayed': 'true',
        'content-type': expect.stringContaining('application/problem+json'),
      })
      expect(world.executions).toBe(1)
      expect([await countWork(), await isRowWritten()]).toEqual([{ entries: 0, jobs: 0 }, false])
    })

    for (const code of ['NODE_OFFLINE', 'RATE_LIMITED', 'REQUEST_TIMEOUT', 'SESSION_INVALID'] as const) {
      test(`${code}, ${how}, undoes the work and lets the request be tried again`, async () => {
        declineWith(code)
        expect((await change(world, alice, { key: 'k' })).statusCode).toBe(REFUSALS[code].status)
        expect([await countWork(), await isRowWritten()]).toEqual([{ entries: 0, jobs: 0 }, false])
        leaveTraces(() => undefined)
        const second = await again('k')
        expect([second.statusCode, second.headers['idempotency-replayed']]).toEqual([201, undefined])
        expect(await countWork()).toEqual({ entries: 1, jobs: 1 })
      })
    }
  }
})

test('of a refusal and a success under one key, asked for at once, both requests are answered the success', async () => {
  const { session } = await openSession(world, alice)
  const othersWaiting = async () => {
    const { rows } = await sql`
      select from pg_locks join pg_database on pg_database.oid = pg_locks.database
      where locktype = 'advisory' and not granted and datname = current_database()`.execute(database.db)
    return rows.length
  }
  world.work = async () => {
    if (world.executions > 1) return { status: 201, body: { owner: alice.owner } }
    await expect.poll(othersWaiting).toBe(1)
    return refuse('NAME_TAKEN')
  }
  const answers = await Promise.all([
    change(world, session, { key: 'k' }),
    change(world, session, { key: 'k' }),
  ])
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 201])
  expect(world.executions).toBe(2)
  expect((await change(world, session, { key: 'k' })).headers['idempotency-replayed']).toBe('true')
})

describe('a fault', () => {
  const faults: [what: string, fail: () => void][] = [
    ['thrown by the work', () => leaveTraces(() => raise(new Error('a fault')))],
    ['of the database', () => failInDatabase()],
    ['in the form of the answer', () => declineBy(() => ({ status: 201, body: { owner: 7 } }))],
  ]
  for (const [what, fail] of faults) {
    test(`${what} is not stored: the request can be tried again`, async () => {
      fail()
      expect((await change(world, alice, { key: 'k' })).json()).toMatchObject({
        code: 'INTERNAL',
        status: 500,
      })
      expect([await countWork(), await isRowWritten()]).toEqual([{ entries: 0, jobs: 0 }, false])
      leaveTraces(() => undefined)
      expect((await again('k')).statusCode).toBe(201)
      expect(await countWork()).toEqual({ entries: 1, jobs: 1 })
    })
  }
})

test('the database refuses a row that is half an answer and half a refusal', async () => {
  const row = { owner: alice.owner, key: 'k', fingerprint: Buffer.alloc(32), created_at: new Date() }
  const halves = [
    { status: 201, headers: '{}', body: '', refusal_code: 'NAME_TAKEN', refusal_data: '{}' },
    { status: null, headers: null, body: null, refusal_code: null, refusal_data: null },
  ]
  for (const half of halves) {
    const insert = database.db.insertInto('idempotency_key').values({ ...row, ...half } as never)
    await expect(insert.execute()).rejects.toThrow(/check constraint/)
  }
})

function again(key: string) {
  // An event of the same second would be the same event.
  now += 1000
  return change(world, alice, { key })
}

function declineBy(answer: () => unknown): void {
  leaveTraces(() => undefined)
  const traces = world.work
  world.work = async (tx, owner) => {
    await traces(tx, owner)
    return answer() as Awaited<ReturnType<typeof traces>>
  }
}

function failInDatabase(): void {
  world.work = async (tx) => {
    await sql`select 1 / 0`.execute(tx.db)
    return { status: 201, body: null }
  }
}

function raise(error: Error): never {
  throw error
}
