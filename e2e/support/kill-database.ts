import { randomBytes } from 'node:crypto'
import { type OpenDatabase, openDatabase } from '@holdfast/server/platform/database'
import { makeLog } from '@holdfast/server/platform/log'
import { Secret } from '@holdfast/server/platform/secret'
import {
  createDatabase,
  dropDatabase,
  sharedServer,
  TEMPLATE,
  withDatabaseName,
} from '@holdfast/server/platform/testing/test-server'
import { installTraps } from './step-trap.ts'

/** A database that outlives those who are killed while they use it. */
export type KillDatabase = {
  /** As the owner of its tables. */
  readonly database: OpenDatabase
  /** With the server's own rights. */
  readonly connectionString: string
  drop(): Promise<void>
}

const CONNECTIONS = 6

/** A new one with traps, on the PostgreSQL of the test run in `runFolder`. */
export async function makeKillDatabase(runFolder: string): Promise<KillDatabase> {
  const postgres = await sharedServer(runFolder)
  const name = `kill_${randomBytes(8).toString('hex')}`
  await createDatabase(postgres.owner, name, TEMPLATE)
  const database = openDatabase({
    connectionString: new Secret(withDatabaseName(postgres.owner, name)),
    log: makeLog({ level: 'silent' }),
    maxConnections: CONNECTIONS,
  })
  await installTraps(database)
  return {
    database,
    connectionString: withDatabaseName(postgres.app, name),
    async drop() {
      await database.close()
      await dropDatabase(postgres.owner, name)
    },
  }
}
