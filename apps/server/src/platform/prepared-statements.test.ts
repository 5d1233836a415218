import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { withDatabase } from './testing/with-database.ts'

const database = withDatabase({ maxConnections: 1 })

test('a statement that a migration made stale is planned anew, and its transaction runs again', async () => {
  const readAll = (db = database.db) =>
    sql<object>`select * from journal_follower where name = ${'nobody'} or name = ${'somebody'}`.execute(db)
  await database.queryAsOwner(`insert into journal_follower values ('somebody', 0, 1)`)
  expect((await readAll()).rows).toEqual([{ name: 'somebody', lane: 0, position: 1n }])
  await database.queryAsOwner(`alter table journal_follower add column note text default 'new'`)
  const { rows } = await database.transact((tx) => readAll(tx.db))
  expect(rows).toEqual([{ name: 'somebody', lane: 0, position: 1n, note: 'new' }])
  expect((await readAll()).rows).toEqual(rows)
})

test('a statement with parameters is parsed once', async () => {
  for (const n of [1, 2, 3]) await sql`select ${n}::int as number`.execute(database.db)
  const { rows } = await sql<{ calls: bigint }>`
    select generic_plans + custom_plans as calls from pg_prepared_statements
    where statement like 'select $1::int as number'`.execute(database.db)
  expect(rows).toEqual([{ calls: 3n }])
})

describe('a BEGIN', () => {
  const isIn = async (db: typeof database.db) =>
    (await sql<{ own: boolean }>`select now() < statement_timestamp() as own`.execute(db)).rows[0]?.own

  test('goes with its first statement, and both are there for the next', async () => {
    const seen = await database.db.transaction().execute(async (tx) => {
      await sql`select pg_sleep(0.01)`.execute(tx)
      return isIn(tx)
    })
    expect([seen, await isIn(database.db)]).toEqual([true, false])
  })

  test('of a transaction without a statement is not sent, and leaves nothing open', async () => {
    expect(await database.db.transaction().execute(async () => 'nothing')).toBe('nothing')
    const failing = database.db.transaction().execute(() => Promise.reject(new Error('changed my mind')))
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await isIn(database.db)).toBe(false)
  })

  test('whose first statement fails is rolled back', async () => {
    const failing = database.db.transaction().execute((tx) => sql`select 1 / ${0}::int`.execute(tx))
    await expect(failing).rejects.toMatchObject({ code: '22012' })
    expect(await isIn(database.db)).toBe(false)
  })

  test('on a connection that was cut fails once, and the next is well', async () => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(database.db)
    const cut = database.db.transaction().execute(async (tx) => {
      await database.queryAsOwner(`select pg_terminate_backend(${rows[0]?.pid})`)
      await sql`select 1`.execute(tx)
    })
    await expect(cut).rejects.toThrow()
    expect(await database.db.transaction().execute(isIn)).toBeDefined()
  })
})
