import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '..', '..', '..')
const types = join(root, '.cache', 'types')

/**
 * Copies the declarations that the package's `src/index.ts` reaches, those of our other packages too, into `types/`,
 * with imports that lead from one to the next.
 */
export function writeDeclarations(name: string, folder: string): void {
  execFileSync(
    process.execPath,
    [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', `packages/${name}`],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  const home = homeOf(name)
  const written = new Set<string>()
  const copy = (from: string, to: string): void => {
    if (written.has(to)) return
    written.add(to)
    const text = readFileSync(from, 'utf8').replace(
      /(from |import\()(["'])([^"']+)\2/g,
      (_, keyword: string, quote: string, specifier: string) => {
        const next = declarationOf(specifier, from, home)
        copy(next.from, join(folder, 'types', next.to))
        const path = relative(dirname(to), join(folder, 'types', next.to)).replace(/\.d\.ts$/, '.js')
        return `${keyword}${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`
      },
    )
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'))
  }
  copy(join(home, 'index.d.ts'), join(folder, 'types', 'index.d.ts'))
}

/** Where the compiler writes what lies in a package's `src`. */
function homeOf(name: string): string {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'packages', name, 'tsconfig.json'), 'utf8'))
  return compilerOptions.rootDir === 'src' ? join(types, name) : join(types, name, 'src')
}

/** Where the declarations of an import are, and where they go. @throws when the package would need another one. */
function declarationOf(specifier: string, importer: string, home: string): { from: string; to: string } {
  const [, other, module = 'index'] = /^@holdfast\/([a-z0-9]+)(?:\/(.+))?$/.exec(specifier) ?? []
  if (other) return placed(join(homeOf(other), `${module}.d.ts`), home)
  if (!specifier.startsWith('.')) throw new Error(`${importer} needs the types of ${specifier}`)
  return placed(join(dirname(importer), specifier.replace(/\.ts$/, '.d.ts')), home)
}

/** What is the package's own goes to the top, what is of another one into a folder of its name. */
function placed(from: string, home: string): { from: string; to: string } {
  const own = relative(home, from)
  return { from, to: own.startsWith('..') ? relative(types, from) : own }
}
