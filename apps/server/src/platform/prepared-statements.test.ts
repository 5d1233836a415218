import { sql } from 'kysely'
import { expect, test } from 'vitest'
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
