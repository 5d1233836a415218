import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hexToBytes } from '@holdfast/protocols/hex'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPackage, buildPackage } from '../build/build-package.ts'
import type * as Package from './index.ts'
import { PUBLISHED_CASES } from './testing/published-cases.ts'

const MAX_BUNDLE_BYTES = 60_000
const COMPILER_WITHIN_MS = 120_000

const root = join(import.meta.dirname, '..', '..', '..')
/** Inside of the repository, whose `node_modules` has the compiler's libraries. */
const parent = mkdtempSync(join(root, '.cache', 'bip353-'))
const folder = join(parent, 'node_modules', '@holdfast', 'bip353')
let built: BuiltPackage
let bundle: typeof Package

beforeAll(async () => {
  built = await buildPackage('bip353', folder)
  bundle = await import(join(folder, 'index.js'))
}, COMPILER_WITHIN_MS)
afterAll(() => rm(parent, { recursive: true }))

describe('the built package', () => {
  test(`has less than ${MAX_BUNDLE_BYTES} bytes, minified`, () => {
    expect(built.bundleBytes).toBeLessThan(MAX_BUNDLE_BYTES)
  })

  test('imports nothing: no module of Node, no other package', () => {
    const text = readFileSync(join(folder, 'index.js'), 'utf8')
    const found = text.match(/node:\w+|\b(?:import|require)\s*[({*"'`]|\bprocess\.|\bBuffer\b/g)
    expect(found).toBeNull()
  })

  test('offers what the sources offer', async () => {
    const sources = await import('./index.ts')
    expect(Object.keys(bundle).sort()).toEqual(Object.keys(sources).sort())
  })

  test.each(PUBLISHED_CASES)('gives $expected at $at', async ({ proof, at, expected }) => {
    const verified = await bundle.verifyPsbtProof(hexToBytes(proof), { at: new Date(at) })
    expect(verified.valid ? verified.uri : verified.code).toContain(expected)
    expect(verified.window).not.toBeNull()
  })

  test('says what it is made of', () => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ name: '@holdfast/bip353', license: 'MIT', type: 'module' })
    expect(manifest).not.toHaveProperty('private')
    expect(manifest).not.toHaveProperty('dependencies')
    expect(readdirSync(folder).sort()).toEqual(['LICENSE', 'README.md', 'index.js', 'package.json', 'types'])
  })

  test(
    'brings types that a strict consumer can use',
    () => {
      writeFileSync(
        join(parent, 'consumer.ts'),
        `import { dohQuery, resolveName, verifyNameProof, type Verified } from '@holdfast/bip353'
       const verified: Verified = await verifyNameProof('a@b.example', new Uint8Array(), { at: new Date(0) })
       export const uri: string = verified.valid ? verified.uri : verified.code
       export const offers: readonly string[] = verified.valid ? verified.instruction.offers : []
       export const { proof }: { proof: Uint8Array | null } = await resolveName('a@b.example', {
         query: dohQuery('https://dns.example/dns-query'),
       })
       // @ts-expect-error the problem is known only of what is not valid
       export const reason: string = verified.reason
       // @ts-expect-error no such option
       await verifyNameProof('a@b.example', new Uint8Array(), { now: 0 })`,
      )
      writeFileSync(join(parent, 'package.json'), '{ "type": "module" }')
      const options =
        '--ignoreConfig --strict --noEmit --target ES2024 --lib ES2024,DOM --module NodeNext'.split(' ')
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
      execFileSync(process.execPath, [tsc, ...options, 'consumer.ts'], { cwd: parent, stdio: 'pipe' })
    },
    COMPILER_WITHIN_MS,
  )
})
