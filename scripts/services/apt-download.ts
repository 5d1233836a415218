import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findDebianSource } from './apt-sources.ts'
import { runProgram, ServiceInstallError } from './run-program.ts'

const UPDATE_WITHIN_MS = 180_000
const DOWNLOAD_WITHIN_MS = 300_000
const EXTRACT_WITHIN_MS = 60_000
const QUERY_WITHIN_MS = 30_000

/**
 * Unpacks Debian packages, with every library that they need down to the C library, into `folder`. Nothing of the
 * system is changed: apt works on sources, lists and caches of its own in `scratch`, and needs no root.
 */
export async function unpackPackages(options: {
  suite: string
  packages: readonly string[]
  /** Libraries that are not worth their size. */
  without: RegExp
  folder: string
  scratch: string
  progress(line: string): void
}): Promise<void> {
  const { suite, packages, folder, scratch, progress } = options
  const apt = await prepareApt(suite, scratch)
  progress(`reading the package lists of ${suite}`)
  await runProgram('apt-get', [...apt, '-qq', 'update'], { timeoutMs: UPDATE_WITHIN_MS })
  const wanted = await withLibraries(apt, packages, options.without)
  progress(`downloading ${wanted.length} packages`)
  const downloads = join(scratch, 'downloads')
  rmSync(downloads, { recursive: true, force: true })
  mkdirSync(downloads, { recursive: true })
  await runProgram('apt-get', [...apt, '-qq', 'download', ...wanted], {
    cwd: downloads,
    timeoutMs: DOWNLOAD_WITHIN_MS,
  })
  const files = readdirSync(downloads).filter((name) => name.endsWith('.deb'))
  if (files.length !== wanted.length) {
    throw new ServiceInstallError(`apt-get downloaded ${files.length} of ${wanted.length} packages`)
  }
  progress('unpacking')
  mkdirSync(folder, { recursive: true })
  for (const file of files) {
    await runProgram('dpkg', ['-x', join(downloads, file), folder], { timeoutMs: EXTRACT_WITHIN_MS })
  }
}

/** The options that keep apt away from everything of the system but its keyrings. */
async function prepareApt(suite: string, scratch: string): Promise<string[]> {
  const { uri, signedBy } = findDebianSource()
  for (const part of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(scratch, part), { recursive: true })
  }
  const sources = join(scratch, 'debian.sources')
  const keyring = signedBy === null ? '' : `Signed-By: ${signedBy}\n`
  writeFileSync(sources, `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: main\n${keyring}`)
  const status = join(scratch, 'status')
  writeFileSync(status, '')
  const settings = [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=-',
    `Dir::State=${join(scratch, 'state')}`,
    `Dir::State::status=${status}`,
    `Dir::Cache=${join(scratch, 'cache')}`,
    'Acquire::Languages=none',
    'Acquire::Retries=3',
    'APT::Sandbox::User=root',
    'Debug::NoLocking=1',
  ]
  return settings.flatMap((setting) => ['-o', setting])
}

/** The packages and the libraries among all that they depend on: no scripts run, so no tool of Debian's is needed. */
async function withLibraries(
  apt: readonly string[],
  packages: readonly string[],
  without: RegExp,
): Promise<string[]> {
  const printed = await runProgram(
    'apt-cache',
    [...apt, 'depends', '--recurse', '--important', ...packages],
    {
      timeoutMs: QUERY_WITHIN_MS,
    },
  )
  const all = printed.split('\n').filter((line) => /^[a-z0-9]/.test(line))
  const libraries = all.filter((name) => isLibrary(name) && !without.test(name))
  return [...new Set([...packages, ...libraries])]
}

function isLibrary(name: string): boolean {
  return (
    /^(lib[a-z0-9.+-]+|zlib1g|bind9-libs)$/.test(name) && !/-(perl|common|modules|modules-db)$/.test(name)
  )
}
