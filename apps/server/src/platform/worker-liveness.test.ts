import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { makeLog } from './log.ts'
import { withDatabase } from './testing/with-database.ts'
import { keepWorkerAlive, type WorkerLiveness } from './worker-liveness.ts'

const database = withDatabase()
const log = makeLog({ level: 'silent' })
let liveness: WorkerLiveness | undefined
let open: (() => void) | undefined

afterEach(async () => {
  open?.()
  await liveness?.stop()
  liveness = undefined
})

/** From `close` on it connects only after `open`. */
async function keepBehindGate() {
  let gate = Promise.resolve()
  liveness = await keepWorkerAlive({
    database: {
      ...database.database,
      connect: async (name) => {
        await gate
        return database.database.connect(name)
      },
    },
    log,
  })
  const close = () => {
    const opened = Promise.withResolvers<void>()
    gate = opened.promise
    open = opened.resolve
  }
  return { liveness, close }
}

async function locksHeld(): Promise<number> {
  const { rows } = await sql`
    select from pg_locks join pg_database d on d.oid = database
    where locktype = 'advisory' and classid = ${0x776c} and granted and datname = current_database()`.execute(
    database.db,
  )
  return rows.length
}

/** Ends the connection that shows who lives, and waits until it is surely gone. */
async function cut(): Promise<void> {
  const ofLiveness = "application_name = 'holdfast worker liveness' and datname = current_database()"
  await database.queryAsOwner(`select pg_terminate_backend(pid) from pg_stat_activity where ${ofLiveness}`)
  const left = () => database.queryAsOwner(`select from pg_stat_activity where ${ofLiveness}`)
  await expect.poll(left).toEqual([])
}

test('a pool that announces itself while the connection is made again is shown by the next one', async () => {
  const { liveness, close } = await keepBehindGate()
  close()
  await cut()
  const announced = liveness.announce('late')
  announced.catch(() => undefined)
  open?.()
  await announced
  expect(await locksHeld()).toBe(1)
  await liveness.withdraw('late')
  expect(await locksHeld()).toBe(0)
})

test('one that is withdrawn while the connection is made again is not shown any more', async () => {
  const { liveness, close } = await keepBehindGate()
  await liveness.announce('gone')
  await liveness.announce('here')
  close()
  await cut()
  await liveness.withdraw('gone')
  open?.()
  await expect.poll(locksHeld).toBe(1)
  await liveness.withdraw('here')
  expect(await locksHeld()).toBe(0)
})

test('a pool that waits to be shown is told when it never will be', async () => {
  const { liveness, close } = await keepBehindGate()
  close()
  await cut()
  const announced = liveness.announce('given-up')
  announced.catch(() => undefined)
  await liveness.withdraw('given-up')
  await expect(announced).rejects.toThrow('given-up was withdrawn')
})
