import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { writeDeclarations } from './write-declarations.ts'

const packages = join(import.meta.dirname, '..', '..')

export type BuiltPackage = {
  readonly folder: string
  /** Of the one file that is loaded, minified and not compressed. */
  readonly bundleBytes: number
}

/**
 * Everything that a package of this repository needs in one ES module, with declarations, README, licence and a
 * package.json. `name` is that of its folder.
 */
export async function buildPackage(name: string, folder?: string): Promise<BuiltPackage> {
  const home = join(packages, name)
  return buildInto(folder ?? join(home, 'dist'), { name, home })
}

async function buildInto(
  folder: string,
  { name, home }: { name: string; home: string },
): Promise<BuiltPackage> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const bundle = await rolldown({ input: join(home, 'src', 'index.ts'), platform: 'browser' })
  try {
    await bundle.write({ file: join(folder, 'index.js'), format: 'esm', minify: true })
  } finally {
    await bundle.close()
  }
  writeDeclarations(name, folder)
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(home), null, 2)}\n`)
  writeFileSync(join(folder, 'README.md'), withoutOutwardLinks(readFileSync(join(home, 'README.md'), 'utf8')))
  cpSync(join(packages, '..', 'LICENSE'), join(folder, 'LICENSE'))
  return { folder, bundleBytes: readFileSync(join(folder, 'index.js')).length }
}

/** Pages of the repository are not in the package: only what a link to one says stays. */
function withoutOutwardLinks(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\(\.\.\/[^)]*\)/g, '$1')
}

/** What is published needs nothing else installed. */
function manifest(home: string) {
  const own = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  const { name, version, license, type, description, keywords, sideEffects } = own
  return {
    name,
    version,
    description,
    keywords,
    license,
    type,
    sideEffects,
    exports: { '.': { types: './types/index.d.ts', default: './index.js' } },
    types: './types/index.d.ts',
    engines: { node: '>=20' },
  }
}
