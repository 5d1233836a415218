import { chmod, cp, mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findBinaries, findInstallation, type Installation } from './binaries.ts'
import { PostgresError } from './postgres-error.ts'
import { canReach, chooseUser, runToEnd } from './run-as.ts'

const root = process.getuid?.() === 0
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-binaries-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A copy of the package below a folder that only we may enter. */
async function installBelowClosedFolder(): Promise<Installation> {
  const { folder: installed, version } = await findInstallation()
  const closed = join(folder, 'closed')
  await mkdir(closed, { mode: 0o700 })
  await cp(installed, join(closed, 'native'), { recursive: true, verbatimSymlinks: true })
  return { folder: join(closed, 'native'), version }
}

describe('the binaries', () => {
  test('are found in the installed packages and run', async () => {
    const { postgres, version } = await findBinaries(await chooseUser())
    const { output } = await runToEnd(postgres, ['--version'], await chooseUser())
    expect(output).toContain(`PostgreSQL) ${version.split('.').slice(0, 2).join('.')}`)
  })

  test('below a folder closed to the user that runs them are copied once, whoever is first', async () => {
    const installation = await installBelowClosedFolder()
    const shared = join(folder, 'shared')
    await chmod(folder, 0o755)
    const user = await chooseUser()
    const found = await Promise.all([1, 2, 3].map(() => findBinaries(user, installation, shared)))
    const expected = root ? join(shared, `postgres-${installation.version}`) : installation.folder
    for (const { postgres } of found) expect(postgres).toBe(join(expected, 'bin/postgres'))
    expect((await runToEnd(found[0]!.postgres, ['--version'], user)).code).toBe(0)
    const copiedAt = (await stat(found[0]!.postgres)).ctimeMs
    await findBinaries(user, installation, shared)
    expect((await stat(found[0]!.postgres)).ctimeMs).toBe(copiedAt)
  })

  test('that cannot be copied anywhere are refused with what to do', async () => {
    const installation = await installBelowClosedFolder()
    const found = findBinaries(
      await chooseUser(),
      installation,
      join(installation.folder, 'bin/postgres/below-a-file'),
    )
    if (root) await expect(found).rejects.toThrow(/Move the project to a folder that others may enter/)
    else await expect(found).resolves.toMatchObject({ version: installation.version })
  })

  test('whose links were not made are refused with what to do', async () => {
    const installation = await installBelowClosedFolder()
    await rm(join(installation.folder, 'lib/libpq.so.5'))
    await expect(findBinaries(await chooseUser(), installation)).rejects.toThrow(/Run: npm rebuild/)
  })
})

describe('the user that runs PostgreSQL', () => {
  test('is never root', async () => {
    const user = await chooseUser()
    if (root) expect(user?.uid).toBeGreaterThan(0)
    else expect(user).toBeNull()
  })

  test('must exist', async () => {
    const missing = chooseUser(join(import.meta.dirname, 'run-as.ts'))
    if (root) await expect(missing).rejects.toThrow(PostgresError)
    else await expect(missing).resolves.toBeNull()
  })

  test('can reach what its rights allow', async () => {
    const user = await chooseUser()
    expect(await canReach('/bin/sh', 'x', user)).toBe(true)
    expect(await canReach('/nowhere', 'x', user)).toBe(false)
  })
})
