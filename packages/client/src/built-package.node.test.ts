import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildPackage } from '@holdfast/bip353/build/build-package'
import { afterAll, beforeAll, expect, test } from 'vitest'

const COMPILER_WITHIN_MS = 120_000

const root = join(import.meta.dirname, '..', '..', '..')
/** A marketplace's project, inside of the repository, whose `node_modules` has the compiler's libraries. */
const project = mkdtempSync(join(root, '.cache', 'client-'))
const installed = join(project, 'node_modules', '@holdfast', 'client')

/** As `npm pack` and `npm install` bring it there. */
beforeAll(async () => {
  const built = join(project, 'built')
  await buildPackage('client', built)
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', project], { cwd: built })
  const [{ filename }] = JSON.parse(String(packed))
  execFileSync('mkdir', ['-p', installed])
  execFileSync('tar', ['-xzf', join(project, filename), '--strip-components=1', '-C', installed])
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
}, COMPILER_WITHIN_MS)
afterAll(() => rm(project, { recursive: true }))

test('it needs nothing else installed, and says what it is', () => {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  expect(manifest).toMatchObject({ name: '@holdfast/client', license: 'MIT', type: 'module' })
  expect(manifest).not.toHaveProperty('private')
  expect(manifest).not.toHaveProperty('dependencies')
  expect(readFileSync(join(installed, 'README.md'), 'utf8')).not.toMatch(/\]\(\.\.\//)
})

test('it runs in plain Node, and offers what the sources offer', async () => {
  const script = `import * as client from '@holdfast/client'
    const { escrow } = client.createHoldfastClient({ baseUrl: 'http://127.0.0.1:9' })
    console.log(JSON.stringify([Object.keys(client).sort(), typeof escrow.watchFunding]))`
  writeFileSync(join(project, 'use.mjs'), script)
  const said = JSON.parse(
    execFileSync(process.execPath, ['--no-strip-types', 'use.mjs'], { cwd: project, encoding: 'utf8' }),
  )
  expect(said).toEqual([Object.keys(await import('./index.ts')).sort(), 'function'])
})

test(
  'it brings types that a strict consumer can use',
  () => {
    writeFileSync(
      join(project, 'consumer.ts'),
      `import { createHoldfastClient, HoldfastError, type MilestonePhase, type Signer, type Task } from '@holdfast/client'
       declare const signer: Signer
       const { escrow } = createHoldfastClient({ baseUrl: 'https://shop.example', signer })
       const task: Task = await escrow.task('x')
       export const amount: bigint | undefined = task.milestones[0]?.payoutMsat
       for await (const { milestone } of escrow.watchMilestone({ taskId: task.id, milestone: 0 })) {
         const phase: MilestonePhase = milestone.phase
         if (phase === 'HELD') break
       }
       try { await escrow.approveMilestone({ taskId: task.id, milestone: 0 }) }
       catch (error) { if (error instanceof HoldfastError && error.code === 'ESCROW_WRONG_PHASE') throw error }
       // @ts-expect-error no such field
       export const secret = task.preimage
       // @ts-expect-error amounts are bigint
       await escrow.quote(5)`,
    )
    const options =
      '--ignoreConfig --strict --noEmit --target ES2024 --lib ES2024,DOM --module NodeNext'.split(' ')
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    execFileSync(process.execPath, [tsc, ...options, 'consumer.ts'], { cwd: project, stdio: 'pipe' })
  },
  COMPILER_WITHIN_MS,
)
