import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

const SQLITE_BUSY = 5

/** Gives the lock back. */
export type Unlock = () => void

/**
 * Takes the operating system's own lock on `file`, creating it when it is missing; null when somebody else, in this
 * process or another, holds it. Held through SQLite, because Node has no call for it: it is taken atomically, and the
 * kernel frees it when the process ends in whatever way, so that neither kill -9 nor a reused pid can leave it behind
 * or fake it. Throws the error of the system or of SQLite when the file cannot be opened or written.
 */
export function lockFile(file: string): Unlock | null {
  const database = openPrivate(file)
  try {
    database.exec('pragma locking_mode = exclusive; pragma journal_mode = memory; begin exclusive')
    return () => database.close()
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null
    throw error
  }
}

/** Opens or creates a SQLite file that only its owner may read; the files beside it get its mode. Never waits. */
export function openPrivate(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 })
  // By its path: opening and closing the file once more would free the locks that this process holds on it.
  chmodSync(file, 0o600)
  return database
}
