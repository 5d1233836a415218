import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Replaces `file` so that after a crash either the old or the new content is there, whole. */
export function writeFileDurably(file: string, content: string, mode = 0o644): void {
  const temporary = `${file}.${process.pid}.new`
  const handle = openSync(temporary, 'w', mode)
  try {
    writeSync(handle, content)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(temporary, file)
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
