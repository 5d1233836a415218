import { sql } from 'kysely'
import pg from 'pg'
import { describe, expect, type Mock, test, vi } from 'vitest'
import { AND_COMMIT } from './prepared-statements.ts'
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

describe('a COMMIT', () => {
  const note = (name: string, divisor: number) => sql`${sql.raw(AND_COMMIT)}
    insert into journal_follower values (${name}, 0, 6 / ${divisor}::int)`
  const noted = async (name: string) =>
    (await database.db.selectFrom('journal_follower').selectAll().where('name', '=', name).execute()).length

  test('goes with the last statement, which need not be the first', async () => {
    await database.db.transaction().execute((tx) => note('alone', 1).execute(tx))
    await database.db.transaction().execute(async (tx) => {
      await sql`select 1`.execute(tx)
      await note('second', 2).execute(tx)
    })
    expect([await noted('alone'), await noted('second')]).toEqual([1, 1])
  })

  test('is not sent, nor is a BEGIN, where one statement is the whole transaction', async () => {
    const query = vi.spyOn(pg.Client.prototype, 'query') as unknown as Mock
    await database.db
      .transaction()
      .setIsolationLevel('read committed')
      .execute((tx) => note('whole', 1).execute(tx))
    const sent = query.mock.calls.map(([what]) => String(what?.text ?? what))
    query.mockRestore()
    expect(sent).toHaveLength(1)
    expect(await noted('whole')).toBe(1)
  })

  test.each(['begin', 'isolation'])(
    'of a transaction of one statement keeps its isolation level: %s',
    async (how) => {
      await database.queryAsOwner(`create table if not exists levels (how text, level text);
      grant insert, select on levels to public`)
      const begun = database.db.transaction()
      const transaction = how === 'begin' ? begun : begun.setIsolationLevel('serializable')
      await transaction.execute((tx) =>
        sql`${sql.raw(AND_COMMIT)} insert into levels values (${how}, current_setting('transaction_isolation'))`.execute(
          tx,
        ),
      )
      const { rows } = await sql`select level from levels where how = ${how}`.execute(database.db)
      expect(rows).toEqual([{ level: how === 'begin' ? 'read committed' : 'serializable' }])
    },
  )

  test('behind a last statement that fails keeps nothing, and the connection is as new', async () => {
    const failing = database.db.transaction().execute(async (tx) => {
      await sql`insert into journal_follower values (${'before it'}, 0, 1)`.execute(tx)
      await note('fails', 0).execute(tx)
    })
    await expect(failing).rejects.toMatchObject({ code: '22012' })
    expect([await noted('before it'), await noted('fails')]).toEqual([0, 0])
    await database.db.transaction().execute((tx) => note('after it', 1).execute(tx))
    expect(await noted('after it')).toBe(1)
  })

  test('that fails itself is reported, alone and behind others', async () => {
    await database.queryAsOwner(`
      create table told_late (id int primary key deferrable initially deferred);
      grant insert on told_late to public; insert into told_late values (1)`)
    const twice = sql`${sql.raw(AND_COMMIT)} insert into told_late values (${1}::int)`
    await expect(database.db.transaction().execute((tx) => twice.execute(tx))).rejects.toMatchObject({
      code: '23505',
    })
    const behind = database.db.transaction().execute(async (tx) => {
      await sql`select 1`.execute(tx)
      await twice.execute(tx)
    })
    await expect(behind).rejects.toMatchObject({ code: '23505' })
    await database.db.transaction().execute((tx) => note('after that', 1).execute(tx))
    expect(await noted('after that')).toBe(1)
  })
})
