import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { unpackPackages } from './apt-download.ts'
import type { Bundle } from './bundles.ts'
import { runProgram, ServiceInstallError } from './run-program.ts'

const VERSION_WITHIN_MS = 20_000
/** Of those that do not know `--version`. */
const VERSION_ARGUMENTS: Readonly<Record<string, string>> = {
  dig: '-v',
  delv: '-v',
  named: '-v',
  unbound: '-V',
  pdns_server: '--help',
}
/** Counted up when the launchers change, so that older caches are made anew. */
const LAYOUT = 1

/** Answers the environment variables of the bundle, after installing it below `cache` if it is not there yet. */
export async function installBundle(
  bundle: Bundle,
  cache: string,
  progress: (line: string) => void,
): Promise<Record<string, string>> {
  const given = Object.keys(bundle.variables).map((name) => [name, process.env[name]] as const)
  if (given.every(([, value]) => value)) {
    progress(`${bundle.name}: given by ${given.map(([name]) => name).join(', ')}`)
    return {}
  }
  const folder = join(cache, bundle.name)
  if (!isInstalled(bundle, folder))
    await install(bundle, folder, (line) => progress(`${bundle.name}: ${line}`))
  const bin = join(folder, 'bin')
  return Object.fromEntries(
    Object.entries(bundle.variables).map(([name, launcher]) => [
      name,
      process.env[name] || join(bin, launcher),
    ]),
  )
}

function stampOf({ suite, packages, programs, without }: Bundle): string {
  return JSON.stringify({ layout: LAYOUT, suite, packages, programs, without: without.source })
}

function isInstalled(bundle: Bundle, folder: string): boolean {
  const stamp = join(folder, 'installed.json')
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(bundle)
}

/** Builds in a folder beside it and renames that at the end: an interrupted installation is never taken for one. */
async function install(bundle: Bundle, folder: string, progress: (line: string) => void): Promise<void> {
  const building = `${folder}.${process.pid}.new`
  const scratch = `${folder}.${process.pid}.apt`
  const began = performance.now()
  try {
    await unpackPackages({ ...bundle, folder: join(building, 'root'), scratch, progress })
    writeLaunchers(bundle, building)
    for (const program of bundle.programs) await checkThatItRuns(join(building, 'bin', basename(program)))
    writeFileSync(join(building, 'installed.json'), stampOf(bundle))
    rmSync(folder, { recursive: true, force: true })
    renameSync(building, folder)
    progress(`installed in ${((performance.now() - began) / 1000).toFixed(1)} s`)
  } catch (cause) {
    const variables = Object.keys(bundle.variables).join(', ')
    throw new ServiceInstallError(
      `${bundle.name} (${bundle.packages.join(', ')} of Debian ${bundle.suite}) could not be installed. ` +
        `Where apt-get, apt-cache and dpkg with a Debian source are missing, provide it yourself by ${variables}.`,
      { cause },
    )
  } finally {
    rmSync(building, { recursive: true, force: true })
    rmSync(scratch, { recursive: true, force: true })
  }
}

/**
 * Each program is started by the bundle's own dynamic loader with the bundle's own libraries, so the system's do not
 * matter. The real program is moved aside, because some (initdb) start a sibling by its path. Launchers find
 * everything relative to themselves: the folder may be moved or copied.
 */
function writeLaunchers(bundle: Bundle, folder: string): void {
  const root = join(folder, 'root')
  const libraries = libraryFolders(root)
  const loader = findLoader(root, libraries)
  mkdirSync(join(folder, 'bin'), { recursive: true })
  for (const program of bundle.programs) {
    const path = join(root, program)
    renameSync(path, `${path}.real`)
    const up = program
      .split('/')
      .slice(0, -1)
      .map(() => '..')
      .join('/')
    writeScript(path, `$(dirname "$(readlink -f "$0")")/${up}`, loader, libraries, program)
    writeScript(
      join(folder, 'bin', basename(program)),
      '$(dirname "$(readlink -f "$0")")/../root',
      loader,
      libraries,
      program,
    )
  }
}

function writeScript(
  file: string,
  root: string,
  loader: string,
  libraries: readonly string[],
  program: string,
) {
  const path = libraries.map((library) => `$root/${library}`).join(':')
  writeFileSync(
    file,
    `#!/bin/sh
root=$(cd "${root}" && pwd)
exec "$root/${loader}" --library-path "${path}" --argv0 "$root/${program}" "$root/${program}.real" "$@"
`,
  )
  chmodSync(file, 0o755)
}

function libraryFolders(root: string): string[] {
  const folders = ['lib', 'usr/lib'].flatMap((base) => {
    const path = join(root, base)
    const triplets = existsSync(path) ? readdirSync(path).filter((name) => name.includes('-linux-gnu')) : []
    return triplets.map((triplet) => join(base, triplet))
  })
  if (folders.length === 0) throw new ServiceInstallError('the packages hold no libraries')
  return folders
}

function findLoader(root: string, libraries: readonly string[]): string {
  for (const folder of libraries) {
    const loader = readdirSync(join(root, folder)).find((name) => /^ld-linux.*\.so\.\d$/.test(name))
    if (loader !== undefined) return join(folder, loader)
  }
  throw new ServiceInstallError('the packages hold no dynamic loader')
}

async function checkThatItRuns(launcher: string): Promise<void> {
  await runProgram(launcher, [VERSION_ARGUMENTS[basename(launcher)] ?? '--version'], {
    cwd: dirname(launcher),
    timeoutMs: VERSION_WITHIN_MS,
  })
}
