import { mkdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { AppRole } from '../database-role.ts'
import type { Log } from '../log.ts'
import type { Secret } from '../secret.ts'
import { findBinaries } from './binaries.ts'
import { embeddedConnectionString } from './connection-string.ts'
import { initCluster, keptPassword, OWNER_ROLE } from './init-cluster.ts'
import { type Orphan, placeCluster, relocatedFolder } from './place-cluster.ts'
import { PostgresError } from './postgres-error.ts'
import { chooseUser } from './run-as.ts'
import { startServer, stopLeftOver } from './server-process.ts'
import { makeSpareWal } from './spare-wal.ts'

export type Postgres = {
  /** Of the role that owns the schema: for `migrate` only. */
  connectionString: Secret<string>
  /** How the server itself connects; given to `migrate`. */
  appRole: AppRole
  kind: 'embedded' | 'server'
  /** The folder that holds the embedded database, when it cannot be kept in the data folder. */
  elsewhere: string | null
  /** Why the embedded server ended by itself, as it may just be doing; null: it did not, or is not ours. */
  whyEnded(): Promise<PostgresError | null>
  stop(): Promise<void>
}

export type PostgresConfig = {
  /** `DATABASE_URL`; null: the embedded server. */
  databaseUrl: Secret<string> | null
  /** Where the embedded server keeps its data; its lock must be held (`lockDataFolder`). */
  dataDir: string
  /** Further `name=value` settings of the embedded server. */
  settings?: readonly string[]
}

/** The server named by DATABASE_URL, or our own in `<data folder>/postgres`. Throws `PostgresError`. */
export async function openPostgres(config: PostgresConfig, log: Log): Promise<Postgres> {
  if (config.databaseUrl) {
    await refuseUnreachable(config.databaseUrl)
    return {
      connectionString: config.databaseUrl,
      appRole: { kind: 'set-role' },
      kind: 'server',
      elsewhere: null,
      whyEnded: async () => null,
      stop: async () => undefined,
    }
  }
  return openEmbedded(config, log)
}

const DATABASE = 'holdfast'

async function openEmbedded({ dataDir, settings }: PostgresConfig, log: Log): Promise<Postgres> {
  const runAs = await chooseUser()
  const folder = join(await realpath(dataDir), 'postgres')
  await mkdir(folder, { recursive: true, mode: runAs ? 0o711 : 0o700 })
  const [binaries, cluster, password, appPassword] = await Promise.all([
    findBinaries(runAs),
    placeCluster(folder, runAs),
    keptPassword(join(folder, 'owner.password')),
    keptPassword(join(folder, 'app.password')),
  ])
  await initCluster({ binaries, cluster, password, runAs })
  const logFile = join(folder, 'server.log')
  const server = await startServer({ binaries, cluster, logFile, runAs, log, ...(settings && { settings }) })
  const { port, socketFolder } = server
  const urlOf = (database: string) =>
    embeddedConnectionString({ role: OWNER_ROLE, password, port, socketFolder, database })
  try {
    await createDatabase(urlOf('postgres'))
  } catch (error) {
    await server.stop()
    throw error
  }
  let stopping = false
  // Nobody waits for it: it takes half a second, in which much else is still starting.
  const spareWal = makeSpareWal(urlOf('postgres')).catch((error) => {
    if (!stopping) log.warn({ err: error }, 'PostgreSQL has no spare WAL; a rush may be slower')
  })
  log.info({ pid: server.pid, port: server.port, cluster }, 'embedded PostgreSQL is ready')
  return {
    connectionString: urlOf(DATABASE),
    appRole: { kind: 'login', password: appPassword },
    kind: 'embedded',
    elsewhere: await relocatedFolder(folder),
    whyEnded: server.whyEnded,
    async stop() {
      stopping = true
      await server.stop()
      await spareWal
    },
  }
}

/** Stops an embedded server that a killed process left behind and deletes its data. The folder's lock must be held. */
export async function clearPostgres(dataDir: string, log: Log): Promise<void> {
  const folder = join(await realpath(dataDir), 'postgres')
  const elsewhere = await relocatedFolder(folder)
  if (elsewhere !== null) await clearPlace(elsewhere, log)
  await clearPlace(folder, log)
}

/** The same for what a data folder left elsewhere that is no more. */
export function clearOrphan({ folder }: Orphan, log: Log): Promise<void> {
  return clearPlace(folder, log)
}

async function clearPlace(place: string, log: Log): Promise<void> {
  await stopLeftOver(join(place, 'cluster'), log)
  await rm(place, { recursive: true, force: true })
}

async function createDatabase(connectionString: Secret<string>): Promise<void> {
  const client = new pg.Client({
    connectionString: connectionString.reveal(),
    connectionTimeoutMillis: 10_000,
  })
  // Without a listener Node would end the process; the statement that waits fails as well.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`create database ${DATABASE}`)
  } finally {
    await client.end()
  }
}

async function refuseUnreachable(connectionString: Secret<string>): Promise<void> {
  const url = new URL(connectionString.reveal())
  const client = new pg.Client({
    connectionString: connectionString.reveal(),
    connectionTimeoutMillis: 10_000,
  })
  // As above.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.end()
  } catch (error) {
    throw new PostgresError(
      `PostgreSQL at ${url.hostname}:${url.port || 5432} cannot be used: ${reasonOf(error)}. Start it, or correct DATABASE_URL.`,
      { cause: error },
    )
  }
}

/** A host with several addresses gives an error for each of them, and none for all. */
function reasonOf(error: unknown): string {
  return error instanceof AggregateError
    ? error.errors.map((one: Error) => one.message).join(', ')
    : (error as Error).message
}
