import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SHARED_FOLDER } from './binaries.ts'
import { PostgresError } from './postgres-error.ts'
import { canReach, type RunAs } from './run-as.ts'

/** Beside the passwords: names the folder that holds the cluster when it could not be kept here. */
const POINTER = 'cluster.path'
/** In that folder: names the data folder to which it belongs. */
const POINTER_BACK = 'data-folder.path'

/**
 * Where the cluster of `<data folder>/postgres` is or shall be: in `cluster` there; when the user that runs PostgreSQL
 * cannot reach that, because the data folder lies below a closed one such as /root, in a new folder of its own below
 * /var/lib/holdfast, which is written down so that it is found again, also after the data folder was moved.
 */
export async function placeCluster(
  folder: string,
  runAs: RunAs,
  sharedFolder = SHARED_FOLDER,
): Promise<string> {
  const inPlace = join(folder, 'cluster')
  const elsewhere = await relocatedFolder(folder)
  if (elsewhere !== null) {
    if (!existsSync(elsewhere))
      throw new PostgresError(
        `The database was kept in ${elsewhere}, which is gone. Bring it back, or begin anew: npm run reset`,
      )
    await pointBack(elsewhere, folder)
    return join(elsewhere, 'cluster')
  }
  if (!runAs || (await canReach(folder, 'x', runAs))) return inPlace
  // Another, empty database beside the one that is there would look like lost data.
  if (existsSync(inPlace))
    throw new PostgresError(
      `The database is in ${inPlace}, which the user ${runAs.name} that runs PostgreSQL can no longer reach. ` +
        'Let others enter the folders above it again (chmod o+x), or move the data folder.',
    )
  return join(await relocate(folder, runAs, sharedFolder), 'cluster')
}

/** The folder outside of the data folder that holds its cluster, or null. */
export function relocatedFolder(folder: string): Promise<string | null> {
  return readPointer(join(folder, POINTER))
}

/** A folder outside of every data folder whose database no data folder names any more. */
export type Orphan = {
  readonly folder: string
  /** `<data folder>/postgres` as it was at the last start; null: not known. */
  readonly was: string | null
  readonly lastUsed: Date
}

/** What remains in `sharedFolder` of data folders that were deleted by hand, or moved and not started since. */
export async function findOrphans(sharedFolder = SHARED_FOLDER): Promise<Orphan[]> {
  // Only root's clusters are ever kept elsewhere.
  if (process.getuid?.() !== 0 || !existsSync(sharedFolder)) return []
  const orphans: Orphan[] = []
  for (const name of await readdir(sharedFolder)) {
    if (!/^[0-9a-f]{16}$/.test(name)) continue
    const folder = join(sharedFolder, name)
    const was = await readPointer(join(folder, POINTER_BACK))
    if (was !== null && (await relocatedFolder(was)) === folder) continue
    const cluster = join(folder, 'cluster')
    const { mtime } = await stat(existsSync(cluster) ? cluster : folder)
    orphans.push({ folder, was, lastUsed: mtime })
  }
  return orphans
}

async function readPointer(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function pointBack(outside: string, folder: string): Promise<void> {
  await writeFile(join(outside, POINTER_BACK), `${folder}\n`, { mode: 0o600 })
}

async function relocate(folder: string, runAs: NonNullable<RunAs>, sharedFolder: string): Promise<string> {
  const outside = join(sharedFolder, randomBytes(8).toString('hex'))
  try {
    await mkdir(outside, { recursive: true, mode: 0o755 })
    await pointBack(outside, folder)
  } catch (error) {
    throw new PostgresError(
      `The user ${runAs.name} cannot reach ${folder}, and ${outside} cannot be made: ${(error as Error).message}. ` +
        'Name a folder that others may enter in HOLDFAST_DATA_DIR, or a server in DATABASE_URL.',
      { cause: error },
    )
  }
  await writeFile(join(folder, POINTER), `${outside}\n`, { mode: 0o600 })
  return outside
}
