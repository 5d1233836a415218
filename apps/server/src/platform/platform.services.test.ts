import { startPostgres } from '@holdfast/devnet/testing/postgres'
import { afterAll, beforeAll, describe } from 'vitest'
import { atOnceContract } from './at-once.contract.ts'
import { dispatchContract } from './dispatch.contract.ts'
import { jobsContract } from './jobs.contract.ts'
import { journalContract } from './journal/journal.contract.ts'
import { journalOrderProperty } from './journal/journal-order.contract.ts'
import { migrateContract } from './migrate.contract.ts'
import { type TestDatabase, withDatabase } from './testing/with-database.ts'
import { transactionContract } from './transaction.contract.ts'

/** The same promises on the PostgreSQL of Debian, reached as by DATABASE_URL. */
let server: Awaited<ReturnType<typeof startPostgres>>
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

describe("Debian's PostgreSQL", () => {
  // Each with a database of its own.
  const onDatabase = (contract: (database: TestDatabase) => void) => () =>
    contract(withDatabase({ server: () => server.url, maxConnections: 16 }))

  describe('transactions', onDatabase(transactionContract))
  describe('dispatch', onDatabase(dispatchContract))
  describe('jobs', onDatabase(jobsContract))
  describe('jobs begun at once', onDatabase(atOnceContract))
  describe('journal', onDatabase(journalContract))
  describe('order', onDatabase(journalOrderProperty))
  describe('migrations', onDatabase(migrateContract))
})
