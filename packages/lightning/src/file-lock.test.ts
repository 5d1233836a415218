import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFile, openPrivate } from './file-lock.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-file-lock-'))
  file = join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

async function lockElsewhere() {
  const module_ = JSON.stringify(join(import.meta.dirname, 'file-lock.ts'))
  const script = `const { lockFile } = await import(${module_})
    console.log(lockFile(${JSON.stringify(file)}) === null ? 'refused' : 'locked')
    setInterval(() => undefined, 1000)`
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module']
  const child = spawn(process.execPath, [...flags, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, said: String(said).trim() }
}

test('is had by one at a time, in one process and in another', async () => {
  const unlock = lockFile(file)
  expect(lockFile(file)).toBeNull()
  const { child, said } = await lockElsewhere()
  child.kill('SIGKILL')
  expect(said).toBe('refused')
  unlock?.()
  lockFile(file)?.()
})

test('ends with the process that held it, killed or not', async () => {
  const { child, said } = await lockElsewhere()
  expect(said).toBe('locked')
  expect(lockFile(file)).toBeNull()
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  expect(lockFile(file)).not.toBeNull()
})

test('a file that is no lock is an error and not "taken"', () => {
  writeFileSync(
    file,
    'something else, longer than a header of SQLite, which would begin otherwise'.repeat(20),
  )
  expect(() => lockFile(file)).toThrow('not a database')
})

test('what is in a private database, also in the files beside it, only the owner may read', () => {
  writeFileSync(file, '')
  chmodSync(file, 0o644)
  const database = openPrivate(file)
  database.exec('pragma journal_mode = wal; create table t (x)')
  for (const part of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(part).mode & 0o777).toBe(0o600)
  database.close()
})
