import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SHARED_FOLDER } from './binaries.ts'
import { PostgresError } from './postgres-error.ts'
import { canReach, type RunAs } from './run-as.ts'

/** Beside the passwords: names the folder that holds the cluster when it could not be kept here. */
const POINTER = 'cluster.path'

/**
 * Where the cluster of `<data folder>/postgres` is or shall be: in `cluster` there; when the user that runs PostgreSQL
 * cannot reach that, because the data folder lies below a closed one such as /root, in a new folder of its own below
 * /var/lib/holdfast, which is written down so that it is found again, also after the data folder was moved.
 */
export async function placeCluster(folder: string, runAs: RunAs): Promise<string> {
  const inPlace = join(folder, 'cluster')
  const elsewhere = await relocatedFolder(folder)
  if (elsewhere !== null) return join(elsewhere, 'cluster')
  if (!runAs || (await canReach(folder, 'x', runAs))) return inPlace
  // Another, empty database beside the one that is there would look like lost data.
  if (existsSync(inPlace))
    throw new PostgresError(
      `The database is in ${inPlace}, which the user ${runAs.name} that runs PostgreSQL can no longer reach. ` +
        'Let others enter the folders above it again (chmod o+x), or move the data folder.',
    )
  return join(await relocate(folder, runAs), 'cluster')
}

/** The folder outside of the data folder that holds its cluster, or null. */
export async function relocatedFolder(folder: string): Promise<string | null> {
  try {
    return (await readFile(join(folder, POINTER), 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function relocate(folder: string, runAs: NonNullable<RunAs>): Promise<string> {
  const outside = join(SHARED_FOLDER, randomBytes(8).toString('hex'))
  try {
    await mkdir(outside, { recursive: true, mode: 0o755 })
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
