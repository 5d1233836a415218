import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeLog } from './log.ts'
import { MIGRATIONS_FOLDER, MigrationError, migrate } from './migrate.ts'
import { Secret } from './secret.ts'
import { createDatabase, dropDatabase, withDatabaseName } from './testing/test-server.ts'
import type { TestDatabase } from './testing/with-database.ts'

const log = makeLog({ level: 'silent' })
let counter = 0

/** What migrating promises, on whatever PostgreSQL; `database` is any database on it whose owner may create others. */
export function migrateContract(database: TestDatabase): void {
  let folder: string
  let owner: string
  let drop: () => Promise<void>
  let connectionString: Secret<string>

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-migrations-'))
    owner = database.ownerConnectionString.reveal()
    const name = `migrate_${process.pid}_${++counter}`
    await createDatabase(owner, name)
    drop = () => dropDatabase(owner, name)
    connectionString = new Secret(withDatabaseName(owner, name))
  })
  afterEach(async () => {
    await drop()
    await rm(folder, { recursive: true })
  })

  const file = (name: string, text: string) => writeFile(join(folder, name), text)
  const run = (more: string[] = []) =>
    migrate({ connectionString, log, folders: [MIGRATIONS_FOLDER, folder, ...more] })

  async function query(text: string, as: Secret<string> = connectionString) {
    const client = new pg.Client({ connectionString: as.reveal() })
    await client.connect()
    try {
      return await client.query(text)
    } finally {
      await client.end()
    }
  }

  describe('migrating', () => {
    test('applies what is missing, in order, once', async () => {
      await file('902-add-color.sql', 'alter table thing add color text;')
      await file('901-create-thing.sql', 'create table thing (id int primary key);')
      expect((await run()).applied.slice(-2)).toEqual([901, 902])
      await file('903-fill-thing.sql', "insert into thing values (1, 'red');")
      expect((await run()).applied).toEqual([903])
      expect((await run()).applied).toEqual([])
      expect((await query('select * from thing')).rows).toEqual([{ id: 1, color: 'red' }])
    })

    test('by several processes at once is done once, and all succeed', async () => {
      await file('901-create-thing.sql', 'create table thing (id int primary key); select pg_sleep(0.1);')
      const outcomes = await Promise.all([run(), run(), run(), run()])
      expect(outcomes.filter(({ applied }) => applied.includes(901))).toHaveLength(1)
    })

    test('keeps nothing of a migration that fails, and says which it was', async () => {
      await file('901-create-thing.sql', 'create table thing (id int primary key);')
      await file('902-break.sql', 'create table other (id int); select 1 / 0;')
      await expect(run()).rejects.toThrow(
        'Migration 902-break.sql failed: division by zero. Nothing of it was kept.',
      )
      expect(
        (await query("select to_regclass('thing') as thing, to_regclass('other') as other")).rows,
      ).toEqual([{ thing: 'thing', other: null }])
    })

    test('refuses a file that was edited after it was applied', async () => {
      await file('901-create-thing.sql', 'create table thing (id int);')
      await run()
      await file('901-create-thing.sql', 'create table thing (id bigint);')
      await expect(run()).rejects.toThrow(/901-create-thing.sql was edited after it was applied/)
    })

    test('refuses a database that a newer version has migrated', async () => {
      await file('901-create-thing.sql', 'create table thing (id int);')
      await run()
      await rm(join(folder, '901-create-thing.sql'))
      await expect(run()).rejects.toThrow(/901-create-thing.sql .* the database is newer/)
    })

    test.each([
      [['9-short.sql'], 'is not named NNN-verb-noun.sql'],
      [['901-Create.SQL'], 'is not named NNN-verb-noun.sql'],
      [['901-one.sql', '901-two.sql'], 'Two migrations have one number: 901-one.sql, 901-two.sql'],
    ])('refuses files named %j', async (names, message) => {
      for (const name of names) await file(name, 'select 1;')
      await expect(run()).rejects.toThrow(MigrationError)
      await expect(run()).rejects.toThrow(message)
    })
  })

  describe('the role that the server works with', () => {
    test('may use tables of later migrations, but only read and append to the journal', async () => {
      await file(
        '901-create-thing.sql',
        'create table thing (id int generated always as identity, note text);',
      )
      const { connectionString: app, journalProtection } = await run()
      expect(journalProtection).toBe('role')
      expect((await query('select current_user', app)).rows).toEqual([{ current_user: 'holdfast_app' }])
      await query(
        "insert into thing (note) values ('x'); update thing set note = 'y'; delete from thing",
        app,
      )
      for (const statement of [
        'update journal set seq = 1',
        'delete from journal',
        'truncate journal',
        'drop table journal',
        'alter table journal disable trigger all',
        'delete from schema_migration',
      ])
        await expect(query(statement, app)).rejects.toMatchObject({ code: '42501' })
    })

    test('is replaced by the triggers alone, with a warning, where the owner may not create roles', async () => {
      const user = `limited_${process.pid}_${counter}`
      const name = new URL(connectionString.reveal()).pathname.slice(1)
      await query(
        `create role ${user} login password 'p'; grant ${user} to current_user; alter database ${name} owner to ${user}`,
      )
      const url = new URL(connectionString.reveal())
      url.username = user
      url.password = 'p'
      const warnings: string[] = []
      const outcome = await migrate({
        connectionString: new Secret(url.href),
        log: makeLog({ level: 'warn', stream: { write: (line) => void warnings.push(line) } }),
      })
      expect(outcome.journalProtection).toBe('triggers-only')
      expect(warnings.join()).toContain('only triggers keep the journal append-only')
      const asLimited = outcome.connectionString
      await expect(query('truncate journal', asLimited)).rejects.toThrow(/append-only/)
      // An administrator lets it use the role: from then on the rights protect, too.
      await query(`grant holdfast_app to ${user}`)
      const again = await migrate({ connectionString: new Secret(url.href), log })
      expect(again.journalProtection).toBe('role')
      await expect(query('truncate journal', again.connectionString)).rejects.toMatchObject({ code: '42501' })
      await query(
        `reassign owned by ${user} to current_user; drop owned by ${user}; revoke holdfast_app from ${user}`,
      )
      await query(`alter database ${name} owner to current_user; drop role ${user}`)
    })
  })
}
