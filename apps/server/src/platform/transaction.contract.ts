import { AbortedTransactionError, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import type { TestDatabase } from './testing/with-database.ts'
import { makeTransact, type NewEntry, type Transact } from './transaction.ts'

/** What a transaction promises, on whatever PostgreSQL. */
export function transactionContract(database: TestDatabase): void {
  const claimed = (entityId: string): NewEntry => ({
    stream: 'name',
    entityId,
    kind: 'name.claimed',
    data: { name: entityId, amountMsat: '21000' },
    actor: 'system',
  })

  const entriesOf = (entityId: string) =>
    database.db.selectFrom('journal').selectAll().where('entity_id', '=', entityId).orderBy('seq').execute()

  const jobsOf = async (key: string) =>
    (
      await sql<{
        task: string
      }>`select task_identifier as task from graphile_worker.jobs where key = ${key}`.execute(database.db)
    ).rows

  describe('a transaction', () => {
    test('keeps state, entries and jobs together', async () => {
      const answer = await database.transact(async (tx) => {
        tx.append(claimed('kept'))
        tx.enqueue({ task: 'publish', payload: { name: 'kept' }, key: 'kept' })
        return 42
      })
      expect(answer).toBe(42)
      expect(await entriesOf('kept')).toMatchObject([
        { seq: 1n, kind: 'name.claimed', data: { amountMsat: '21000' } },
      ])
      expect(await jobsOf('kept')).toEqual([{ task: 'publish' }])
    })

    test('that throws keeps nothing', async () => {
      const work = database.transact(async (tx) => {
        tx.append(claimed('undone'))
        tx.enqueue({ task: 'publish', payload: {}, key: 'undone' })
        throw new Error('changed my mind')
      })
      await expect(work).rejects.toThrow('changed my mind')
      expect(await entriesOf('undone')).toEqual([])
      expect(await jobsOf('undone')).toEqual([])
    })

    test('whose work swallowed a failed statement is reported, not silently rolled back', async () => {
      const work = database.transact(async (tx) => {
        await sql`select 1 / 0`.execute(tx.db).catch(() => 'swallowed')
      })
      await expect(work).rejects.toThrow(AbortedTransactionError)
    })

    test.each(['40001', '40P01'])('that fails with %s runs again with fresh collections', async (code) => {
      let attempts = 0
      await database.transact(async (tx) => {
        attempts++
        tx.append(claimed(`retried-${code}`))
        if (attempts < 3)
          await sql`do ${sql.raw(`$$ begin raise exception 'again' using errcode = '${code}'; end $$`)}`.execute(
            tx.db,
          )
      })
      expect(attempts).toBe(3)
      expect(await entriesOf(`retried-${code}`)).toHaveLength(1)
    })

    test('that keeps failing with a deadlock is given up', async () => {
      let attempts = 0
      const work = database.transact(async (tx) => {
        attempts++
        await sql`do $$ begin raise exception 'again' using errcode = '40P01'; end $$`.execute(tx.db)
      })
      await expect(work).rejects.toMatchObject({ code: '40P01' })
      expect(attempts).toBe(5)
    })

    test('chains several entries of one entity in the order of append', async () => {
      await database.transact(async (tx) => {
        for (const kind of ['name.claimed', 'name.published', 'name.activated'])
          tx.append({ ...claimed('three'), kind })
        tx.append(claimed('another'))
      })
      const entries = await entriesOf('three')
      expect(entries.map(({ seq, kind }) => [seq, kind])).toEqual([
        [1n, 'name.claimed'],
        [2n, 'name.published'],
        [3n, 'name.activated'],
      ])
      expect(entries[1]!.prev_hash).toEqual(entries[0]!.hash)
    })

    test('runs again, once, when another process has appended to an entity that it knows', async () => {
      const other = makeTransact({ database: database.database, dispatch: { committed: () => undefined } })
      const attempts: string[] = []
      const append = (transact: Transact, attempt: string, isFirst = false) =>
        transact(async (tx) => {
          attempts.push(attempt)
          tx.append({ ...claimed('of two'), isFirst })
        })
      await append(database.transact, 'ours', true)
      await append(other, 'theirs')
      await append(other, 'theirs')
      await append(database.transact, 'ours again')
      expect(attempts).toEqual(['ours', 'theirs', 'theirs', 'ours again', 'ours again'])
      expect((await entriesOf('of two')).map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 4n])
    })

    test('calls first what it is to call first: where that fails nothing is kept, and no lane was locked', async () => {
      const callAndAppend = (entityId: string, allowed: number) =>
        database.transact(async (tx) => {
          tx.callFirst(sql`abs(1 / (${allowed}::int - (
            select count(*)::int from pg_locks
            where pid = pg_backend_pid() and locktype = 'advisory' and classid = 27244
          )))`)
          tx.append({ ...claimed(entityId), isFirst: true })
          tx.enqueue({ task: 'publish', payload: {}, key: entityId })
        })
      await callAndAppend('called', 1)
      expect(await entriesOf('called')).toHaveLength(1)
      await expect(callAndAppend('not called', 0)).rejects.toMatchObject({ code: '22012' })
      expect(await entriesOf('not called')).toEqual([])
      expect(await jobsOf('not called')).toEqual([])
    })

    test('enqueues a job for later, with its number of attempts', async () => {
      const runAt = new Date('2030-01-01T00:00:00Z')
      await database.transact(async (tx) =>
        tx.enqueue({ task: 'expire', payload: {}, key: 'later', runAt, maxAttempts: 3 }),
      )
      const { rows } = await sql`
      select run_at, max_attempts from graphile_worker.jobs where key = 'later'`.execute(database.db)
      expect(rows).toEqual([{ run_at: runAt, max_attempts: 3 }])
    })

    test('whose connection is cut while it waits is thrown, and the process lives on', async () => {
      const work = database.transact(async (tx) => {
        tx.append(claimed('cut'))
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx.db)
        expect(await database.queryAsOwner('select pg_terminate_backend($1) as cut', [rows[0]!.pid])).toEqual(
          [{ cut: true }],
        )
        await new Promise((resolve) => setTimeout(resolve, 50))
      })
      await expect(work).rejects.toThrow(/Connection terminated|terminating connection|not queryable/)
      expect(await entriesOf('cut')).toEqual([])
    })
  })
}
