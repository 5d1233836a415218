import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Another process uses the data folder. */
export class DataFolderBusyError extends Error {
  override readonly name = 'DataFolderBusyError'
  readonly pid: number | null
  constructor(folder: string, pid: number | null) {
    const who = pid === null ? 'Another Holdfast' : `Another Holdfast (process ${pid})`
    super(`${who} uses the data folder ${folder}. Stop it, or name another folder in HOLDFAST_DATA_DIR.`)
    this.pid = pid
  }
}

/** The data folder cannot be used at all. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
}

export type DataFolderLock = { release(): void }

const SQLITE_BUSY = 5
const SQLITE_CANNOT_OPEN = new Set([8 /* READONLY */, 14 /* CANTOPEN */])

/**
 * Takes the data folder for this process, creating it when it is missing. The lock is the operating system's own file
 * lock, held through SQLite because Node has no call for it: it is taken atomically, and the kernel frees it when the
 * process ends in whatever way, so that neither kill -9 nor a reused pid can leave it behind or fake it.
 * Throws `DataFolderBusyError` and `DataFolderError`.
 */
export async function lockDataFolder(folder: string): Promise<DataFolderLock> {
  await makeDataFolder(folder)
  const pidFile = join(folder, 'holdfast.pid')
  const database = openLockFile(folder)
  try {
    database.exec('pragma locking_mode = exclusive; pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    database.close()
    const code = (error as { errcode?: number }).errcode ?? 0
    if (code === SQLITE_BUSY) throw new DataFolderBusyError(folder, await readPid(pidFile))
    throw SQLITE_CANNOT_OPEN.has(code) ? notWritable(folder, error) : error
  }
  // Only for the message above: what counts is the lock.
  try {
    await writeFile(pidFile, `${process.pid}\n`)
  } catch (error) {
    database.close()
    throw notWritable(folder, error)
  }
  return { release: () => database.close() }
}

/**
 * Root's data folder may be entered (not listed) by others, because PostgreSQL refuses to run as root and must reach
 * its files below; everything secret in it has a mode of its own.
 */
async function makeDataFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 })
  } catch (error) {
    throw notWritable(folder, error)
  }
}

function openLockFile(folder: string): DatabaseSync {
  try {
    return new DatabaseSync(join(folder, 'holdfast.lock'))
  } catch (error) {
    throw notWritable(folder, error)
  }
}

function notWritable(folder: string, cause: unknown): DataFolderError {
  return new DataFolderError(
    `The data folder ${folder} cannot be written: ${(cause as Error).message}. ` +
      'Start Holdfast as the user that it belongs to, or name another folder in HOLDFAST_DATA_DIR.',
    { cause },
  )
}

async function readPid(file: string): Promise<number | null> {
  try {
    const pid = Number.parseInt(await readFile(file, 'utf8'), 10)
    return Number.isInteger(pid) ? pid : null
  } catch (error) {
    // The other process holds the lock but has not written its pid yet.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
