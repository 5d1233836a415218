// npm run test:services: the tests that need real services, which it installs.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readOptions } from '@holdfast/server/platform/read-options'
import { BUNDLES } from './services/bundles.ts'
import { installBundle } from './services/install-bundle.ts'
import { ServiceInstallError } from './services/run-program.ts'
import { runVitest } from './test.ts'

const HELP = `npm run test:services [-- OPTIONS] [FILE ...]

Installs Bitcoin Knots, Knot DNS, BIND, PowerDNS, Unbound, PostgreSQL 15, dig, delv and Chromium into .cache/services
(Debian only), then runs every *.services.test.ts, or those whose path contains one of FILE. The last line is
"N passed, N failed".

  -t, --testNamePattern NAME    only tests whose name matches this regular expression
  -u, --update                  writes the pages that are made of what services say, such as docs/dns/validators.md
  --help
`

const { values, positionals } = readOptions({
  allowPositionals: true,
  options: {
    testNamePattern: { type: 'string', short: 't' },
    update: { type: 'boolean', short: 'u' },
    help: { type: 'boolean', short: 'h' },
  },
})

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cache = join(root, '.cache', 'services')

async function main(): Promise<void> {
  mkdirSync(cache, { recursive: true })
  for (const bundle of BUNDLES) {
    Object.assign(process.env, await installBundle(bundle, cache, (line) => console.log(line)))
  }
  const { testNamePattern: name, update } = values
  const only = name === undefined ? [] : [`--testNamePattern=${name}`]
  runVitest([
    ...['--config', 'scripts/services/vitest.config.mjs'],
    ...only,
    ...(update ? ['--update'] : []),
    ...positionals,
  ])
}

try {
  if (values.help) console.log(HELP)
  else await main()
} catch (error) {
  if (!(error instanceof ServiceInstallError)) throw error
  console.error(error.message)
  if (error.cause instanceof Error) console.error(error.cause.message)
  process.exitCode = 1
}
