import { readFileSync } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lastingPort } from '@holdfast/lightning/lasting-port'
import type { Log } from '../log.ts'
import type { Binaries } from './binaries.ts'
import { explainFailure, PostgresError } from './postgres-error.ts'
import { type RunAs, runToEnd, spawnAs } from './run-as.ts'
import { SPARE_SEGMENTS } from './spare-wal.ts'

export type ServerProcess = {
  pid: number
  port: number
  /** Where its Unix socket is, which costs a third of TCP for each query; null: only TCP is there. */
  socketFolder: string | null
  /** Why it ended by itself, as it may just be doing; null: it runs. */
  whyEnded(): Promise<PostgresError | null>
  stop(): Promise<void>
}

export type ServerOptions = {
  binaries: Binaries
  /** PGDATA. */
  cluster: string
  logFile: string
  runAs: RunAs
  log: Log
  /** Further `name=value` settings. */
  settings?: readonly string[]
}

/** Small, because the whole embedded world must fit in 500 MB; durability stays as PostgreSQL has it. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_permissions=0700',
  'max_connections=100',
  'shared_buffers=32MB',
  `min_wal_size=${SPARE_SEGMENTS}MB`,
  'max_wal_size=256MB',
  'wal_level=minimal',
  'max_wal_senders=0',
  'io_method=sync',
  'jit=off',
  'password_encryption=scram-sha-256',
  // Statements and their values may hold what a log must not.
  'log_min_error_statement=panic',
]

const READY_WITHIN_MS = 60_000
/** One of whose processes has crashed tries to recover first. */
const ENDS_WITHIN_MS = 5_000

/** Starts the server on a random loopback port and resolves when it takes connections. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  await stopLeftOver(options.cluster, options.log)
  let socketFolder = canHoldSocket(options.cluster) ? options.cluster : null
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(await lastingPort('127.0.0.1'), socketFolder, options)
    } catch (error) {
      // Not every file system has sockets: folders that a container shares with its host often do not.
      if (socketFolder !== null && /Unix.domain socket/i.test(String(error))) {
        socketFolder = null
        continue
      }
      // Somebody took the port between our look and the server's, or the last server's children are still ending.
      if (attempt === 5 || !/Address already in use|pre-existing shared memory/.test(String(error)))
        throw error
      await sleep(200)
    }
  }
}

async function startOn(
  port: number,
  socketFolder: string | null,
  options: ServerOptions,
): Promise<ServerProcess> {
  const { binaries, cluster, runAs } = options
  const settings = [
    ...SETTINGS,
    `unix_socket_directories=${socketFolder === null ? '' : `"${socketFolder}"`}`,
    `port=${port}`,
    ...(options.settings ?? []),
  ].flatMap((setting) => ['-c', setting])
  const logFile = await open(options.logFile, 'w', 0o600)
  try {
    const child = spawnAs(binaries.postgres, ['-D', cluster, ...settings], runAs, [
      'ignore',
      logFile.fd,
      logFile.fd,
    ])
    const ended = new Promise<Error | null>((resolve) => {
      child.on('error', resolve)
      child.on('exit', () => resolve(null))
    })
    const pid = child.pid
    const giveUp = AbortSignal.timeout(READY_WITHIN_MS)
    while (pid === undefined || !(await isReady(cluster, pid))) {
      const outcome = await Promise.race([ended, sleep(5, 'waiting' as const)])
      if (outcome === 'waiting' && !giveUp.aborted) continue
      child.kill('SIGKILL')
      const output = outcome instanceof Error ? outcome.message : await readFile(options.logFile, 'utf8')
      throw explainFailure('The embedded PostgreSQL did not start', output)
    }
    child.unref()
    const whyEnded = async () => {
      if ((await Promise.race([ended, sleep(ENDS_WITHIN_MS, 'running' as const)])) === 'running') return null
      return explainFailure('The embedded PostgreSQL has ended', await readFile(options.logFile, 'utf8'))
    }
    return { pid, port, socketFolder, whyEnded, stop: () => stopProcess(pid, ended) }
  } finally {
    await logFile.close()
  }
}

/** `sun_path` of macOS, the shortest there is, with its final NUL. */
const LONGEST_SOCKET_PATH = 104

