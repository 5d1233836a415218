import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runMigrations as migrateGraphileWorker } from 'graphile-worker'
import pg from 'pg'
import { type AppRole, type JournalProtection, setUpAppRole } from './database-role.ts'
import { graphileLog } from './graphile-log.ts'
import type { Log } from './log.ts'
import type { Secret } from './secret.ts'

/** The folder of the server's own migrations. */
export const MIGRATIONS_FOLDER = join(import.meta.dirname, '../migrations')

/** A migration cannot be applied, or what was applied differs from the files; `message` says which and what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

export type MigrateOptions = {
  /** A role that owns the schema. */
  connectionString: Secret<string>
  log: Log
  /** How the server itself will connect. Default: as the same user, with the rights of `holdfast_app`. */
  appRole?: AppRole
  /** Folders of `NNN-verb-noun.sql`; numbers are unique over all of them. */
  folders?: readonly string[]
}

export type Migrated = {
  /** For the running server: it cannot change or delete journal entries. */
  connectionString: Secret<string>
  /** Numbers applied by this call. */
  applied: number[]
  journalProtection: JournalProtection
}

type MigrationFile = { number: number; file: string; checksum: string; text: string }

/** Key of the session advisory lock that makes racing processes migrate one after the other. */
const MIGRATION_LOCK = 0x6d69 // "mi"

/**
 * Brings the database to the current schema: ours, then graphile-worker's, then the rights of the server's role. Safe
 * to call from several processes at once. Each file runs in a transaction of its own and is recorded with its
 * checksum; a file that was edited or removed after it was applied throws `MigrationError`.
 */
export async function migrate(options: MigrateOptions): Promise<Migrated> {
  const { log } = options
  const files = await readMigrations(options.folders ?? [MIGRATIONS_FOLDER])
  const client = new pg.Client({
    connectionString: options.connectionString.reveal(),
    application_name: 'holdfast migrate',
    connectionTimeoutMillis: 10_000,
  })
  // A broken connection also fails the statement that is waiting, and that one is thrown.
  client.on('error', (error) => log.debug({ err: error }, 'the migration connection broke'))
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await refuseOldServer(client)
    const applied = await applyMissing(client, files, log)
    await migrateGraphileWorkerOn(options.connectionString, log)
    const role = await setUpAppRole(
      client,
      options.connectionString,
      options.appRole ?? { kind: 'set-role' },
      log,
    )
    return { ...role, applied }
  } finally {
    await client.end()
  }
}

async function readMigrations(folders: readonly string[]): Promise<MigrationFile[]> {
  const files: MigrationFile[] = []
  for (const folder of folders) {
    for (const file of await readdir(folder)) {
      const number = /^(\d{3})-[a-z0-9-]+\.sql$/.exec(file)?.[1]
      if (!number) throw new MigrationError(`${join(folder, file)} is not named NNN-verb-noun.sql.`)
      const text = await readFile(join(folder, file), 'utf8')
      const checksum = createHash('sha256').update(text).digest('hex')
      files.push({ number: Number(number), file, checksum, text })
    }
  }
  files.sort((a, b) => a.number - b.number)
  for (const [index, { number, file }] of files.entries()) {
    const other = files[index + 1]
    if (other?.number === number)
      throw new MigrationError(`Two migrations have one number: ${file}, ${other.file}.`)
  }
  return files
}

async function refuseOldServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: number; text: string }>(
    "select current_setting('server_version_num')::int as version, current_setting('server_version') as text",
  )
  const { version, text } = rows[0]!
  if (version < 140_000)
    throw new MigrationError(`PostgreSQL ${text} is too old: Holdfast needs 14 or newer.`)
}

async function applyMissing(client: pg.Client, files: MigrationFile[], log: Log): Promise<number[]> {
  await client.query(`create table if not exists schema_migration (
    number int primary key, file text not null, checksum text not null, applied_at timestamptz not null default now()
  )`)
  const { rows } = await client.query<{ number: number; file: string; checksum: string }>(
    'select number, file, checksum from schema_migration',
  )
  const recorded = new Map(rows.map((row) => [row.number, row]))
  for (const { number, file } of rows) {
    if (!files.some((known) => known.number === number))
      throw new MigrationError(
        `Migration ${file} was applied to this database but is not in this version of Holdfast: the database is newer. Start the version that wrote it.`,
      )
  }
  const applied: number[] = []
  for (const migration of files) {
    const before = recorded.get(migration.number)
    if (!before) {
      await apply(client, migration)
      applied.push(migration.number)
      log.info({ migration: migration.file }, 'migration applied')
    } else if (before.checksum !== migration.checksum) {
      throw new MigrationError(
        `Migration ${migration.file} was edited after it was applied. Restore the file and put the change into a new migration.`,
      )
    }
  }
  return applied
}

async function apply(client: pg.Client, { number, file, checksum, text }: MigrationFile): Promise<void> {
  await client.query('begin')
  try {
    await client.query(text)
    await client.query('insert into schema_migration (number, file, checksum) values ($1, $2, $3)', [
      number,
      file,
      checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw new MigrationError(
      `Migration ${file} failed: ${(error as Error).message}. Nothing of it was kept.`,
      {
        cause: error,
      },
    )
  }
}

async function migrateGraphileWorkerOn(connectionString: Secret<string>, log: Log): Promise<void> {
  await migrateGraphileWorker({ connectionString: connectionString.reveal(), logger: graphileLog(log) })
}
