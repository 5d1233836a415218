import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type OpenDatabase, openDatabase } from '@holdfast/server/platform/database'
import { APP_ROLE } from '@holdfast/server/platform/database-role'
import { makeLog } from '@holdfast/server/platform/log'
import { embeddedConnectionString, withSetting } from '@holdfast/server/platform/postgres/connection-string'
import { relocatedFolder } from '@holdfast/server/platform/postgres/place-cluster'
import { Secret } from '@holdfast/server/platform/secret'
import { EXIT, type ExitCode, type Terminal, UsageError } from '../command.ts'

/** Options of every command that reads the database itself, also while the server is down or busy. */
export const DATABASE_OPTIONS = {
  data: { type: 'string' },
  json: { type: 'boolean' },
} as const

export const DATABASE_HELP = `  --data FOLDER        the data folder of an embedded database that runs
                       default: the database of DATABASE_URL, else HOLDFAST_DATA_DIR, else .holdfast in the project
  --json               print JSON`

const PROJECT_DATA = join(import.meta.dirname, '..', '..', '..', '..', '.holdfast')
/** One reads page after page, another one entity. */
const CONNECTIONS = 2

/**
 * Opens the database, asks it, and closes it. No session of it can write, whatever its user may.
 * @throws UsageError when there is no such database.
 */
export async function withDatabase(
  values: { readonly data?: string },
  terminal: Terminal,
  ask: (database: OpenDatabase) => Promise<ExitCode>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ExitCode> {
  const connectionString = withSetting(
    await chooseDatabase(values.data, env),
    'default_transaction_read_only=on',
  )
  const log = makeLog({ level: 'silent' })
  const database = openDatabase({ connectionString, log, maxConnections: CONNECTIONS })
  try {
    return await ask(database)
  } catch (error) {
    const reason = whyUnreachable(error)
    if (reason === null) throw error
    terminal.err(`The database does not answer: ${reason}`)
    return EXIT.unavailable
  } finally {
    await database.close()
  }
}

async function chooseDatabase(folder: string | undefined, env: NodeJS.ProcessEnv): Promise<Secret<string>> {
  if (folder === undefined && env.DATABASE_URL) {
    if (!/^postgres(ql)?:$/.test(URL.parse(env.DATABASE_URL)?.protocol ?? ''))
      throw new UsageError('DATABASE_URL takes postgres://user:password@host/database')
    return new Secret(env.DATABASE_URL)
  }
  return embeddedDatabase(folder ?? (env.HOLDFAST_DATA_DIR || PROJECT_DATA))
}

/** As the server itself signs in: it may not change the journal. */
async function embeddedDatabase(dataDir: string): Promise<Secret<string>> {
  const folder = join(dataDir, 'postgres')
  if (!existsSync(folder))
    throw new UsageError(
      `${dataDir} is no data folder with a database; name one with --data, or set DATABASE_URL`,
    )
  const cluster = join((await relocatedFolder(folder)) ?? folder, 'cluster')
  // Line 4 of `postmaster.pid` is the port; PostgreSQL deletes the file when it ends.
  const port = (await read(join(cluster, 'postmaster.pid')))?.split('\n')[3]
  const password = (await read(join(folder, 'app.password')))?.trim()
  if (!port || !password)
    throw new UsageError(`the database of ${dataDir} does not run; it does while Holdfast runs: npm start`)
  return embeddedConnectionString({
    role: APP_ROLE,
    password: new Secret(password),
    port,
    socketFolder: null,
    database: 'holdfast',
  })
}

async function read(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw new UsageError(`${file} cannot be read: ${message}`, { cause: error })
  }
}

/** Class 08 and 57P are the connection's, 28 and 3D000 those of signing in; null: the fault is another. */
function whyUnreachable(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const code = String((error as NodeJS.ErrnoException).code ?? '')
  const isConnection =
    /^(08|28)|^57P|^3D000$|^E(CONN|HOST|NET|TIMEDOUT|PIPE|AI_)|^ENOTFOUND$/.test(code) ||
    /^(Connection terminated|timeout exceeded when trying to connect)/.test(error.message)
  if (!isConnection) return null
  return error instanceof AggregateError
    ? error.errors.map((one: Error) => one.message).join(', ')
    : error.message
}
