import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort, makeFolder, type RunAs, requiredProgram, startService } from './service-process.ts'

export type RunningPostgres = { readonly url: string; stop(): Promise<void> }

const INITDB_WITHIN_MS = 60_000
const PSQL_WITHIN_MS = 10_000
const run = promisify(execFile)

/**
 * Debian's PostgreSQL on a free loopback port with SCRAM authentication. `url` names a user that may create databases
 * and roles but is no superuser, like one that an operator would give us. PostgreSQL refuses root: then it runs as the
 * user `postgres` or `nobody`, from a copy of its programs where that user cannot reach them.
 */
export async function startPostgres(): Promise<RunningPostgres> {
  const bin = requiredProgram('HOLDFAST_POSTGRES_BIN')
  const runAs = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  const { folder, remove } = makeFolder('postgres', runAs)
  try {
    const programs = runAs === undefined || isReachable(bin) ? bin : copyOf(bin, folder)
    const data = join(folder, 'data')
    const password = randomBytes(16).toString('hex')
    const passwordFile = join(folder, 'password')
    writeFileSync(passwordFile, password, { mode: 0o600 })
    if (runAs !== undefined) chownSync(passwordFile, runAs.uid, runAs.gid)
    await run(
      join(programs, 'initdb'),
      [
        '-D',
        data,
        '-U',
        'postgres',
        '-A',
        'scram-sha-256',
        `--pwfile=${passwordFile}`,
        '-E',
        'UTF8',
        '--locale=C',
        '--no-sync',
      ],
      { cwd: folder, timeout: INITDB_WITHIN_MS, ...runAs },
    )
    const port = await freePort()
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${folder}`,
      'jit=off',
      'max_connections=200',
    ]
    const service = await startService(
      join(programs, 'postgres'),
      ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
      {
        cwd: folder,
        ...(runAs === undefined ? {} : { runAs }),
        // Fast shutdown: it does not wait for clients.
        stopSignal: 'SIGINT',
        isReady: () => isReady(data),
      },
    )
    const superuser = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
    const role = `CREATE ROLE holdfast LOGIN CREATEDB CREATEROLE PASSWORD '${password}'`
    await run(join(programs, 'psql'), ['-X', '-q', '-c', role, superuser], {
      cwd: folder,
      timeout: PSQL_WITHIN_MS,
    })
    return {
      url: `postgres://holdfast:${password}@127.0.0.1:${port}/postgres`,
      async stop() {
        await service.stop()
        remove()
      },
    }
  } catch (fault) {
    remove()
    throw fault
  }
}

function unprivilegedUser(): RunAs {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find(([login]) => login === name) ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as',
  )
}

/** Whether everyone may enter each folder above: a home of root usually lets nobody in. */
function isReachable(path: string): boolean {
  for (let folder = realpathSync(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

/** The launchers find their programs relative to themselves, so the whole installation is copied. */
function copyOf(bin: string, folder: string): string {
  const copy = join(folder, 'installation')
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true })
  const programs = join(copy, 'bin')
  accessSync(programs, constants.X_OK)
  return programs
}

/** The eighth line of `postmaster.pid`; a connection made before it says so is refused ("is starting up"). */
async function isReady(data: string): Promise<boolean> {
  const file = join(data, 'postmaster.pid')
  return existsSync(file) && readFileSync(file, 'utf8').split('\n')[7]?.trim() === 'ready'
}
