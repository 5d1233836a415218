import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '@holdfast/devnet/durable-file'
import { lastingPort } from '@holdfast/lightning/lasting-port'
import { connectEdges } from './edges.ts'
import { startEmbeddedWorld } from './embedded-world.ts'
import type { Config } from './platform/config.ts'
import { lockDataFolder } from './platform/data-folder-lock.ts'
import type { Log } from './platform/log.ts'
import { MigrationError, migrate } from './platform/migrate.ts'
import { openPostgres } from './platform/postgres/open-postgres.ts'
import type { Shutdown } from './platform/shutdown.ts'
import type { Ready } from './ready-table.ts'
import { startServer } from './server.ts'
import { serverUrl } from './server-url.ts'
import { together } from './together.ts'
import { refuseUnusableHook } from './zones/usable-hook.ts'

/** What programs on this machine, such as the demo, read in `server.json` to find the server of a data folder. */
export type ServerFile = Pick<Ready, 'url' | 'dns'> & { readonly pid: number }

/**
 * Brings everything up: data folder, database, devnet or the edges of the real world, server. What has come up by then
 * is in `shutdown`, also when it throws.
 */
export async function startHoldfast(config: Config, log: Log, shutdown: Shutdown): Promise<Ready> {
  const began = performance.now()
  const { dataDir } = config
  await refuseUnusableHook(config.zoneHook)
  const folder = await lockDataFolder(dataDir)
  shutdown.add('data folder', async () => folder.release())
  const [database, { edges, dns }] = await together(
    prepareDatabase(config, log, shutdown),
    config.devnet
      ? startEmbeddedWorld(config, log, shutdown)
      : connectEdges(config).then((edges) => ({ edges, dns: null })),
  )
  // NIP-98 events are signed for our URL, so the port must be known before anything is served.
  const port = config.port === 0 ? await lastingPort(config.host) : config.port
  const url = config.publicUrl ?? serverUrl(config.host, port)
  const { connectionString, databaseElsewhere } = database
  await startServer({ config, url, port, connectionString, edges, log, shutdown })

  const file = join(dataDir, 'server.json')
  writeFileDurably(file, `${JSON.stringify({ url, pid: process.pid, dns } satisfies ServerFile)}\n`)
  shutdown.add('server.json', async () => rmSync(file, { force: true }))
  return { url, dns, dataDir, databaseElsewhere, seconds: (performance.now() - began) / 1000 }
}

async function prepareDatabase(config: Config, log: Log, shutdown: Shutdown) {
  const postgres = await openPostgres(config, log)
  shutdown.add('PostgreSQL', () => postgres.stop())
  const { connectionString, appRole, elsewhere } = postgres
  const migrated = await migrate({ connectionString, appRole, log }).catch(async (error) => {
    throw error instanceof MigrationError ? error : ((await postgres.whyEnded()) ?? error)
  })
  return { connectionString: migrated.connectionString, databaseElsewhere: elsewhere }
}
