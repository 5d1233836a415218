import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LightningNode } from '@holdfast/lightning'
import { lastingPort } from '@holdfast/lightning/lasting-port'
import { type DeviceView, openDevices } from '@holdfast/server/demo/devices'
import { startEmbeddedWorld } from '@holdfast/server/embedded-world'
import type { ChainHeight, OperatorNode } from '@holdfast/server/escrow/operator-node'
import { readConfig } from '@holdfast/server/platform/config'
import { type OpenDatabase, openDatabase } from '@holdfast/server/platform/database'
import { makeLog } from '@holdfast/server/platform/log'
import { migrate } from '@holdfast/server/platform/migrate'
import { openPostgres } from '@holdfast/server/platform/postgres/open-postgres'
import { makeShutdown } from '@holdfast/server/platform/shutdown'
import { startServer } from '@holdfast/server/server'
import { sql } from 'kysely'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** A user of the devnet with everything that only their own device has. */
export type BenchUser = { device: DeviceView; node: LightningNode }

/** What `npm start` brings up, in this process, on a data folder of its own. */
export type BenchWorld = {
  readonly url: string
  readonly domain: string
  /** A pool beside the server's. */
  readonly database: OpenDatabase
  /** The operator's node, with which the server holds and pays, and its chain. */
  readonly operator: { readonly node: OperatorNode & LightningNode; readonly height: ChainHeight }
  user(name: string): Promise<BenchUser>
  stop(): Promise<void>
}

export async function startBenchWorld(): Promise<BenchWorld> {
  const dataDir = await makeTemporaryFolder()
  const config = readConfig({
    HOLDFAST_DATA_DIR: dataDir,
    HOLDFAST_PORT: '0',
    HOLDFAST_DNS_PORT: '0',
    // One address sends everything here.
    HOLDFAST_RATE_LIMIT: '0',
    // Two buyers hold what hundreds would.
    HOLDFAST_ESCROW_HOLDS: '10000',
    HOLDFAST_ESCROW_HOLDS_PER_BUYER: '10000',
  })
  const log = makeLog({ level: 'error' })
  const shutdown = makeShutdown({ log })
  shutdown.add('data folder', () => rm(dataDir, { recursive: true, force: true }))
  shutdown.onSignals()
  try {
    const postgres = await openPostgres(config, log)
    shutdown.add('PostgreSQL', () => postgres.stop())
    const { connectionString } = await migrate({ ...postgres, log })
    const { edges } = await startEmbeddedWorld(config, log, shutdown)
    const port = await lastingPort(config.host)
    const url = `http://${config.host}:${port}`
    await startServer({ config, url, port, connectionString, edges, log, shutdown })
    const database = openDatabase({ connectionString, log })
    shutdown.add('bench database', () => database.close())
    await refuseUnlessDurable(database)

    const { operator } = edges
    if (operator === null) throw new Error('The embedded world has no operator.')
    const deviceOf = await openDevices(join(dataDir, 'devnet'))
    return {
      url,
      domain: config.domains[0] as string,
      database,
      operator,
      async user(name) {
        const device = deviceOf(name)
        const node = await edges.nodes.nodeOf(device.pubkey)
        if (node === null) throw new Error(`${name} has no node.`)
        return { device, node }
      },
      stop: async () => void (await shutdown.run('the bench is over')),
    }
  } catch (error) {
    await shutdown.run('the bench could not start')
    throw error
  }
}

/** Figures of a database that may lose what it acknowledged would say nothing. */
async function refuseUnlessDurable(database: OpenDatabase): Promise<void> {
  for (const setting of ['fsync', 'synchronous_commit']) {
    const { rows } = await sql<{ value: string }>`select current_setting(${setting}) as value`.execute(
      database.db,
    )
    if (rows[0]?.value !== 'on') throw new Error(`PostgreSQL runs with ${setting} = ${rows[0]?.value}.`)
  }
}
