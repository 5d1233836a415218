import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeLog } from '../log.ts'
import { Secret } from '../secret.ts'
import { clearPostgres, openPostgres, type Postgres } from './open-postgres.ts'
import { PostgresError } from './postgres-error.ts'
import { canReach } from './run-as.ts'
import { isAlive } from './server-process.ts'
import { COUNT_SPARE_SEGMENTS, SPARE_SEGMENTS } from './spare-wal.ts'

const log = makeLog({ level: 'silent' })
const root = process.getuid?.() === 0
const NOBODY = { name: 'nobody', uid: 65534, gid: 65534 }

let parent: string
let dataDir: string
let children: ChildProcess[]

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'))
  await chmod(parent, 0o755)
  dataDir = join(parent, 'data')
  await mkdir(dataDir, { mode: root ? 0o711 : 0o700 })
  children = []
})
afterEach(async () => {
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null) await kill(child, 'SIGKILL')
  await clearPostgres(dataDir, log)
  await rm(parent, { recursive: true })
})

const open = (settings?: string[]) =>
  openPostgres({ databaseUrl: null, dataDir, ...(settings && { settings }) }, log)

async function query(connectionString: string, text: string) {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

type Said = { ok: true; url: string } | { ok: false; name: string; message: string }

/** Opens it in a process of its own. */
async function openElsewhere(as?: {
  uid: number
  gid: number
}): Promise<{ child: ChildProcess; said: Said }> {
  const script = join(import.meta.dirname, '../testing/postgres-process.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...as,
  })
  children.push(child)
  const [line] = await once(child.stdout!, 'data')
  return { child, said: JSON.parse(String(line)) as Said }
}

