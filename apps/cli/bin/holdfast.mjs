#!/usr/bin/env node
// The sources are TypeScript, which the pinned Node 24 runs as they stand. Whatever Node called us (20 or newer), the
// command goes on under that one, in the folder where it was called.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pastProxies } from '../../../scripts/past-proxies.mjs'

const cli = dirname(dirname(fileURLToPath(import.meta.url)))
const pinnedNode = join(cli, '..', '..', 'node_modules', 'node', 'bin', 'node')

if (!existsSync(pinnedNode)) {
  console.error(
    'holdfast: the packages are not installed yet. Run npm ci (or npm start) in the repository first.',
  )
  process.exit(70)
}

const child = spawn(
  pinnedNode,
  ['--disable-warning=ExperimentalWarning', join(cli, 'src', 'main.ts'), ...process.argv.slice(2)],
  { stdio: 'inherit', env: pastProxies(process.env) },
)
// Ctrl-C reaches the whole group; a supervisor signals this process alone.
process.on('SIGINT', () => undefined)
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
