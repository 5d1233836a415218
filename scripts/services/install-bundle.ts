import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { unpackPackages } from './apt-download.ts'
import type { Bundle } from './bundles.ts'
import { writeLaunchers } from './launchers.ts'
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

function stampOf({ without, ...bundle }: Bundle): string {
  return JSON.stringify({ layout: LAYOUT, ...bundle, without: without.source })
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

async function checkThatItRuns(launcher: string): Promise<void> {
  await runProgram(launcher, [VERSION_ARGUMENTS[basename(launcher)] ?? '--version'], {
    cwd: dirname(launcher),
    timeoutMs: VERSION_WITHIN_MS,
  })
}
