import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'

/** Who may import whom among our own packages, as the design says. */
const ALLOWED: Record<string, readonly string[]> = {
  'packages/core': [],
  'packages/protocols': [],
  'packages/lightning': ['core', 'protocols'],
  'packages/devnet': ['lightning', 'protocols'],
  'packages/client': ['core'],
  'packages/bip353': ['protocols'],
  'apps/server': ['core', 'protocols', 'lightning'],
  'apps/cli': ['core', 'protocols', 'client', 'server'],
}

/** Only the place that builds the world, and tests, may join the server with the devnet and the client. */
const JOINS_DEVNET =
  /^apps\/server\/src\/(start-holdfast\.ts|embedded-world\.ts|demo\/|testing\/)|\.test\.ts$|\/testing\//

/** Pure packages run in the browser too. Their tests and test helpers may use Node. */
const PURE = ['packages/core', 'packages/protocols', 'packages/client', 'packages/bip353/src']

const root = join(import.meta.dirname, '..')

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
    .map((file) => join(folder, file))
}

function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string)
}

test.each(Object.entries(ALLOWED))('%s imports only what the design allows', (folder, allowed) => {
  const wrong: string[] = []
  for (const file of sources(folder)) {
    for (const specifier of imports(file)) {
      const own = specifier.match(/^@holdfast\/([a-z0-9]+)/)?.[1]
      const isSelf = own === folder.split('/')[1]
      if (own && !isSelf && !allowed.includes(own) && !JOINS_DEVNET.test(file))
        wrong.push(`${file}: ${specifier}`)
      if (specifier.startsWith('.')) {
        const target = relative(root, join(root, file, '..', specifier))
        if (!target.startsWith(`${folder}/`)) wrong.push(`${file}: ${specifier}`)
      }
    }
  }
  expect(wrong).toEqual([])
})

test.each(PURE)('%s uses no module of Node', (folder) => {
  const wrong = sources(folder)
    .filter((file) => !/\.test\.ts$|\/testing\//.test(file))
    .flatMap((file) =>
      imports(file)
        .filter((name) => name.startsWith('node:'))
        .map((name) => `${file}: ${name}`),
    )
  expect(wrong).toEqual([])
})

test('slices of the server never import another slice’s store', () => {
  const wrong: string[] = []
  for (const file of sources('apps/server')) {
    const slice = file.split('/')[3]
    for (const specifier of imports(file)) {
      const other = specifier.match(/^\.\.\/([a-z]+)\/[a-z-]*store\.ts$/)?.[1]
      if (other && other !== slice) wrong.push(`${file}: ${specifier}`)
    }
  }
  expect(wrong).toEqual([])
})
