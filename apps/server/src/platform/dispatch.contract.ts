import { sql } from 'kysely'
import { afterEach, describe, expect, test } from 'vitest'
import { type Dispatch, POLL_MS, startDispatch } from './dispatch.ts'
import { insertJobs } from './job-outbox.ts'
import { startWakeUps } from './journal/wake-ups.ts'
import { makeLog } from './log.ts'
import { makeRightOfWay } from './right-of-way.ts'
import type { TestDatabase } from './testing/with-database.ts'
import { makeTransact, type NewJob } from './transaction.ts'

const quiet = makeLog({ level: 'silent' })
const crowded = { ...makeRightOfWay(), isCrowded: () => true }

/** How jobs come from a committed transaction to the worker, and the journal's followers to know of it. */
export function dispatchContract(database: TestDatabase): void {
  const dispatches: Dispatch[] = []

  afterEach(async () => {
    await Promise.all(dispatches.splice(0).map((dispatch) => dispatch.stop()))
    await sql`delete from graphile_worker._private_jobs`.execute(database.db)
    await sql`delete from job_outbox`.execute(database.db)
  })

  function start(): Dispatch {
    const dispatch = startDispatch({ database: database.database, log: quiet })
    dispatches.push(dispatch)
    return dispatch
  }

  /** As a process does that dies right after its commit. */
  const commitOnly = (...jobs: NewJob[]) => insertJobs(jobs, 0).execute(database.db)

  const arrived = async () => {
    const { rows } = await sql<{ task: string; key: string | null; payload: unknown; priority: number }>`
      select job.priority, job.key, job.payload, task.identifier as task
      from graphile_worker._private_jobs job join graphile_worker._private_tasks task on task.id = job.task_id
      order by job.priority, job.id`.execute(database.db)
    return rows
  }
  const waitingForLocks = async () => {
    const { rows } = await sql`
      select from pg_locks join pg_stat_activity using (pid)
      where not granted and locktype = 'transactionid' and datname = current_database()`.execute(database.db)
    return rows.length
  }
  const left = async () => (await sql`select from job_outbox`.execute(database.db)).rows.length

  test('a job whose process died right after its commit is handed over by any other process', async () => {
    await commitOnly({ task: 'orphan', payload: { n: 1 } })
    start()
    await expect.poll(arrived).toMatchObject([{ task: 'orphan', payload: { n: 1 } }])
    expect(await left()).toBe(0)
  })

  test('of jobs with one key that wait together only the last one arrives', async () => {
    await commitOnly({ task: 'keyed', payload: { n: 1 }, key: 'k' }, { task: 'other', payload: {} })
    await commitOnly({ task: 'keyed', payload: { n: 2 }, key: 'k' }, { task: 'other', payload: {} })
    start()
    await expect
      .poll(async () =>
        (await arrived()).map(({ task, payload }) => `${task} ${JSON.stringify(payload)}`).sort(),
      )
      .toEqual(['keyed {"n":2}', 'other {}', 'other {}'])
  })

  test('a job whose key has one that a worker takes at that moment is added beside it', async () => {
    await commitOnly(
      { task: 'keyed', payload: { n: 1 }, key: 'k' },
      { task: 'keyed', payload: { n: 1 }, key: 'l' },
    )
    const dispatch = start()
    await expect.poll(async () => (await arrived()).length).toBe(2)
    await database.db.transaction().execute(async (taking) => {
      await sql`update graphile_worker._private_jobs set locked_by = 'a worker', locked_at = now() where key = 'k'`.execute(
        taking,
      )
      await commitOnly(
        { task: 'keyed', payload: { n: 2 }, key: 'k' },
        { task: 'keyed', payload: { n: 2 }, key: 'l' },
      )
      dispatch.committed({ entries: 0, jobs: 2 })
      await expect.poll(waitingForLocks).toBe(1)
    })
    await dispatch.settled()
    const payloads = (await arrived()).map(({ key, payload }) => `${key} ${JSON.stringify(payload)}`)
    expect(payloads.sort()).toEqual(['k {"n":2}', 'l {"n":2}', 'null {"n":1}'])
  })

  test('of jobs handed over together those that were added first are due first', async () => {
    for (const task of ['first', 'second', 'third']) await commitOnly({ task, payload: {} })
    start()
    const inOrder = async () => {
      const { rows } = await sql<{ task: string }>`
        select task_identifier as task from graphile_worker.jobs order by run_at`.execute(database.db)
      return rows.map(({ task }) => task)
    }
    await expect.poll(inOrder).toEqual(['first', 'second', 'third'])
  })

  test('more jobs than one round takes all arrive, once, also with several processes at it', async () => {
    const own = [start(), start(), start()]
    const writers = own.map((dispatch) => makeTransact({ database: database.database, dispatch }))
    await Promise.all(
      writers.flatMap((transact, writer) =>
        Array.from({ length: 5 }, (_, round) =>
          transact(async (tx) => {
            for (let n = 0; n < 100; n++)
              tx.enqueue({ task: 'many', payload: { id: `${writer}/${round}/${n}` } })
          }),
        ),
      ),
    )
    await Promise.all(own.map((dispatch) => dispatch.settled()))
    const ids = (await arrived()).map(({ payload }) => (payload as { id: string }).id)
    expect([ids.length, new Set(ids).size]).toEqual([1_500, 1_500])
    expect(await left()).toBe(0)
  })

  test('jobs carry the priority of their transaction, or their own', async () => {
    const dispatch = start()
    const transact = makeTransact({ database: database.database, dispatch, jobPriority: 10 })
    await transact(async (tx) => {
      tx.enqueue({ task: 'usual', payload: {} })
      tx.enqueue({ task: 'urgent', payload: {}, priority: -1 })
    })
    await dispatch.settled()
    expect(await arrived()).toMatchObject([
      { task: 'urgent', priority: -1 },
      { task: 'usual', priority: 10 },
    ])
  })

  describe('patient jobs', () => {
    const patient = (n: number, more: Partial<NewJob> = {}): NewJob => ({
      task: 'patient',
      payload: { n },
      patient: true,
      ...more,
    })
    /** As a worker does: in order, and each once. */
    const take = async () => {
      const { rows } = await sql<{ payload: { n?: number } }>`
        with taken as (delete from graphile_worker._private_jobs returning payload, priority, id)
        select payload from taken order by priority, id`.execute(database.db)
      return rows.map(({ payload }) => payload.n)
    }

    test('reach the worker a few at a time, in their order, the others at once', async () => {
      await commitOnly(...Array.from({ length: 50 }, (_, n) => patient(n)))
      await commitOnly({ task: 'prompt', payload: {} })
      start()
      const came: (number | undefined)[] = []
      while (came.length < 51) {
        const batch = await take()
        expect(batch.length).toBeLessThan(50)
        came.push(...batch)
      }
      expect(came.indexOf(undefined)).toBeLessThan(50)
      expect(came.filter((n) => n !== undefined)).toEqual(Array.from({ length: 50 }, (_, n) => n))
    })

    test('do not wait for jobs of others that nobody takes', async () => {
      await commitOnly(...Array.from({ length: 50 }, () => ({ task: 'of no worker', payload: {} })))
      await commitOnly(patient(1))
      start()
      await expect.poll(async () => (await arrived()).some(({ task }) => task === 'patient')).toBe(true)
    })

    test('the best priority first', async () => {
      await commitOnly(...Array.from({ length: 40 }, (_, n) => patient(n, { priority: 10 })))
      await commitOnly(patient(100))
      start()
      await expect.poll(async () => (await take())[0]).toBe(100)
    })

    test('of one key the last is handed over, also when it overtakes', async () => {
      await commitOnly(...Array.from({ length: 40 }, (_, n) => patient(n, { priority: 10, key: `k${n}` })))
      await commitOnly(patient(139, { key: 'k39' }))
      start()
      const came: (number | undefined)[] = []
      while (came.length < 40) came.push(...(await take()))
      expect(came.filter((n) => n === 39 || n === 139)).toEqual([139])
      expect(came).toHaveLength(40)
    })
  })

  describe('of requests that come in a crowd', () => {
    const commit = (dispatch: Dispatch, job: NewJob) =>
      makeTransact({ database: database.database, dispatch, rightOfWay: crowded })(async (tx) =>
        tx.enqueue(job),
      )

    test.each([true, false])('patient jobs (%s) reach the worker soon', async (patient) => {
      await commit(start(), { task: 'crowd', payload: {}, patient })
      await expect.poll(arrived, { timeout: POLL_MS / 2 }).toMatchObject([{ task: 'crowd' }])
    })

    test('patient ones that come together are handed over together', async () => {
      const dispatch = start()
      await dispatch.settled()
      const listener = await database.database.connect('test')
      let handedOver = 0
      listener.on('notification', () => handedOver++)
      await listener.query('listen "jobs:insert"')
      try {
        const rounds = 18
        for (let round = 0; round < rounds; round++)
          await commit(dispatch, { task: 'crowd', payload: {}, patient: true })
        await expect.poll(async () => (await arrived()).length).toBe(rounds)
        expect(handedOver).toBeLessThan(rounds)
      } finally {
        await listener.end()
      }
    })
  })

  test.each([false, true])(
    'what was committed before the stop is handed over by it (patient: %s)',
    async (patient) => {
      const dispatch = start()
      const transact = makeTransact({ database: database.database, dispatch, rightOfWay: crowded })
      await transact(async (tx) => tx.enqueue({ task: 'last', payload: {}, patient }))
      await dispatches.pop()?.stop()
      expect(await arrived()).toMatchObject([{ task: 'last' }])
    },
  )

  test('goes on when its connection was cut', async () => {
    const dispatch = start()
    const transact = makeTransact({ database: database.database, dispatch })
    await transact(async (tx) => tx.enqueue({ task: 'before', payload: {} }))
    await dispatch.settled()
    await database.queryAsOwner(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'holdfast dispatch' and datname = current_database()`,
    )
    await transact(async (tx) => tx.enqueue({ task: 'after', payload: {} }))
    await dispatch.settled()
    expect((await arrived()).map(({ task }) => task)).toEqual(['before', 'after'])
  })

  describe('the journal’s followers', () => {
    test('are woken by a commit with entries, and not by one without', async () => {
      const wakeUps = await startWakeUps({ database: database.database, log: quiet, pollMs: 3_600_000 })
      let woken = 0
      wakeUps.subscribe(() => {
        woken++
      })
      try {
        const dispatch = start()
        const transact = makeTransact({ database: database.database, dispatch })
        await transact(async (tx) => tx.enqueue({ task: 'silent', payload: {} }))
        await dispatch.settled()
        const entry = { stream: 'test', entityId: 'woken', kind: 'test.done', data: {}, actor: 'system' }
        await transact(async (tx) => tx.append(entry))
        await expect.poll(() => woken).toBe(1)
      } finally {
        await wakeUps.stop()
      }
    })

    test('hear once of what their own process commits, and of what others do', async () => {
      const [own, other] = [start(), start()]
      const { ownCommits } = own
      const wakeUps = await startWakeUps({
        ...{ database: database.database, log: quiet, ownCommits },
        pollMs: 3_600_000,
      })
      let woken = 0
      wakeUps.subscribe(() => {
        woken++
      })
      const entry = { stream: 'test', entityId: 'heard', kind: 'test.done', data: {}, actor: 'system' }
      try {
        await makeTransact({ database: database.database, dispatch: own })(async (tx) => tx.append(entry))
        await expect.poll(() => woken).toBe(1)
        await own.settled()
        await makeTransact({ database: database.database, dispatch: other })(async (tx) => tx.append(entry))
        await expect.poll(() => woken).toBe(2)
      } finally {
        await wakeUps.stop()
      }
    })

    test('are told in their own process alone where there is no other', async () => {
      const alone = startDispatch({ database: database.database, log: quiet, isAlone: true })
      dispatches.push(alone)
      const { ownCommits } = alone
      const pollMs = 3_600_000
      const own = await startWakeUps({ database: database.database, log: quiet, pollMs, ownCommits })
      const others = await startWakeUps({ database: database.database, log: quiet, pollMs })
      const woken: string[] = []
      own.subscribe(() => void woken.push('own'))
      others.subscribe(() => void woken.push('others'))
      const entry = { stream: 'test', entityId: 'alone', kind: 'test.done', data: {}, actor: 'system' }
      try {
        await makeTransact({ database: database.database, dispatch: alone })(async (tx) => tx.append(entry))
        await expect.poll(() => woken).toEqual(['own'])
        await alone.settled()
        // By then they would have heard of the first one, too.
        const dispatch = start()
        await makeTransact({ database: database.database, dispatch })(async (tx) => tx.append(entry))
        await expect.poll(() => woken.toSorted()).toEqual(['others', 'own', 'own'])
      } finally {
        await Promise.all([own.stop(), others.stop()])
      }
    })
  })
}
