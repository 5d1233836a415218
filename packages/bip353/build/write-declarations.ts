import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '..', '..', '..')
const types = join(root, '.cache', 'types')

/**
 * Copies the declarations that `src/index.ts` reaches, those of protocols too, into `types/` of the package, with
 * imports that lead from one to the next.
 */
export function writeDeclarations(folder: string): void {
  execFileSync(
    process.execPath,
    [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', 'packages/bip353'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  const written = new Set<string>()
  const copy = (from: string, to: string): void => {
    if (written.has(to)) return
    written.add(to)
    const text = readFileSync(from, 'utf8').replace(
      /(from |import\()(["'])([^"']+)\2/g,
      (_, keyword: string, quote: string, specifier: string) => {
        const next = declarationOf(specifier, from)
        copy(next.from, join(folder, 'types', next.to))
        const path = relative(dirname(to), join(folder, 'types', next.to)).replace(/\.d\.ts$/, '.js')
        return `${keyword}${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`
      },
    )
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'))
  }
  copy(join(types, 'bip353', 'src', 'index.d.ts'), join(folder, 'types', 'index.d.ts'))
}

/** Where the declarations of an import are, and where they go. @throws when the package would need another one. */
function declarationOf(specifier: string, importer: string): { from: string; to: string } {
  const protocols = /^@holdfast\/protocols\/(.+)$/.exec(specifier)?.[1]
  if (protocols)
    return { from: join(types, 'protocols', `${protocols}.d.ts`), to: join('protocols', `${protocols}.d.ts`) }
  if (!specifier.startsWith('.')) throw new Error(`${importer} needs the types of ${specifier}`)
  const from = join(dirname(importer), specifier.replace(/\.ts$/, '.d.ts'))
  const inProtocols = relative(join(types, 'protocols'), from)
  if (!inProtocols.startsWith('..')) return { from, to: join('protocols', inProtocols) }
  return { from, to: relative(join(types, 'bip353', 'src'), from) }
}