async function kill(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

const cluster = () => join(dataDir, 'postgres/cluster')
const postmasterPid = async (folder = cluster()) =>
  Number((await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')[0])

describe('the embedded PostgreSQL', () => {
  test('is there within seconds, keeps what is written, and starts again faster', async () => {
    const first = await open()
    await query(first.connectionString.reveal(), 'create table kept as select 1 as one')
    await first.stop()
    expect(existsSync(join(cluster(), 'postmaster.pid'))).toBe(false)
    const second = await open()
    expect(await query(second.connectionString.reveal(), 'select * from kept')).toEqual([{ one: 1 }])
    await second.stop()
  })

  test.each([
    ['PGSSLMODE', 'require'],
    ['PGSSLNEGOTIATION', 'direct'],
    ['PGOPTIONS', '-c search_path=elsewhere'],
    ['PGREPLICATION', 'database'],
    ['PGCLIENT_ENCODING', 'latin1'],
    ['PGDATESTYLE', 'German'],
  ])('does not care how the shell reaches other databases: %s', async (name, value) => {
    vi.stubEnv(name, value)
    try {
      const postgres = await open()
      const client = new pg.Client({ connectionString: postgres.connectionString.reveal() })
      await client.connect()
      expect((await client.query('show search_path')).rows).toEqual([{ search_path: '"$user", public' }])
      expect((await client.query('select $1::text as said', ['für 5 €'])).rows).toEqual([{ said: 'für 5 €' }])
      expect((await client.query('show datestyle')).rows).toEqual([{ DateStyle: 'ISO, MDY' }])
      await client.end()
      await postgres.stop()
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('is durable, listens on the loopback only, and lets nobody in without the password', async () => {
    const postgres = await open()
    const url = new URL(postgres.connectionString.reveal())
    const settings = await query(
      url.href,
      `select name, setting from pg_settings where name in
       ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'data_checksums') order by name`,
    )
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      data_checksums: 'on',
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      synchronous_commit: 'on',
    })
    const byTcp = new URL(url.href)
    byTcp.search = ''
    for (const way of [url, byTcp]) {
      way.password = 'guess'
      await expect(query(way.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
      way.password = ''
      await expect(query(way.href, 'select 1')).rejects.toThrow(/password/)
    }
    await postgres.stop()
  })

  test('soon has old segments of its log to write to, and has them again after it was killed', async () => {
    const spare = async (url: string) => (await query(url, COUNT_SPARE_SEGMENTS))[0]!.spare
    const { child, said } = await openElsewhere()
    if (!said.ok) throw new Error(said.message)
    await expect.poll(() => spare(said.url), { timeout: 60_000 }).toBeGreaterThanOrEqual(SPARE_SEGMENTS)
    await query(said.url, `select pg_switch_wal() from (select pg_logical_emit_message(false, '', '')) as _`)
    process.kill(await postmasterPid(), 'SIGKILL')
    await kill(child, 'SIGKILL')
    const again = await open()
    expect(await spare(again.connectionString.reveal())).toBeGreaterThanOrEqual(SPARE_SEGMENTS - 2)
    await again.stop()
  })

  test.for([
    { folder: 'short, with a space', socket: true },
    { folder: 'longer than the path of a Unix socket may be'.repeat(3), socket: false },
    { folder: 'with a quote "', socket: false },
  ])('in a folder that is $folder: by Unix socket $socket, and by TCP', async ({ folder, socket }) => {
    dataDir = join(dataDir, folder)
    await mkdir(dataDir)
    const postgres = await open()
    const byTcp = new URL(postgres.connectionString.reveal())
    expect(byTcp.searchParams.has('host')).toBe(socket)
    const peer = 'select inet_client_addr() is null as "bySocket"'
    expect(await query(byTcp.href, peer)).toEqual([{ bySocket: socket }])
    byTcp.search = ''
    expect(await query(byTcp.href, peer)).toEqual([{ bySocket: false }])
    await postgres.stop()
  })

  test('keeps its passwords where only we may read them', async () => {
    const postgres = await open()
    for (const name of ['owner.password', 'app.password', 'server.log'])
      expect((await stat(join(dataDir, 'postgres', name))).mode & 0o777, name).toBe(0o600)
    expect((await stat(cluster())).mode & 0o777).toBe(0o700)
    const password = await readFile(join(dataDir, 'postgres/owner.password'), 'utf8')
    expect(await readFile(join(dataDir, 'postgres/server.log'), 'utf8')).not.toContain(password)
    await postgres.stop()
  })

  test('that a killed process left running is stopped, and its data is there', async () => {
    const { child, said } = await openElsewhere()
    if (!said.ok) throw new Error(said.message)
    await query(said.url, 'create table kept as select 1 as one')
    const leftOver = await postmasterPid()
    await kill(child, 'SIGKILL')
    expect(isAlive(leftOver)).toBe(true)
    const postgres = await open()
    expect(isAlive(leftOver)).toBe(false)
    expect(await query(postgres.connectionString.reveal(), 'select * from kept')).toEqual([{ one: 1 }])
    await postgres.stop()
  })

  test('that was killed itself recovers', async () => {
    const { child, said } = await openElsewhere()
    if (!said.ok) throw new Error(said.message)
    await query(said.url, 'create table kept as select 1 as one')
    process.kill(await postmasterPid(), 'SIGKILL')
    await kill(child, 'SIGKILL')
    const postgres = await open()
    expect(await query(postgres.connectionString.reveal(), 'select * from kept')).toEqual([{ one: 1 }])
    await postgres.stop()
  })

  test('whose old pid now belongs to another program leaves that program alone and starts', async () => {
    const first = await open()
    await first.stop()
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' })
    children.push(stranger)
    await writeFile(
      join(cluster(), 'postmaster.pid'),
      `${stranger.pid}\n${cluster()}\n1\n5432\n\n127.0.0.1\n\nready\n`,
    )
    const postgres = await open()
    expect(await query(postgres.connectionString.reveal(), 'select 1 as one')).toEqual([{ one: 1 }])
    expect(isAlive(stranger.pid!)).toBe(true)
    await postgres.stop()
  })

  test('whose setting up was interrupted is set up anew', async () => {
    await mkdir(`${cluster()}.new/base`, { recursive: true })
    await writeFile(`${cluster()}.new/PG_VERSION`, '18\n')
    const postgres = await open()
    expect(existsSync(`${cluster()}.new`)).toBe(false)
    await postgres.stop()
  })

  test('of one data folder is not opened twice', async () => {
    const { child } = await openElsewhere()
    const { said } = await openElsewhere()
    expect(said).toMatchObject({
      ok: false,
      name: 'DataFolderBusyError',
      message: expect.stringContaining(`process ${child.pid}`),
    })
    await kill(child, 'SIGTERM')
  })

  test('that cannot start says why, and leaves no process behind', async () => {
    await (await open()).stop()
    await writeFile(join(cluster(), 'PG_VERSION'), '12\n')
    const failed = open()
    await expect(failed).rejects.toThrow(PostgresError)
    await expect(failed).rejects.toThrow(/written by another major version of PostgreSQL/)
    expect(existsSync(join(cluster(), 'postmaster.pid'))).toBe(false)
  })

  test('that ends while it is used says why', async () => {
    const postgres = await open()
    process.kill(await postmasterPid(), 'SIGQUIT')
    const why = await postgres.whyEnded()
    expect(why).toBeInstanceOf(PostgresError)
    expect(why?.message).toMatch(
      /^The embedded PostgreSQL has ended\.\nPostgreSQL said: .*immediate shutdown/s,
    )
    await postgres.stop()
  })

  test('with an empty password file is refused with what to do', async () => {
    await mkdir(join(dataDir, 'postgres'))
    await writeFile(join(dataDir, 'postgres/owner.password'), '')
    await expect(open()).rejects.toThrow(/owner.password is empty/)
  })
})

describe('whoever starts it', () => {
  test('an ordinary user runs it as itself', async () => {
    if (!root) {
      const postgres: Postgres = await open()
      expect((await stat(cluster())).uid).toBe(process.getuid?.())
      return postgres.stop()
    }
    // As root we become an ordinary user for it, when that user can reach Node and the project at all.
    await chown(dataDir, NOBODY.uid, NOBODY.gid)
    const reachable = await canReach(process.execPath, 'x', NOBODY)
    if (!reachable) {
      await expect(promisify(execFile)(process.execPath, ['-v'], NOBODY)).rejects.toMatchObject({
        code: 'EACCES',
      })
      return
    }
    const { child, said } = await openElsewhere(NOBODY)
    if (!said.ok) throw new Error(said.message)
    expect((await stat(cluster())).uid).toBe(NOBODY.uid)
    expect(await query(said.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await kill(child, 'SIGTERM')
  })

  test('what belongs to another user is refused with what to do', async () => {
    await (await open()).stop()
    if (root) {
      await chown(join(cluster(), 'PG_VERSION'), 4242, 4242)
      await expect(open()).rejects.toThrow(/belongs to user 4242, but PostgreSQL would run as user/)
    } else {
      await chmod(join(dataDir, 'postgres/owner.password'), 0)
      await expect(open()).rejects.toMatchObject({ code: 'EACCES' })
    }
  })

  test('a database that can no longer be reached is not replaced by an empty one', async () => {
    await (await open()).stop()
    await chmod(parent, 0o700)
    if (root)
      await expect(open()).rejects.toThrow(/can no longer reach. Let others enter the folders above it again/)
    else await (await open()).stop()
    await chmod(parent, 0o755)
    await (await open()).stop()
  })

  test('below a closed folder, PostgreSQL still reaches its data', async () => {
    await chmod(parent, 0o700)
    const postgres = await open()
    const [{ folder }] = (await query(postgres.connectionString.reveal(), 'show data_directory')).map(
      (row) => ({
        folder: row.data_directory as string,
      }),
    ) as [{ folder: string }]
    // Root's PostgreSQL is another user, to whom the folder is closed.
    if (root) expect(folder).toMatch(/^\/var\/lib\/holdfast\/[0-9a-f]{16}\/cluster$/)
    else expect(folder).toBe(cluster())
    expect(postgres.elsewhere).toBe(root ? dirname(folder) : null)
    await query(postgres.connectionString.reveal(), 'create table kept as select 1 as one')
    await postgres.stop()
    // It is found again from wherever the data folder is moved to.
    await rename(dataDir, `${dataDir}-moved`)
    dataDir = `${dataDir}-moved`
    const again = await open()
    expect(await query(again.connectionString.reveal(), 'select * from kept')).toEqual([{ one: 1 }])
    await again.stop()
    await clearPostgres(dataDir, log)
    expect(existsSync(folder)).toBe(false)
  })
})

describe('DATABASE_URL', () => {
  test('is used as it is', async () => {
    const embedded = await open()
    const given = await openPostgres({ databaseUrl: embedded.connectionString, dataDir: '/nowhere' }, log)
    expect(given).toMatchObject({ kind: 'server', appRole: { kind: 'set-role' } })
    await given.stop()
    expect(await query(given.connectionString.reveal(), 'select 1 as one')).toEqual([{ one: 1 }])
    await embedded.stop()
  })

  test('that leads nowhere says so without its password', async () => {
    const databaseUrl = new Secret('postgres://holdfast:hunter2@127.0.0.1:1/holdfast')
    const failed = openPostgres({ databaseUrl, dataDir }, log)
    await expect(failed).rejects.toThrow(
      /^PostgreSQL at 127.0.0.1:1 cannot be used: .*ECONNREFUSED.*correct DATABASE_URL\.$/,
    )
    await expect(failed).rejects.not.toThrow(/hunter2/)
  })
})
