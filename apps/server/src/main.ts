// npm start: brings up the embedded world and the server, prints where everything is, and ends it all on Ctrl-C.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeFileDurably } from '@holdfast/devnet/durable-file'
import { connectEdges } from './edges.ts'
import { type EmbeddedWorld, startEmbeddedWorld } from './embedded-world.ts'
import { type Config, ConfigError, describeConfig, readConfig } from './platform/config.ts'
import { DataFolderBusyError, DataFolderError, lockDataFolder } from './platform/data-folder-lock.ts'
import { freePort } from './platform/free-port.ts'
import { type Log, makeLog } from './platform/log.ts'
import { MigrationError, migrate } from './platform/migrate.ts'
import { openPostgres } from './platform/postgres/open-postgres.ts'
import { PostgresError } from './platform/postgres/postgres-error.ts'
import { makeShutdown, type Shutdown } from './platform/shutdown.ts'
import { startServer } from './server.ts'
import { serverUrl } from './server-url.ts'
import { together } from './together.ts'

const HELP = `npm start

Starts Holdfast. Without any setting it brings up everything that it needs on this machine: PostgreSQL, a regtest
chain with Lightning nodes, and a signed DNS zone. It is set by environment variables:

${describeConfig()}
`

/** Tells the user what is wrong and what to do; anything else is a fault and keeps its stack. */
const EXPECTED = [ConfigError, DataFolderBusyError, DataFolderError, PostgresError, MigrationError]

/** For everything, a start that still runs included. */
const END_WITHIN_MS = 60_000

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help) console.log(HELP)
else await main()

async function main() {
  try {
    const config = readConfig(process.env)
    await run(config).catch((error) => {
      throw portIsTaken(error, config) ?? error
    })
  } catch (error) {
    const known = EXPECTED.some((kind) => error instanceof kind)
    console.error(known ? (error as Error).message : error)
    process.exit(1)
  }
}

/** Starts everything; when that fails, and on a signal, also one that comes meanwhile, ends what has come up. */
async function run(config: Config): Promise<void> {
  const log = makeLog({ level: config.logLevel })
  const parts = makeShutdown({ log })
  const started = start(config, log, parts)
  const shutdown = makeShutdown({ log, deadlineMs: END_WITHIN_MS })
  shutdown.add('Holdfast', async () => {
    await started.catch(() => undefined)
    if (!(await parts.run('all of it'))) throw new Error('Not every part ended well.')
  })
  shutdown.onSignals()
  await started.catch(async (error) => {
    await parts.run('the start failed')
    throw error
  })
}

function portIsTaken(error: NodeJS.ErrnoException & { port?: number }, config: Config): Error | null {
  if (error.code !== 'EADDRINUSE') return null
  const [variable, host] =
    error.port === config.port ? ['HOLDFAST_PORT', config.host] : ['HOLDFAST_DNS_PORT', '127.0.0.1']
  return new ConfigError([
    `Port ${error.port} of ${host} is taken. Stop the program that uses it, or name another in ${variable}.`,
  ])
}

async function start(config: Config, log: Log, shutdown: Shutdown) {
  const began = performance.now()
  const folder = await lockDataFolder(config.dataDir)
  shutdown.add('data folder', async () => folder.release())
  const [connectionString, { edges, dns }] = await together(
    prepareDatabase(config, log, shutdown),
    config.devnet
      ? startEmbeddedWorld(config, log, shutdown)
      : connectEdges(config).then((edges) => ({ edges, dns: null })),
  )
  // NIP-98 events are signed for our URL, so the port must be known before anything is served.
  const port = config.port === 0 ? await freePort(config.host) : config.port
  const url = config.publicUrl ?? serverUrl(config.host, port)
  await startServer({ config, url, port, connectionString, edges, log, shutdown })

  writeServerFile(config, shutdown, { url, pid: process.pid, dns })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(table(config, url, dns, seconds))
}

async function prepareDatabase(config: Config, log: Log, shutdown: Shutdown) {
  const postgres = await openPostgres(config, log)
  shutdown.add('PostgreSQL', () => postgres.stop())
  const { connectionString, appRole } = postgres
  const migrated = await migrate({ connectionString, appRole, log })
  return migrated.connectionString
}

type ServerFile = { url: string; pid: number; dns: EmbeddedWorld['dns'] | null }

/** Tells programs on this machine, such as the demo, where the server of this data folder is. */
function writeServerFile(config: Config, shutdown: Shutdown, content: ServerFile) {
  const file = join(config.dataDir, 'server.json')
  writeFileDurably(file, `${JSON.stringify(content)}\n`)
  shutdown.add('server.json', async () => rmSync(file, { force: true }))
}

function table(config: Config, url: string, dns: EmbeddedWorld['dns'] | null, seconds: string) {
  const rows = [
    ['Web', url],
    ['API docs', `${url}/docs`],
    ...(dns
      ? [
          ['DNS', `${dns.host}:${dns.port} (UDP and TCP)`],
          ['Anchor', dns.anchorFile],
        ]
      : []),
    ['Data', config.dataDir],
  ]
  const lines = rows.map(([label, value]) => `  ${label?.padEnd(10)}${value}`)
  const next = config.devnet ? '\n  npm run demo plays the story against it; Ctrl-C ends it.' : ''
  return `\n  Holdfast is ready (${seconds} s)\n\n${lines.join('\n')}\n${next}\n`
}
