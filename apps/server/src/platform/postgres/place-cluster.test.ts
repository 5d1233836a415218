import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeLog } from '../log.ts'
import { clearOrphan } from './open-postgres.ts'
import { findOrphans, placeCluster, relocatedFolder } from './place-cluster.ts'
import { PostgresError } from './postgres-error.ts'
import { chooseUser } from './run-as.ts'

/** Only root's clusters are kept elsewhere, so an ordinary user sees that there are none. */
const root = process.getuid?.() === 0

let parent: string
let shared: string
let folder: string

beforeEach(async () => {
  // Closed to the user that runs PostgreSQL, as mkdtemp makes it.
  parent = await mkdtemp(join(tmpdir(), 'holdfast-place-'))
  shared = join(parent, 'shared')
  folder = await dataFolder('data')
})
afterEach(() => rm(parent, { recursive: true }))

/** `<data folder>/postgres` */
async function dataFolder(name: string): Promise<string> {
  const path = join(parent, name, 'postgres')
  await mkdir(path, { recursive: true })
  return path
}

const place = async (of = folder) => placeCluster(of, await chooseUser(), shared)
const orphans = async () => (await findOrphans(shared)).map(({ folder, was }) => ({ folder, was }))

describe('a cluster that is kept elsewhere', () => {
  test('is where it was at the next start', async () => {
    const cluster = await place()
    expect(await place()).toBe(cluster)
    expect(cluster.startsWith(root ? shared : folder)).toBe(true)
  })

  test('is never replaced by an empty one', async () => {
    await place()
    await rm(shared, { recursive: true, force: true })
    if (root) await expect(place()).rejects.toThrow(/was kept in .*, which is gone\. .*npm run reset/)
    else await place()
  })

  test('where no folder can be made is refused with what to do', async () => {
    await writeFile(shared, 'a file')
    if (root) await expect(place()).rejects.toThrow(PostgresError)
    else await place()
  })
})

describe('an orphan', () => {
  test('is no cluster of a data folder that is there, also of one that was moved and started again', async () => {
    await place()
    await dataFolder('other').then(place)
    expect(await orphans()).toEqual([])
    await rename(join(parent, 'data'), join(parent, 'moved'))
    await place(join(parent, 'moved', 'postgres'))
    expect(await orphans()).toEqual([])
  })

  test('is what remains of a data folder that was deleted by hand, and can be cleared', async () => {
    await place()
    const left = await relocatedFolder(folder)
    await dataFolder('other').then(place)
    await rm(join(parent, 'data'), { recursive: true })
    // A data folder made anew in its place has a database of its own.
    await dataFolder('data').then(place)
    expect(await orphans()).toEqual(root ? [{ folder: left, was: folder }] : [])
    for (const orphan of await findOrphans(shared)) {
      expect(orphan.lastUsed.getTime()).toBeLessThanOrEqual(Date.now())
      await clearOrphan(orphan, makeLog({ level: 'silent' }))
    }
    expect(await orphans()).toEqual([])
    if (root) expect(await readdir(shared)).toHaveLength(2)
  })

  test('is also a folder that does not say whose it was, but nothing else of what is there', async () => {
    const unknown = join(shared, '0123456789abcdef')
    for (const path of [unknown, join(shared, 'postgres-18.4.0'), join(shared, '.copying-abc')])
      await mkdir(path, { recursive: true })
    expect(await orphans()).toEqual(root ? [{ folder: unknown, was: null }] : [])
  })
})
