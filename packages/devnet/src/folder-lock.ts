import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { lockFile, type Unlock } from '@holdfast/lightning/file-lock'

/** Another process keeps its data in this folder: two writers would ruin them. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
  constructor(folder: string) {
    super(`${folder} is in use by another process. Stop that one first, or choose another folder.`)
  }
}

/** Makes the folder and claims it until `Unlock` or the end of the process. Throws `FolderInUse`. */
export function lockFolder(folder: string): Unlock {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const unlock = lockFile(join(folder, 'folder.lock'))
  if (unlock === null) throw new FolderInUse(folder)
  return unlock
}
