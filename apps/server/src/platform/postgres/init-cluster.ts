import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from '../secret.ts'
import type { Binaries } from './binaries.ts'
import { explainFailure, PostgresError } from './postgres-error.ts'
import { type RunAs, runToEnd } from './run-as.ts'

/** The superuser of the embedded server: runs the migrations. */
export const OWNER_ROLE = 'holdfast_owner'

/** A password that is made once and kept in a file that only we may read. */
export async function keptPassword(file: string): Promise<Secret<string>> {
  try {
    await writeFile(file, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const password = (await readFile(file, 'utf8')).trim()
  if (password === '')
    throw new PostgresError(`${file} is empty. Restore it from a backup, or run: npm run reset`)
  return new Secret(password)
}

/**
 * Creates the cluster when it is not there yet: made beside its place and then renamed, so that a crash or a full disk
 * leaves nothing half made. Passwords by SCRAM, UTF-8, the C locale of every machine, checksums on pages.
 */
export async function initCluster(options: {
  binaries: Binaries
  cluster: string
  password: Secret<string>
  runAs: RunAs
}): Promise<void> {
  const { binaries, cluster, password, runAs } = options
  const existing = await stat(join(cluster, 'PG_VERSION')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return null
  })
  if (existing) return refuseForeignOwner(cluster, existing.uid, runAs)

  const unfinished = `${cluster}.new`
  const passwordFile = `${cluster}.password`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  await writeFile(passwordFile, `${password.reveal()}\n`, { mode: 0o600 })
  try {
    if (runAs) await Promise.all([unfinished, passwordFile].map((path) => chown(path, runAs.uid, runAs.gid)))
    const { code, output } = await runToEnd(
      binaries.initdb,
      [
        `--pgdata=${unfinished}`,
        `--username=${OWNER_ROLE}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--wal-segsize=1',
        '--no-instructions',
      ],
      runAs,
    )
    if (code !== 0) {
      await rm(unfinished, { recursive: true, force: true })
      throw explainFailure('The embedded PostgreSQL could not be set up', output)
    }
    await rename(unfinished, cluster)
  } finally {
    await rm(passwordFile, { force: true })
  }
}

function refuseForeignOwner(cluster: string, ownerUid: number, runAs: RunAs): void {
  const uid = runAs?.uid ?? process.getuid?.() ?? ownerUid
  if (uid !== ownerUid)
    throw new PostgresError(
      `${cluster} belongs to user ${ownerUid}, but PostgreSQL would run as user ${uid}. ` +
        'Start Holdfast as the user that started it first, or name another folder in HOLDFAST_DATA_DIR.',
    )
}
