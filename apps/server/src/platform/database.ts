import { CompiledQuery, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { JournalFollowerTable, JournalTable } from './journal/journal-tables.ts'
import type { Log } from './log.ts'
import { withSetting } from './postgres/connection-string.ts'
import { PLAIN_SESSION, PreparingClient } from './prepared-statements.ts'
import type { Secret } from './secret.ts'

/**
 * All tables as Kysely sees them. A slice declares its own beside its store, and no platform file is edited:
 *
 *     declare module '../platform/database.ts' {
 *       interface Database extends NameTables {}
 *     }
 *
 * `int8` (also `count(*)` and `sum(int)`) is read as bigint, `numeric` as string, `timestamptz` as Date, `bytea` as
 * Buffer, `json` and `jsonb` as parsed JSON.
 */
export interface Database {
  journal: JournalTable
  journal_follower: JournalFollowerTable
}

/** A pool of connections to one database. */
export type OpenDatabase = {
  readonly db: Kysely<Database>
  readonly pool: pg.Pool
  /** A connection of its own, for LISTEN and session locks. The caller ends it and listens to its `error` event. */
  connect(applicationName: string): Promise<pg.Client>
  /**
   * A pool whose `int8` are strings, for libraries that expect node-postgres as it comes. The caller ends it.
   * `lastCommitsMayBeLost`: its commits do not wait for the disk; a crash of PostgreSQL may undo the latest of them.
   */
  openPlainPool(options: {
    applicationName: string
    maxConnections: number
    lastCommitsMayBeLost?: boolean
  }): pg.Pool
  close(): Promise<void>
}

const INT8 = 20
/** A new connection costs a process, a password's key and all plans: a rush after a rest must not pay for ten of them. */
const IDLE_TIMEOUT_MS = 10 * 60_000
/** No request waits for these: they are to last also where a start keeps the whole machine busy. */
const PATIENT_CONNECTION_TIMEOUT_MS = 30_000

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? (text: string) => BigInt(text) : pg.types.getTypeParser(oid, format as 'text')) as never,
}

export function openDatabase(options: {
  connectionString: Secret<string>
  log: Log
  /** Most connections held at a time. Default 12. */
  maxConnections?: number
}): OpenDatabase {
  const { connectionString, log } = options
  const session = {
    connectionString: connectionString.reveal(),
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 60_000,
  }
  const openPool = (max: number, applicationName: string, own: pg.PoolConfig = {}) => {
    const pool = new pg.Pool({ ...session, ...own, max, application_name: applicationName })
    // An idle connection that breaks is replaced by the pool; without a listener Node would end the process.
    pool.on('error', (error) => {
      if (!pool.ending) log.warn({ err: error }, 'an idle database connection broke')
    })
    pool.on('connect', listen)
    return pool
  }
  /** The same for one that is in use but waits for us; its next statement fails and is reported there. */
  const listen = (client: pg.Client | pg.PoolClient) =>
    void client.on('error', (error) => log.debug({ err: error }, 'a database connection broke'))
  const pool = openPool(options.maxConnections ?? 12, 'holdfast', {
    types,
    Client: PreparingClient,
    pipeline: true,
  })
  // Goes before what the connection is wanted for; where it cannot, that fails too and says why.
  pool.on('connect', (client) => void client.query(PLAIN_SESSION).catch(() => undefined))
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
  return {
    db,
    pool,
    async connect(applicationName) {
      const client = new pg.Client({
        ...session,
        connectionTimeoutMillis: PATIENT_CONNECTION_TIMEOUT_MS,
        types,
        application_name: `holdfast ${applicationName}`,
      })
      // Before it comes up: who gets it listens a moment later, and by then it may have broken.
      listen(client)
      await client.connect()
      return client
    },
    openPlainPool: ({ applicationName, maxConnections, lastCommitsMayBeLost = false }) =>
      openPool(maxConnections, `holdfast ${applicationName}`, {
        connectionTimeoutMillis: PATIENT_CONNECTION_TIMEOUT_MS,
        // Not as `options`, which those of a connection string replace.
        ...(lastCommitsMayBeLost && {
          connectionString: withSetting(connectionString, 'synchronous_commit=off').reveal(),
        }),
      }),
    async close() {
      await db.destroy()
      // Kysely leaves a pool open that it was never asked to use.
      if (!pool.ended) await pool.end()
    },
  }
}

/** Whether the database answers, for `/ready`. */
export async function pingDatabase(database: OpenDatabase): Promise<void> {
  await database.db.executeQuery(CompiledQuery.raw('select 1'))
}
