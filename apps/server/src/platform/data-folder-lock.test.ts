import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataFolderBusyError, lockDataFolder } from './data-folder-lock.ts'

let folder: string

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'holdfast-lock-')), 'data')
})
afterEach(() => rm(join(folder, '..'), { recursive: true }))

const module_ = JSON.stringify(join(import.meta.dirname, 'data-folder-lock.ts'))
const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module']

/** Another process that takes the lock and keeps it. */
async function lockElsewhere() {
  const script = `import { lockDataFolder } from ${module_}
    await lockDataFolder(${JSON.stringify(folder)})
    setInterval(() => undefined, 1000)
    console.log('locked')`
  const child = spawn(process.execPath, [...flags, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

test('a folder in use names the process that uses it', async () => {
  const other = await lockElsewhere()
  const refused = lockDataFolder(folder)
  await expect(refused).rejects.toThrow(DataFolderBusyError)
  await expect(refused).rejects.toThrow(
    `Another Holdfast (process ${other.pid}) uses the data folder ${folder}.`,
  )
  other.kill('SIGKILL')
  await once(other, 'exit')
})

test('the lock of a killed process is free at once, whatever its files say', async () => {
  const other = await lockElsewhere()
  other.kill('SIGKILL')
  await once(other, 'exit')
  // As if its pid had been given to a living process.
  await writeFile(join(folder, 'holdfast.pid'), `${process.pid}\n`)
  const lock = await lockDataFolder(folder)
  await expect(lockDataFolder(folder)).rejects.toMatchObject({ pid: process.pid })
  lock.release()
  ;(await lockDataFolder(folder)).release()
})

test('a garbled pid file does not matter', async () => {
  const lock = await lockDataFolder(folder)
  await writeFile(join(folder, 'holdfast.pid'), 'garbage')
  await expect(lockDataFolder(folder)).rejects.toThrow(`Another Holdfast uses the data folder ${folder}.`)
  await rm(join(folder, 'holdfast.pid'))
  await expect(lockDataFolder(folder)).rejects.toMatchObject({ pid: null })
  lock.release()
})

test('of many that race, exactly one gets it', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => lockDataFolder(folder)))
  const got = outcomes.filter((outcome) => outcome.status === 'fulfilled')
  expect(got).toHaveLength(1)
  got[0]!.value.release()
})

test('the folder is closed to others; for root it may be entered, but not listed', async () => {
  ;(await lockDataFolder(folder)).release()
  expect((await stat(folder)).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o711 : 0o700)
})

test('a folder that we may not write is refused with what to do', async () => {
  // Root may write everywhere: a process of ours that has read the code gives its rights up first.
  const script = `import { lockDataFolder } from ${module_}
    if (process.getuid() === 0) process.setgid(65534), process.setuid(65534)
    await lockDataFolder(${JSON.stringify(folder)}).catch((error) => console.log(error.name, error.message))`
  await chmod(join(folder, '..'), 0o555)
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-e', script])
  expect(stdout).toMatch(/^DataFolderError .* cannot be written: EACCES.*HOLDFAST_DATA_DIR/)
  await chmod(join(folder, '..'), 0o755)
})

test('a file where the folder should be is refused with what to do', async () => {
  await writeFile(folder, 'x')
  await expect(lockDataFolder(folder)).rejects.toThrow(/cannot be written: EEXIST/)
})

test('a place where no folder can be made is refused, and nobody waits for ever', async () => {
  if (!existsSync('/proc/self')) return expect(process.platform).not.toBe('linux')
  await expect(lockDataFolder('/proc/self/deep/below')).rejects.toThrow(/cannot be written: ENOENT/)
})

test('folders above it are made, too', async () => {
  const deep = join(folder, 'a/b')
  ;(await lockDataFolder(deep)).release()
  expect((await stat(deep)).isDirectory()).toBe(true)
})
