import { existsSync } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { lockFile, type Unlock } from '@holdfast/lightning/file-lock'

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

/**
 * Takes the data folder for this process, creating it when it is missing; the lock ends with the process, however that
 * ends. Throws `DataFolderBusyError` and `DataFolderError`.
 */
export async function lockDataFolder(folder: string): Promise<DataFolderLock> {
  const pidFile = join(folder, 'holdfast.pid')
  let release: Unlock | null
  try {
    await makeDataFolder(folder)
    release = lockFile(join(folder, 'holdfast.lock'))
  } catch (error) {
    throw notWritable(folder, error)
  }
  if (release === null) throw new DataFolderBusyError(folder, await readPid(pidFile))
  // Only for the message above: what counts is the lock.
  try {
    await writeFile(pidFile, `${process.pid}\n`)
  } catch (error) {
    release()
    throw notWritable(folder, error)
  }
  return { release }
}

/**
 * Root's data folder may be entered (not listed) by others, because PostgreSQL refuses to run as root and must reach
 * its files below; everything secret in it has a mode of its own.
 */
async function makeDataFolder(folder: string): Promise<void> {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700
  try {
    await mkdir(folder, { mode })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return
    // By hand, because Node's own `recursive` goes round for ever where the parent is there and answers ENOENT all the
    // same, as /proc does.
    const parent = dirname(folder)
    if (code !== 'ENOENT' || existsSync(parent)) throw error
    await makeDataFolder(parent)
    await makeDataFolder(folder)
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
