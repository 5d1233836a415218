// npm run test:services: installs Bitcoin Knots, Knot DNS, PostgreSQL 15, dig and delv into .cache/services, then runs
// the tests that need them. Arguments go to Vitest.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '@holdfast/devnet/testing/postgres'
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
  const postgres = process.env.HOLDFAST_TEST_DATABASE_URL ? null : await startPostgres()
  try {
    const env = postgres === null ? {} : { HOLDFAST_TEST_DATABASE_URL: postgres.url }
    runVitest(['--config', 'scripts/services/vitest.config.mjs', ...process.argv.slice(2)], env)
  } finally {
    await postgres?.stop()
  }
}

try {
  await main()
} catch (error) {
  if (!(error instanceof ServiceInstallError)) throw error
  console.error(error.message)
  if (error.cause instanceof Error) console.error(error.cause.message)
  process.exitCode = 1
}
