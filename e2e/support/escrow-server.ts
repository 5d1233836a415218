// The server that the escrow kill test kills: all slices with the operator's node, on a chain and a database that stay.
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { writeFileDurably } from '@holdfast/devnet/durable-file'
import { lastingPort } from '@holdfast/lightning/lasting-port'
import { startLdkHost } from '@holdfast/lightning/ldk'
import type { Edges } from '@holdfast/server/edges'
import { readConfig } from '@holdfast/server/platform/config'
import { makeLog } from '@holdfast/server/platform/log'
import { Secret } from '@holdfast/server/platform/secret'
import { makeShutdown } from '@holdfast/server/platform/shutdown'
import { startServer } from '@holdfast/server/server'
import { serverUrl } from '@holdfast/server/server-url'
import type { EscrowServerWorld } from './escrow-server-process.ts'

const world = JSON.parse(process.env.HOLDFAST_TEST_WORLD ?? '') as EscrowServerWorld
const config = readConfig(process.env)
const log = makeLog({ level: config.logLevel })
const shutdown = makeShutdown({ log })
shutdown.onSignals()

const nodeLog = log.child({ part: 'lightning' })
const host = await startLdkHost({
  network: 'regtest',
  bitcoind: { url: world.bitcoindUrl },
  log: {
    info: (message, data = {}) => nodeLog.info(data, message),
    warn: (message, data = {}) => nodeLog.warn(data, message),
    error: (message, data = {}) => nodeLog.error(data, message),
  },
})
shutdown.add('Lightning', () => host.stop())
const node = await host.openNode({ ...world.node, seed: Buffer.from(world.node.seed, 'hex') })
const nobody = () => Promise.reject(new Error('This world has no DNS.'))
const edges: Edges = {
  network: 'regtest',
  zones: new Map(),
  nodes: { nodeOf: async () => null },
  operator: { node, height: async () => (await node.sync()).height },
  resolveTxt: nobody,
  anchors: [],
  askResolvers: nobody,
  zoneServers: () => ({ zone: nobody, parent: nobody }),
  actOnZone: async () => 'by-person',
  readiness: [],
}
const port = await lastingPort(config.host)
const url = serverUrl(config.host, port)
await startServer({
  config,
  url,
  port,
  connectionString: new Secret(world.connectionString),
  edges,
  log,
  shutdown,
})
writeFileDurably(
  join(config.dataDir, 'server.json'),
  `${JSON.stringify({ url, pid: process.pid, dns: null })}\n`,
)
// A process that is killed does not come to write it.
flushCompileCache()
