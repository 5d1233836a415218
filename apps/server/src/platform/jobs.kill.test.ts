import { once } from 'node:events'
import { expect, test } from 'vitest'
import { startWorker } from './jobs.ts'
import { makeLog } from './log.ts'
import { startLingeringWorker } from './testing/lingering-worker.ts'
import { withDatabase } from './testing/with-database.ts'

const database = withDatabase()

test('a job of a killed worker is taken over within a minute by one that runs already', async () => {
  await database.transact(async (tx) => tx.enqueue({ task: 'linger', payload: {} }))
  const child = await startLingeringWorker(database.connectionString)
  const taken: number[] = []
  const worker = await startWorker({
    database: database.database,
    log: makeLog({ level: 'silent' }),
    concurrency: 1,
    tasks: { linger: async (_payload, { attempt }) => void taken.push(attempt) },
  })
  // Past its first looks, so that only the regular one can find the dead worker.
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  expect(taken).toEqual([])
  child.kill('SIGKILL')
  await once(child, 'exit')
  await expect.poll(() => taken, { timeout: 60_000 }).toEqual([1])
  await worker.stop()
}, 90_000)