/** PostgreSQL takes a list of folders, in which a name may be quoted but not hold a quote. */
function canHoldSocket(folder: string): boolean {
  const length = Buffer.byteLength(join(folder, '.s.PGSQL.65535')) + 1
  return process.platform !== 'win32' && length <= LONGEST_SOCKET_PATH && !folder.includes('"')
}

/** `postmaster.pid`: 1 pid, 2 data folder, 3 start time, 4 port, 5 socket folder, 6 address, 7 memory key, 8 status. */
async function readPostmasterPid(cluster: string): Promise<{ pid: number; status: string } | null> {
  try {
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n')
    const pid = Number(lines[0])
    return Number.isInteger(pid) && pid > 0 ? { pid, status: lines[7]?.trim() ?? '' } : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function isReady(cluster: string, pid: number): Promise<boolean> {
  const file = await readPostmasterPid(cluster)
  return file?.pid === pid && file.status === 'ready'
}

/**
 * Stops the server that a killed Holdfast left running on this cluster, so that nothing of the dead process's sessions
 * remains. The caller holds the data folder's lock: nobody living uses that server.
 */
export async function stopLeftOver(cluster: string, log: Log): Promise<void> {
  const file = await readPostmasterPid(cluster)
  if (!file || !pidExists(file.pid)) return
  if (isAlive(file.pid) && (await isServerOf(file.pid, cluster))) {
    log.info({ pid: file.pid }, 'stopping the PostgreSQL that an earlier run left behind')
    await stopProcess(file.pid)
  }
  await disown(cluster)
}

/** Larger than any pid that Linux or macOS gives out. */
const NO_PID = '2147483647'

/**
 * PostgreSQL refuses to start while the pid in `postmaster.pid` exists, although it may be a zombie or belong to
 * another program by now. Only that line is replaced: by the memory key in the file PostgreSQL still finds out whether
 * a backend of the dead server lives, and then does not start; removing the file would take away that guard.
 */
async function disown(cluster: string): Promise<void> {
  const path = join(cluster, 'postmaster.pid')
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return null
  })
  if (text !== null) await writeFile(path, text.replace(/^[^\n]*/, NO_PID))
}

/** Fast shutdown; when that hangs, immediate shutdown, after which the next start recovers from the WAL. */
async function stopProcess(pid: number, ended?: Promise<unknown>): Promise<void> {
  for (const [signal, withinMs] of [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    if (!isAlive(pid)) return
    process.kill(pid, signal)
    const giveUp = AbortSignal.timeout(withinMs)
    while (!giveUp.aborted) {
      if (!isAlive(pid)) return
      await (ended ? Promise.race([ended, sleep(20)]) : sleep(10))
    }
  }
  throw new PostgresError(
    `The embedded PostgreSQL (process ${pid}) does not stop. End it by hand and start again.`,
  )
}

/** A zombie does not count: it holds nothing any more. */
export function isAlive(pid: number): boolean {
  return pidExists(pid) && !isZombie(pid)
}

function pidExists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Ended, but its parent has not asked for its exit code: in a container whose first process never does, for ever. */
function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false
  try {
    // proc(5): the state follows the command's name, which stands in parentheses and may hold anything.
    return /^ Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, ''))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return true
  }
}

/** Whether that process is the server of this cluster: it was started with the cluster as `-D`. */
async function isServerOf(pid: number, cluster: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null)
  if (commandLine !== null) return commandLine.split('\0').includes(cluster)
  const { output } = await runToEnd('/bin/ps', ['-o', 'command=', '-p', String(pid)], null)
  return output.includes(`-D ${cluster} `)
}
