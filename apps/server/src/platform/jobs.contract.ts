import { once } from 'node:events'
import type { JsonObject } from '@holdfast/core'
import { sql } from 'kysely'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { type JobContext, startWorker, type Task, type Worker, type WorkerOptions } from './jobs.ts'
import { makeLog } from './log.ts'
import type { RightOfWay } from './right-of-way.ts'
import { startLingeringWorker } from './testing/lingering-worker.ts'
import type { TestDatabase } from './testing/with-database.ts'
import { unlockJobsOfDeadWorkers } from './worker-liveness.ts'

/** What jobs and their worker promise, on whatever PostgreSQL. */
export function jobsContract(database: TestDatabase): void {
  const log = makeLog({ level: 'silent' })
  let workers: Worker[] = []

  async function work(
    tasks: Record<string, Task>,
    graceMs = 10_000,
    more: Partial<WorkerOptions> = {},
  ): Promise<Worker> {
    const usual = { database: database.database, tasks, concurrency: 2, log, graceMs }
    const worker = await startWorker({ ...usual, ...more })
    workers.push(worker)
    return worker
  }

  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    workers = []
    await sql`delete from graphile_worker._private_jobs`.execute(database.db)
  })

  const enqueue = (
    task: string,
    payload: JsonObject = {},
    more: { maxAttempts?: number; key?: string } = {},
  ) => database.transact(async (tx) => tx.enqueue({ task, payload, ...more }))

  const jobs = async () => {
    const { rows } = await sql<{
      task: string
      attempts: number
      last_error: string | null
      locked_by: string | null
    }>`
    select task_identifier as task, attempts, last_error, locked_by from graphile_worker.jobs`.execute(
      database.db,
    )
    return rows
  }

  /** Stands in for the time that graphile-worker waits before the next attempt. */
  const makeDue = () => sql`update graphile_worker._private_jobs set run_at = now()`.execute(database.db)

  /** Stands in for the time that a pool has to announce itself. */
  const ageLocks = () =>
    sql`update graphile_worker._private_jobs set locked_at = locked_at - interval '1 minute'`.execute(
      database.db,
    )

  async function cut(applicationName: string): Promise<number> {
    const rows = await database.queryAsOwner(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name like $1 and datname = current_database()`,
      [applicationName],
    )
    return rows.length
  }

  /** Cuts the worker off; as long as `meanwhile` lasts the database takes no new connections. */
  async function cutOff(meanwhile: () => Promise<void>): Promise<void> {
    const owner = new pg.Client({ connectionString: database.ownerConnectionString.reveal() })
    await owner.connect()
    const limitConnections = async (most: number) => {
      const { rows } = await owner.query<{ statement: string }>(
        `select format('alter database %I connection limit ${most}', current_database()) as statement`,
      )
      await owner.query(rows[0]!.statement)
    }
    try {
      await limitConnections(0)
      await owner.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name like 'holdfast worker%' and datname = current_database()`,
      )
      await meanwhile()
    } finally {
      await limitConnections(-1)
      await owner.end()
    }
  }

  describe('a job', () => {
    test('runs after its transaction has committed, and not before', async () => {
      const seen: JsonObject[] = []
      await work({ greet: async (payload) => void seen.push(payload) })
      await database.transact(async (tx) => {
        tx.enqueue({ task: 'greet', payload: { name: 'alice' } })
        await new Promise((resolve) => setTimeout(resolve, 100))
        expect(seen).toEqual([])
      })
      await expect.poll(() => seen, { interval: 5 }).toEqual([{ name: 'alice' }])
      await expect.poll(jobs).toEqual([])
    })

    test('that throws is tried again with its attempt counted, then kept as a dead letter', async () => {
      const attempts: [number, number][] = []
      await work({
        fail: async (_payload, { attempt, maxAttempts }) => {
          attempts.push([attempt, maxAttempts])
          throw new Error(`no luck ${attempt}`)
        },
      })
      await enqueue('fail', {}, { maxAttempts: 2 })
      await expect.poll(jobs).toMatchObject([{ attempts: 1, last_error: 'no luck 1', locked_by: null }])
      await makeDue()
      await sql`select pg_notify('jobs:insert', '{"count":1}')`.execute(database.db)
      await expect.poll(jobs).toMatchObject([{ attempts: 2, last_error: 'no luck 2', locked_by: null }])
      expect(attempts).toEqual([
        [1, 2],
        [2, 2],
      ])
    })

    test('with a key replaces the waiting one of the same key', async () => {
      await enqueue('later', { n: 1 }, { key: 'k' })
      await enqueue('later', { n: 2 }, { key: 'k' })
      const seen: JsonObject[] = []
      await work({ later: async (payload) => void seen.push(payload) })
      await expect.poll(jobs).toEqual([])
      expect(seen).toEqual([{ n: 2 }])
    })

    test('starts when it is its turn', async () => {
      const turn = Promise.withResolvers<void>()
      let asked = 0
      const rightOfWay: Pick<RightOfWay, 'turn'> = {
        turn() {
          asked++
          return turn.promise
        },
      }
      let started = 0
      await work({ polite: async () => void started++ }, 10_000, { rightOfWay })
      await enqueue('polite')
      await expect.poll(() => asked).toBe(1)
      expect(started).toBe(0)
      turn.resolve()
      await expect.poll(() => started).toBe(1)
    })

    test('of a worker in no hurry runs as well, also the second of two', async () => {
      const seen: JsonObject[] = []
      await work({ look: async (payload) => void seen.push(payload) }, 10_000, { unhurried: true })
      await enqueue('look', { n: 1 })
      await expect.poll(() => seen).toEqual([{ n: 1 }])
      await enqueue('look', { n: 2 })
      await expect.poll(() => seen).toEqual([{ n: 1 }, { n: 2 }])
      await expect.poll(jobs).toEqual([])
    })

    test('of a task that this worker does not have is left for another', async () => {
      await work({ known: async () => undefined })
      await enqueue('unknown')
      await enqueue('known')
      await expect.poll(jobs).toMatchObject([{ task: 'unknown', attempts: 0 }])
    })
  })

  test('a worker that is stopped while it connects again leaves no connection behind', async () => {
    const worker = await work({})
    workers = []
    await cut('holdfast worker liveness')
    await worker.stop()
    const connections = () =>
      sql`select from pg_stat_activity
        where application_name like 'holdfast worker%' and datname = current_database()`.execute(database.db)
    await expect.poll(async () => (await connections()).rows.length).toBe(0)
  })

  test('a worker that could not look for jobs for a while is replaced, and goes on', async () => {
    const lines: string[] = []
    const seen: JsonObject[] = []
    const told = makeLog({ level: 'warn', stream: { write: (line) => void lines.push(line) } })
    await work({ greet: async (payload) => void seen.push(payload) }, 10_000, { log: told })
    const rename = (from: string, to: string) =>
      database.queryAsOwner(`alter table graphile_worker.${from} rename to ${to}`)
    await rename('_private_jobs', 'hidden')
    try {
      await expect.poll(() => lines.some((line) => line.includes('it is replaced'))).toBe(true)
    } finally {
      await rename('hidden', '_private_jobs')
    }
    await enqueue('greet', { name: 'carol' })
    await expect.poll(() => seen).toEqual([{ name: 'carol' }])
  })

  test('a worker whose connections were all cut goes on working', async () => {
    const seen: JsonObject[] = []
    await work({ greet: async (payload) => void seen.push(payload) })
    await cut('holdfast worker%')
    await enqueue('greet', { name: 'bob' })
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual([{ name: 'bob' }])
  })

  test('a worker that gives up while the database takes no connections is replaced as soon as it does', async () => {
    const lines: string[] = []
    const seen: number[] = []
    const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const told = makeLog({ level: 'warn', stream: { write: (line) => void lines.push(line) } })
    await work(
      {
        async end({ n }) {
          seen.push(Number(n))
          await ends[Number(n)]?.promise
        },
      },
      100,
      { log: told },
    )
    await enqueue('end', { n: 0 })
    await expect.poll(() => seen).toEqual([0])
    await cutOff(async () => {
      // That it has ended cannot be written, which is what a pool gives up for.
      ends[0]?.resolve()
      const isTold = () => lines.some((line) => line.includes('the worker pool could not start'))
      await expect.poll(isTold, { timeout: 10_000 }).toBe(true)
    })
    await enqueue('end', { n: 1 })
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual([0, 1])
    await ageLocks()
    // Of the pool that is gone, and not of the one that runs the other.
    expect(await unlockJobsOfDeadWorkers(database.database)).toBe(1)
    await expect.poll(() => seen).toEqual([0, 1, 0])
    ends[1]?.resolve()
    await expect.poll(jobs).toEqual([])
    expect(seen).toEqual([0, 1, 0])
  })

  test('a worker whose connections are cut just as two jobs end is replaced, and their jobs are run again', async () => {
    const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const seen: number[] = []
    await work(
      {
        async end({ n }) {
          seen.push(Number(n))
          await ends[Number(n)]?.promise
        },
      },
      100,
    )
    await enqueue('end', { n: 0 })
    await enqueue('end', { n: 1 })
    await expect.poll(() => seen.toSorted()).toEqual([0, 1])
    const waiting = async () =>
      (
        await database.queryAsOwner(
          `select from pg_stat_activity where application_name = 'holdfast worker' and wait_event_type = 'Lock'`,
        )
      ).length
    // That they have ended cannot be written while this lasts.
    await database.db.transaction().execute(async (db) => {
      await sql`select from graphile_worker._private_jobs for update`.execute(db)
      ends[0]?.resolve()
      await expect.poll(waiting).toBe(1)
      ends[1]?.resolve()
      await expect.poll(waiting).toBe(2)
      await cut('holdfast worker')
      await expect.poll(waiting).toBe(0)
    })
    await ageLocks()
    await enqueue('end', { n: 2 })
    const again = async () => {
      await unlockJobsOfDeadWorkers(database.database)
      return seen.slice(2).toSorted()
    }
    await expect.poll(again, { timeout: 50_000 }).toEqual([0, 1, 2])
    await expect.poll(jobs).toEqual([])
  })

  describe('stopping a worker', () => {
    test('waits for the running job and takes no other', async () => {
      const slow = Promise.withResolvers<void>()
      const finished: string[] = []
      const worker = await work({
        slow: async () => {
          await slow.promise
          finished.push('slow')
        },
        quick: async () => void finished.push('quick'),
      })
      await enqueue('slow')
      await expect.poll(jobs).toMatchObject([{ attempts: 1 }])
      const stopped = worker.stop().then(() => finished.push('stopped'))
      workers = []
      // A look for jobs that was under way may still take one.
      await new Promise((resolve) => setTimeout(resolve, 300))
      await enqueue('quick')
      await new Promise((resolve) => setTimeout(resolve, 100))
      slow.resolve()
      await stopped
      expect(finished).toEqual(['slow', 'stopped'])
      expect(await jobs()).toMatchObject([{ task: 'quick', attempts: 0 }])
    })

    test('aborts a job that outlives the grace', async () => {
      let context: JobContext | undefined
      const worker = await work(
        {
          endless: (_payload, given) => {
            context = given
            return new Promise((_, reject) =>
              given.signal.addEventListener('abort', () => reject(new Error('aborted'))),
            )
          },
        },
        100,
      )
      await enqueue('endless')
      await expect.poll(() => context).toBeDefined()
      await worker.stop()
      workers = []
      expect(context?.signal.aborted).toBe(true)
      expect(await jobs()).toMatchObject([{ last_error: 'aborted', locked_by: null }])
    })
  })

  describe('the job of a worker that was killed', () => {
    async function killDuringJob(): Promise<void> {
      const child = await startLingeringWorker(database.connectionString)
      child.kill('SIGKILL')
      await once(child, 'exit')
      await ageLocks()
    }

    test('is taken over by the next worker, its attempt given back', async () => {
      await enqueue('linger', {}, { maxAttempts: 1 })
      await killDuringJob()
      const attempts: number[] = []
      await work({ linger: async (_payload, { attempt }) => void attempts.push(attempt) })
      await expect.poll(() => attempts, { timeout: 15_000 }).toEqual([1])
    })

    test('is left alone while its worker lives', async () => {
      const lingering = Promise.withResolvers<void>()
      await work({ linger: () => lingering.promise })
      await enqueue('linger')
      await expect.poll(jobs).toMatchObject([{ attempts: 1 }])
      await ageLocks()
      expect(await unlockJobsOfDeadWorkers(database.database)).toBe(0)
      lingering.resolve()
      await expect.poll(jobs).toEqual([])
    })

    test('also of one whose connection was cut: it shows itself again', async () => {
      const lingering = Promise.withResolvers<void>()
      await work({ linger: () => lingering.promise })
      await enqueue('linger')
      await expect.poll(jobs).toMatchObject([{ attempts: 1 }])
      const lockHolders = async () => {
        const { rows } = await sql<{ pid: number }>`
          select pid from pg_locks join pg_database d on d.oid = database
          where locktype = 'advisory' and classid = ${0x776c} and granted and datname = current_database()`.execute(
          database.db,
        )
        return rows.map(({ pid }) => pid)
      }
      const [before] = await lockHolders()
      expect(await cut('holdfast worker liveness')).toBe(1)
      // The connection that was cut may be seen to hold its lock for a moment longer.
      await expect
        .poll(async () => {
          const holders = await lockHolders()
          return holders.length === 1 && holders[0] !== before
        })
        .toBe(true)
      await ageLocks()
      expect(await unlockJobsOfDeadWorkers(database.database)).toBe(0)
      lingering.resolve()
      await expect.poll(jobs).toEqual([])
    })
  })
}
