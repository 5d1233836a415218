import { join } from 'node:path'
import { startSignedDns } from '@holdfast/devnet/dns/signed-dns'
import { startWorld } from '@holdfast/devnet/world/world'
import { embeddedZone } from './dns/embedded-zone.ts'
import {
  dnsReadiness,
  type Edges,
  makeConfirmation,
  makeResolverQuery,
  makeResolveTxt,
  readTrustAnchors,
} from './edges.ts'
import { connectZones } from './make-zones.ts'
import type { Config } from './platform/config.ts'
import type { Log } from './platform/log.ts'
import type { Shutdown } from './platform/shutdown.ts'
import { together } from './together.ts'

export { WorldError } from '@holdfast/devnet/world/world-error'

/** Who lives on the devnet: a merchant and a buyer for the demo, and one more of each for those who try things. */
export const DEVNET_USERS = ['alice', 'bob', 'carol', 'dave'] as const

export type EmbeddedWorld = {
  readonly edges: Edges
  /** Where its names resolve: the embedded DNS, or the resolver that was set. */
  readonly dns: { readonly host: string; readonly port: number; readonly anchorFile: string }
}

const DNS_HOST = '127.0.0.1'

/** Starts the devnet in the data folder: the regtest chain, the nodes and the signed DNS tree. */
export async function startEmbeddedWorld(
  config: Config,
  log: Log,
  shutdown: Shutdown,
): Promise<EmbeddedWorld> {
  const [dns, world] = await together(startDns(config, log, shutdown), startNodes(config, log, shutdown))
  const resolver = config.dnsResolver ?? { host: DNS_HOST, port: dns.port }
  const anchorFile = config.dnsAnchor ?? dns.anchorFile
  const query = makeResolverQuery(resolver)
  const anchors = await readTrustAnchors(anchorFile)
  const embedded = (domain: string) => embeddedZone(dns.zone(domain))
  const { readiness, zoneServers, ...zones } = await connectZones(config, { query, embedded })
  const edges: Edges = {
    network: 'regtest',
    ...zones,
    nodes: { nodeOf: async (owner) => world.nodeOf(owner), atHand: (owner) => world.nodeOf(owner) },
    operator: { node: world.operator, height: async () => (await world.operator.sync()).height },
    resolveTxt: makeResolveTxt(query, anchors),
    anchors,
    askResolvers: makeConfirmation(config),
    zoneServers: (domain) =>
      config.dnsProviders.get(domain)?.kind === 'embedded'
        ? { zone: async () => [dns.address], parent: async () => [dns.address] }
        : zoneServers(domain),
    readiness: [
      dnsReadiness(query, anchors),
      ...readiness,
      {
        name: 'lightning',
        async check() {
          const { height } = await world.operator.sync()
          // Why stands in the log: it names files.
          const down = world.host.faults().map(({ nodeId }) => `; the node ${nodeId} is down`)
          return `block ${height}${down.join('')}`
        },
      },
    ],
  }
  return { edges, dns: { ...resolver, anchorFile } }
}

async function startDns(config: Config, log: Log, shutdown: Shutdown) {
  const dns = await startSignedDns({
    folder: join(config.dataDir, 'dns'),
    zones: config.domains,
    host: DNS_HOST,
    port: config.dnsPort,
    onFault: (fault) => log.error({ err: fault }, 'a socket of the embedded DNS failed; it goes on'),
  })
  shutdown.add('embedded DNS', () => dns.stop())
  return dns
}

async function startNodes(config: Config, log: Log, shutdown: Shutdown) {
  const nodeLog = log.child({ part: 'lightning' })
  const world = await startWorld({
    folder: join(config.dataDir, 'devnet'),
    ...(config.bitcoindUrl && { bitcoindUrl: config.bitcoindUrl.reveal() }),
    blockIntervalMs: config.blockIntervalMs,
    users: DEVNET_USERS,
    log: {
      info: (message, data = {}) => nodeLog.info(data, message),
      warn: (message, data = {}) => nodeLog.warn(data, message),
      error: (message, data = {}) => nodeLog.error(data, message),
    },
  })
  shutdown.add('devnet', () => world.stop())
  return world
}
