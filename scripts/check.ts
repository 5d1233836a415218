// npm run check: types over all project references, then Biome, then the directions of imports.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const bin = (name: string) => join('node_modules', '.bin', name)
const steps: [title: string, command: string, args: string[]][] = [
  ['types', bin('tsc'), ['-b']],
  ['lint and format', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['import directions', bin('vitest'), ['run', 'scripts/import-directions.test.ts']],
]

let failed = 0
for (const [title, command, args] of steps) {
  console.log(`── ${title}`)
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) failed++
}
process.exitCode = failed === 0 ? 0 : 1
