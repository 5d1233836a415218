import type { JsonObject } from '@holdfast/core'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Dispatch, startDispatch } from './dispatch.ts'
import { insertJobs } from './job-outbox.ts'
import { startWorker, type Task, type Worker } from './jobs.ts'
import { makeLog } from './log.ts'
import type { TestDatabase } from './testing/with-database.ts'
import { makeTransact, type NewJob, type Transact } from './transaction.ts'

const log = makeLog({ level: 'silent' })

/** How jobs are begun by the process that commits them, and what becomes of them when it cannot end them. */
export function atOnceContract(database: TestDatabase): void {
  let dispatch: Dispatch
  let transact: Transact
  let workers: Worker[] = []

  beforeEach(() => {
    dispatch = startDispatch({ database: database.database, log })
    transact = makeTransact({ database: database.database, dispatch, atOnce: dispatch.atOnce })
  })
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    workers = []
    await dispatch.stop()
    await sql`delete from graphile_worker._private_jobs`.execute(database.db)
    await sql`delete from job_outbox`.execute(database.db)
  })

  async function work(tasks: Record<string, Task>, more: { concurrency?: number; graceMs?: number } = {}) {
    const { atOnce } = dispatch
    const worker = await startWorker({
      database: database.database,
      tasks,
      concurrency: 2,
      log,
      atOnce,
      ...more,
    })
    workers.push(worker)
    return worker
  }

  const enqueue = (...jobs: NewJob[]) =>
    transact(async (tx) => {
      for (const job of jobs) tx.enqueue(job)
    })
  const inOutbox = async () =>
    (
      await sql<{ task: string; held_until: Date | null }>`select task, held_until from job_outbox`.execute(
        database.db,
      )
    ).rows
  const atWorker = async () =>
    (
      await sql<{ task: string; attempts: number }>`
        select task_identifier as task, attempts from graphile_worker.jobs`.execute(database.db)
    ).rows
  const makeDue = () => sql`update graphile_worker._private_jobs set run_at = now()`.execute(database.db)

  test('a job has begun when its transaction has ended, and leaves nothing behind', async () => {
    const seen: JsonObject[] = []
    await work({ greet: async (payload, { attempt }) => void seen.push({ ...payload, attempt }) })
    await transact(async (tx) => {
      tx.enqueue({ task: 'greet', payload: { name: 'alice' } })
      await sql`select 1`.execute(tx.db)
      expect(seen).toEqual([])
    })
    expect(seen).toEqual([{ name: 'alice', attempt: 0 }])
    await expect.poll(inOutbox).toEqual([])
    expect(await atWorker()).toEqual([])
  })

  test('a job is told what its transaction leaves; one that a worker takes has to read it', async () => {
    const seen: unknown[] = []
    await work({ greet: async (_payload, { left }) => void seen.push(left) }, { concurrency: 1 })
    await transact(async (tx) => {
      let name = 'alice'
      const greeting: NewJob = { task: 'greet', payload: {}, left: () => name }
      tx.enqueue(greeting)
      // There is no place for another.
      tx.enqueue(greeting)
      name = 'bob'
    })
    await expect.poll(() => seen).toEqual(['bob', undefined])
  })

  test('a job of a transaction that fails is not begun, and keeps no place', async () => {
    const seen: JsonObject[] = []
    await work({ greet: async (payload) => void seen.push(payload) }, { concurrency: 1 })
    const failing = transact(async (tx) => {
      tx.enqueue({ task: 'greet', payload: { name: 'bob' }, maxAttempts: 0 })
    })
    await expect(failing).rejects.toThrow(/max_attempts/)
    await enqueue({ task: 'greet', payload: { name: 'carol' } })
    expect(seen).toEqual([{ name: 'carol' }])
  })

  test('a job that fails is tried again by the worker', async () => {
    const attempts: number[] = []
    await work({
      fail: async (_payload, { attempt }) => {
        attempts.push(attempt)
        if (attempts.length === 1) throw new Error('no luck')
      },
    })
    await enqueue({ task: 'fail', payload: {} })
    await expect.poll(async () => (await makeDue()).numAffectedRows).toBe(1n)
    await sql`select pg_notify('jobs:insert', '{"count":1}')`.execute(database.db)
    await expect.poll(() => attempts).toEqual([0, 1])
    await expect.poll(atWorker).toEqual([])
    expect(await inOutbox()).toEqual([])
  })

  test('what is not due, of no task of ours or beyond the places is left to workers', async () => {
    const slow = Promise.withResolvers<void>()
    const seen: JsonObject[] = []
    await work(
      {
        async slow(payload, { attempt }) {
          seen.push({ ...payload, attempt })
          await slow.promise
        },
      },
      { concurrency: 1 },
    )
    await enqueue(
      { task: 'slow', payload: { n: 1 } },
      { task: 'slow', payload: { n: 2 } },
      { task: 'slow', payload: { n: 3 }, runAt: new Date(Date.now() + 3_600_000) },
      { task: 'foreign', payload: {} },
    )
    await dispatch.settled()
    await expect
      .poll(() => seen)
      .toEqual([
        { n: 1, attempt: 0 },
        { n: 2, attempt: 1 },
      ])
    expect(await inOutbox()).toMatchObject([{ task: 'slow', held_until: expect.any(Date) }])
    slow.resolve()
    await expect
      .poll(async () => (await atWorker()).map(({ task }) => task).sort())
      .toEqual(['foreign', 'slow'])
    await expect.poll(inOutbox).toEqual([])
  })

  describe('a job that is held', () => {
    const ticket = '6f1f3c9e-6a0e-4d55-8a4c-0f6a3d3a4b10'
    const leave = () => insertJobs([{ task: 'left', payload: {}, ticket }], 0).execute(database.db)

    test('is handed over when its process has held it no longer', async () => {
      await leave()
      dispatch.committed({ entries: 0, jobs: 1 })
      await dispatch.settled()
      expect(await atWorker()).toEqual([])
      await sql`update job_outbox set held_until = now() - interval '1 second'`.execute(database.db)
      await expect.poll(atWorker).toEqual([{ task: 'left', attempts: 0 }])
      expect(await inOutbox()).toEqual([])
    })

    test('does not keep a later one of the same key from being handed over', async () => {
      await insertJobs([{ task: 'left', payload: {}, key: 'k', ticket }], 0).execute(database.db)
      await insertJobs([{ task: 'later', payload: {}, key: 'k' }], 0).execute(database.db)
      await expect.poll(atWorker).toEqual([{ task: 'later', attempts: 0 }])
      expect(await inOutbox()).toMatchObject([{ task: 'left' }])
    })

    test('is handed over beside the one that was added after it, not in its place', async () => {
      await insertJobs([{ task: 'left', payload: {}, key: 'k', ticket }], 0).execute(database.db)
      const runAt = new Date(Date.now() + 3_600_000)
      await insertJobs([{ task: 'later', payload: {}, key: 'k', runAt }], 0).execute(database.db)
      await expect.poll(atWorker).toEqual([{ task: 'later', attempts: 0 }])
      await sql`update job_outbox set held_until = now() - interval '1 second'`.execute(database.db)
      await expect.poll(inOutbox).toEqual([])
      const tasks = (await atWorker()).map(({ task }) => task)
      expect(tasks.sort()).toEqual(['later', 'left'])
    })

    test('goes on being held as long as it runs', async () => {
      const slow = Promise.withResolvers<void>()
      await work({ slow: () => slow.promise })
      await enqueue({ task: 'slow', payload: {} })
      const heldUntil = async () => (await inOutbox())[0]?.held_until?.getTime() ?? 0
      const first = await heldUntil()
      await expect.poll(heldUntil, { timeout: 15_000 }).toBeGreaterThan(first)
      slow.resolve()
      await expect.poll(inOutbox).toEqual([])
    })
  })

  describe('stopping', () => {
    test('waits for what runs and begins nothing more', async () => {
      const slow = Promise.withResolvers<void>()
      const seen: string[] = []
      const worker = await work({
        async slow() {
          await slow.promise
          seen.push('slow')
        },
        quick: async () => void seen.push('quick'),
      })
      await enqueue({ task: 'slow', payload: {} })
      workers = []
      const stopped = worker.stop().then(() => seen.push('stopped'))
      await enqueue({ task: 'quick', payload: {} })
      slow.resolve()
      await stopped
      expect(seen).toEqual(['slow', 'stopped'])
      await dispatch.settled()
      expect(await atWorker()).toMatchObject([{ task: 'quick' }])
    })

    test('aborts what outlives the grace, and leaves it to the next worker', async () => {
      let isAborted = false
      const worker = await work(
        {
          endless: (_payload, { signal }) =>
            new Promise((_, reject) =>
              signal.addEventListener('abort', () => {
                isAborted = true
                reject(new Error('aborted'))
              }),
            ),
        },
        { graceMs: 50 },
      )
      await enqueue({ task: 'endless', payload: {} })
      workers = []
      await worker.stop()
      expect(isAborted).toBe(true)
      await expect.poll(atWorker).toEqual([{ task: 'endless', attempts: 0 }])
    })
  })
}
