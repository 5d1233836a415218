import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { DataFolderBusyError, lockDataFolder } from '../data-folder-lock.ts'
import { makeLog } from '../log.ts'
import { migrate } from '../migrate.ts'
import { openPostgres } from '../postgres/open-postgres.ts'
import { Secret } from '../secret.ts'

/** The database that each test file's own is copied from. */
export const TEMPLATE = 'holdfast_template'

/** The server of this test run: `owner` may create databases, `app` is how the tested server connects. */
export type TestServer = { owner: string; app: string }

const quiet = makeLog({ level: 'silent' })

/** The first caller of a run starts the server and migrates the template; the others wait for it. */
export async function sharedServer(runFolder: string): Promise<TestServer> {
  const dataDir = join(runFolder, 'data')
  const file = join(runFolder, 'server.json')
  while (true) {
    const started = await readStarted(file)
    if (started) return started
    try {
      const lock = await lockDataFolder(dataDir)
      try {
        const raced = await readStarted(file)
        if (raced) return raced
        const server = await start(dataDir)
        await writeFile(file, JSON.stringify(server), { mode: 0o600 })
        return server
      } finally {
        lock.release()
      }
    } catch (error) {
      if (!(error instanceof DataFolderBusyError)) throw error
      await sleep(25)
    }
  }
}

async function start(dataDir: string): Promise<TestServer> {
  // Nothing of a test run has to survive a power cut.
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']
  const postgres = await openPostgres({ databaseUrl: null, dataDir, settings }, quiet)
  const owner = postgres.connectionString.reveal()
  await createDatabase(owner, TEMPLATE)
  const { connectionString } = await migrate({
    connectionString: new Secret(withDatabaseName(owner, TEMPLATE)),
    appRole: postgres.appRole,
    log: quiet,
  })
  return { owner, app: connectionString.reveal() }
}

/** A server that somebody else runs (`*.services.test.ts`): the template is made there by whoever comes first. */
export async function givenServer(owner: string): Promise<TestServer> {
  const client = new pg.Client({ connectionString: owner })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(20)')
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [TEMPLATE])
    if (rowCount === 0) await client.query(`create database ${TEMPLATE}`)
    const { connectionString } = await migrate({
      connectionString: new Secret(withDatabaseName(owner, TEMPLATE)),
      log: quiet,
    })
    return { owner, app: connectionString.reveal() }
  } finally {
    await client.end()
  }
}

export async function createDatabase(owner: string, name: string, template?: string): Promise<void> {
  await asOwner(owner, `create database ${name}${template ? ` template ${template}` : ''}`)
}

export async function dropDatabase(owner: string, name: string): Promise<void> {
  await asOwner(owner, `drop database if exists ${name} with (force)`)
}

export function withDatabaseName(connectionString: string, name: string): string {
  const url = new URL(connectionString)
  url.pathname = `/${name}`
  return url.href
}

async function asOwner(owner: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: owner })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

async function readStarted(file: string): Promise<TestServer | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as TestServer
  } catch (error) {
    // Not there yet, or written only in part.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null
    throw error
  }
}
