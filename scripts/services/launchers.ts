import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Bundle } from './bundles.ts'
import { ServiceInstallError } from './run-program.ts'

/**
 * Writes `bin/<name>` for each program. It is started with the bundle's own libraries, and where the bundle says so by
 * its own dynamic loader, so the system's do not matter. Launchers find everything relative to themselves: the folder
 * may be moved or copied.
 */
export function writeLaunchers(bundle: Bundle, folder: string): void {
  const root = join(folder, 'root')
  const libraries = libraryFolders(root)
  const path = libraries.map((library) => `$root/${library}`).join(':')
  const loader = bundle.loader === 'bundle' ? findLoader(root, libraries) : null
  mkdirSync(join(folder, 'bin'), { recursive: true })
  for (const program of bundle.programs) {
    const launcher = join(folder, 'bin', basename(program))
    if (loader === null) {
      writeScript(launcher, '../root', [`export LD_LIBRARY_PATH="${path}"`, `exec "$root/${program}" "$@"`])
      continue
    }
    const start = `exec "$root/${loader}" --library-path "${path}" --argv0 "$root/${program}" "$root/${program}.real" "$@"`
    // The real program is moved aside, because some (initdb) start a sibling by its path.
    const own = join(root, program)
    renameSync(own, `${own}.real`)
    writeScript(own, upFrom(program), [start])
    writeScript(launcher, '../root', [start])
  }
}

/** `root` is seen from the script's own folder. */
function writeScript(file: string, root: string, lines: readonly string[]): void {
  const begin = ['#!/bin/sh', `root=$(cd "$(dirname "$(readlink -f "$0")")/${root}" && pwd)`]
  writeFileSync(file, `${[...begin, ...lines].join('\n')}\n`)
  chmodSync(file, 0o755)
}

function upFrom(program: string): string {
  return program
    .split('/')
    .slice(0, -1)
    .map(() => '..')
    .join('/')
}

/** With the private folders of libraries that have one (`pulseaudio`). */
function libraryFolders(root: string): string[] {
  const folders = ['lib', 'usr/lib'].flatMap((base) => {
    const path = join(root, base)
    const triplets = existsSync(path) ? readdirSync(path).filter((name) => name.includes('-linux-gnu')) : []
    return triplets.flatMap((triplet) => [join(base, triplet), join(base, triplet, 'pulseaudio')])
  })
  const present = folders.filter((folder) => existsSync(join(root, folder)))
  if (present.length === 0) throw new ServiceInstallError('the packages hold no libraries')
  return present
}

function findLoader(root: string, libraries: readonly string[]): string {
  for (const folder of libraries) {
    const loader = readdirSync(join(root, folder)).find((name) => /^ld-linux.*\.so\.\d$/.test(name))
    if (loader !== undefined) return join(folder, loader)
  }
  throw new ServiceInstallError('the packages hold no dynamic loader')
}
