import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { DataFolderBusyError, lockDataFolder } from '../data-folder-lock.ts'
import { makeLog } from '../log.ts'
import { clearPostgres } from '../postgres/open-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of this run's PostgreSQL, which the first test file that needs it starts. */
    testRunFolder: string
  }
}

const PREFIX = `holdfast-test-${process.getuid?.() ?? 0}-`

/**
 * Gives the test run a folder for one shared PostgreSQL (see `with-database.ts`) and clears it when the run ends, also
 * when tests failed. What a killed run left behind is cleared by the next one: its folder's lock is free.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  await clearAbandonedRuns()
  // Named like a run only once it is locked, so that no other run can take it for an abandoned one.
  const unnamed = await mkdtemp(join(tmpdir(), 'holdfast-new-test-'))
  // PostgreSQL's user must be able to enter when the tests run as root.
  await chmod(unnamed, 0o711)
  const lock = await lockDataFolder(unnamed)
  const folder = join(tmpdir(), `${PREFIX}${basename(unnamed).slice(-6)}`)
  await rename(unnamed, folder)
  project.provide('testRunFolder', folder)
  return async () => {
    await clearRun(folder)
    lock.release()
  }
}

async function clearAbandonedRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const folder = join(tmpdir(), name)
    try {
      const lock = await lockDataFolder(folder)
      await clearRun(folder)
      lock.release()
    } catch (error) {
      if (!(error instanceof DataFolderBusyError)) throw error
    }
  }
}

async function clearRun(folder: string): Promise<void> {
  const dataDir = join(folder, 'data')
  if (existsSync(dataDir)) await clearPostgres(dataDir, makeLog({ level: 'silent' }))
  await rm(folder, { recursive: true, force: true })
}
