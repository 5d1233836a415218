// npm run test:services: installs Bitcoin Knots, Knot DNS, BIND, PowerDNS, Unbound, PostgreSQL 15, dig, delv and
// Chromium into .cache/services, then runs the tests that need them. Arguments go to Vitest.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BUNDLES } from './services/bundles.ts'
import { installBundle } from './services/install-bundle.ts'
import { ServiceInstallError } from './services/run-program.ts'
import { runVitest } from './test.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cache = join(root, '.cache', 'services')

async function main(): Promise<void> {
  mkdirSync(cache, { recursive: true })
  for (const bundle of BUNDLES) {
    Object.assign(process.env, await installBundle(bundle, cache, (line) => console.log(line)))
  }
  runVitest(['--config', 'scripts/services/vitest.config.mjs', ...process.argv.slice(2)])
}

try {
  await main()
} catch (error) {
  if (!(error instanceof ServiceInstallError)) throw error
  console.error(error.message)
  if (error.cause instanceof Error) console.error(error.cause.message)
  process.exitCode = 1
}
