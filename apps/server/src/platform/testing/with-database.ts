/**
 * A fresh, migrated database for a test file:
 *
 *     const database = withDatabase()
 *
 *     test('a claimed name is in the journal', async () => {
 *       await database.transact(async (tx) => { ... })
 *       expect(await database.db.selectFrom('journal').selectAll().execute()).toHaveLength(1)
 *     })
 *
 * Call it at the top of the file or of a `describe`; its properties can be used within tests and `beforeEach`. It
 * connects as the server does, with the restricted role. Each call is a database of its own, copied in about 50 ms from
 * a template with all files of `src/migrations`, on one real PostgreSQL that the first file of a run starts (about 2 s)
 * and `global-setup.ts` stops. With HOLDFAST_TEST_DATABASE_URL (a user that may create databases and roles) it is made
 * on that server instead. Tests of a whole process give `database.connectionString` to it as DATABASE_URL.
 */
import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import { type Database, type OpenDatabase, openDatabase } from '../database.ts'
import { startDispatch } from '../dispatch.ts'
import { makeLog } from '../log.ts'
import { Secret } from '../secret.ts'
import { makeTransact, type Transact } from '../transaction.ts'
import {
  createDatabase,
  dropDatabase,
  givenServer,
  sharedServer,
  TEMPLATE,
  withDatabaseName,
} from './test-server.ts'

export type TestDatabase = {
  readonly db: Kysely<Database>
  readonly pool: pg.Pool
  /** Resolves once the jobs have reached the worker, too, so that a test can look for them at once. */
  readonly transact: Transact
  /** What platform functions take as `database`. */
  readonly database: OpenDatabase
  /** Of the restricted role. */
  readonly connectionString: Secret<string>
  /** Of the role that owns the tables. */
  readonly ownerConnectionString: Secret<string>
  /** Runs one statement as that role, for what the server may not do; answers the rows. */
  queryAsOwner(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
}

type Opened = { database: OpenDatabase; transact: Transact; app: Secret<string>; owner: Secret<string> }

export function withDatabase(options: { server?: () => string; maxConnections?: number } = {}): TestDatabase {
  let opened: Opened | undefined
  let drop: () => Promise<void>

  beforeAll(async () => {
    const given = options.server?.() ?? process.env.HOLDFAST_TEST_DATABASE_URL
    const server = given ? await givenServer(given) : await sharedServer(inject('testRunFolder'))
    const name = `test_${randomBytes(8).toString('hex')}`
    await createDatabase(server.owner, name, TEMPLATE)
    const app = new Secret(withDatabaseName(server.app, name))
    const owner = new Secret(withDatabaseName(server.owner, name))
    const log = makeLog({ level: 'silent' })
    const database = openDatabase({
      connectionString: app,
      log,
      ...(options.maxConnections && { maxConnections: options.maxConnections }),
    })
    const dispatch = startDispatch({ database, log })
    const transact = makeTransact({ database, dispatch })
    const settled: Transact = async (work) => {
      const result = await transact(work)
      await dispatch.settled()
      return result
    }
    opened = { database, transact: settled, app, owner }
    drop = async () => {
      await dispatch.stop()
      await database.close()
      await dropDatabase(server.owner, name)
    }
  })

  afterAll(async () => {
    await drop?.()
  })

  const get = (): Opened => {
    if (!opened) throw new Error('The database is there only within tests and hooks.')
    return opened
  }
  return {
    get db() {
      return get().database.db
    },
    get pool() {
      return get().database.pool
    },
    get transact() {
      return get().transact
    },
    get database() {
      return get().database
    },
    get connectionString() {
      return get().app
    },
    get ownerConnectionString() {
      return get().owner
    },
    async queryAsOwner(text, values) {
      const client = new pg.Client({ connectionString: get().owner.reveal() })
      await client.connect()
      try {
        return (await client.query<Record<string, unknown>>(text, values)).rows
      } finally {
        await client.end()
      }
    },
  }
}
