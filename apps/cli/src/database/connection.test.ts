import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OpenDatabase, pingDatabase } from '@holdfast/server/platform/database'
import { APP_ROLE } from '@holdfast/server/platform/database-role'
import { withDatabase as testDatabase } from '@holdfast/server/platform/testing/with-database'
import { afterAll, expect, test } from 'vitest'
import { EXIT } from '../command.ts'
import { withDatabase } from './connection.ts'

const database = testDatabase()
const folder = mkdtempSync(join(tmpdir(), 'holdfast-data-'))
afterAll(() => rmSync(folder, { recursive: true }))

const complained: string[] = []
const terminal = { out: () => undefined, err: (text: string) => void complained.push(text) }

test('what is asked cannot write, whatever its user may', async () => {
  const env = { DATABASE_URL: database.ownerConnectionString.reveal() }
  const ask = withDatabase(
    {},
    terminal,
    async ({ pool }) => {
      await pool.query('delete from escrow')
      return EXIT.ok
    },
    env,
  )
  await expect(ask).rejects.toMatchObject({ code: '25006' })
})

test('whatever was asked of it, it is closed afterwards, so that the program ends', async () => {
  const env = { DATABASE_URL: database.connectionString.reveal() }
  const asks: ((asked: OpenDatabase) => Promise<unknown>)[] = [
    ({ pool }) => pool.query('select 1'),
    pingDatabase,
    async () => null,
  ]
  for (const ask of asks) {
    const asked: OpenDatabase[] = []
    const code = await withDatabase(
      {},
      terminal,
      async (open) => {
        asked.push(open)
        await ask(open)
        return EXIT.ok
      },
      env,
    )
    expect([code, asked[0]?.pool.ended]).toEqual([EXIT.ok, true])
  }
})

test('a database that does not answer is neither yes nor no', async () => {
  const env = { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' }
  const ask = async () => EXIT.ok
  const read = withDatabase(
    {},
    terminal,
    async ({ pool }) => {
      await pool.query('select 1')
      return ask()
    },
    env,
  )
  expect(await read).toBe(EXIT.unavailable)
  expect(complained.at(-1)).toContain('ECONNREFUSED')
  expect(complained.at(-1)).not.toContain('secret')
})

test('a wrong password is said, and is not shown', async () => {
  const url = new URL(database.connectionString.reveal())
  url.password = 'wrong'
  const env = { DATABASE_URL: url.href }
  const code = await withDatabase(
    {},
    terminal,
    async ({ pool }) => {
      await pool.query('select 1')
      return EXIT.ok
    },
    env,
  )
  expect(code).toBe(EXIT.unavailable)
  expect(complained.at(-1)).toContain('password authentication failed')
})

test('the embedded database of a data folder is found while it runs', async () => {
  const url = new URL(database.connectionString.reveal())
  const postgres = join(folder, 'runs', 'postgres')
  mkdirSync(join(postgres, 'cluster'), { recursive: true })
  writeFileSync(join(postgres, 'cluster', 'postmaster.pid'), `1\n/data\n0\n${url.port}\n`)
  writeFileSync(join(postgres, 'app.password'), `${decodeURIComponent(url.password)}\n`)
  let found: unknown
  const ask = async ({ pool }: OpenDatabase) => {
    found = (await pool.query('select current_user as role, current_database() as database')).rows[0]
    return EXIT.ok
  }
  expect(await withDatabase({ data: join(folder, 'runs') }, terminal, ask, {})).toBe(EXIT.ok)
  expect(found).toEqual({ role: APP_ROLE, database: 'holdfast' })
})

test.each([
  ['a folder without one', { data: '/missing' }, {}, '/missing is no data folder'],
  ['one that does not run', { data: join(folder, 'rests') }, {}, 'does not run'],
  [
    'an address of something else',
    {},
    { DATABASE_URL: 'https://db.example' },
    'DATABASE_URL takes postgres://',
  ],
])('%s is said', async (_what, values, env, reason) => {
  mkdirSync(join(folder, 'rests', 'postgres', 'cluster'), { recursive: true })
  await expect(withDatabase(values, terminal, async () => EXIT.ok, env)).rejects.toThrow(reason)
})
