import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { writeDeclarations } from './write-declarations.ts'

const home = join(import.meta.dirname, '..')

export type BuiltPackage = {
  readonly folder: string
  /** Of the one file that is loaded, minified and not compressed. */
  readonly bundleBytes: number
}

/** Everything that the package needs in one ES module, with declarations, README, licence and a package.json. */
export async function buildPackage(folder: string = join(home, 'dist')): Promise<BuiltPackage> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const bundle = await rolldown({ input: join(home, 'src', 'index.ts'), platform: 'browser' })
  try {
    await bundle.write({ file: join(folder, 'index.js'), format: 'esm', minify: true })
  } finally {
    await bundle.close()
  }
  writeDeclarations(folder)
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
  cpSync(join(home, 'README.md'), join(folder, 'README.md'))
  cpSync(join(home, '..', '..', 'LICENSE'), join(folder, 'LICENSE'))
  return { folder, bundleBytes: readFileSync(join(folder, 'index.js')).length }
}

/** What is published needs nothing else installed. */
function manifest() {
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
