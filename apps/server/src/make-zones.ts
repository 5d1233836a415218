import type { DnsZone } from '@holdfast/core/dns-zone'
import { discoverAuthoritativeServers } from './dns/authoritative-servers.ts'
import { makeCloudflareZone } from './dns/cloudflare/cloudflare-zone.ts'
import type { DnsQuery } from './dns/dns-transport.ts'
import { makeRfc2136Zone } from './dns/rfc2136-zone.ts'
import { formatServerAddress } from './dns/server-address.ts'
import { zoneAccess } from './dns/zone-access.ts'
import type { Edges } from './edges.ts'
import { type CloudflareApis, makeCloudflareApis, makeZoneActs } from './make-zone-acts.ts'
import type { Config } from './platform/config.ts'
import type { ServerAddress } from './platform/config-dns-values.ts'
import type { DnsProviderConfig } from './platform/config-domains.ts'
import type { Dependency } from './platform/http/health.ts'
import { Secret } from './platform/secret.ts'
import type { ZoneServers } from './zones/observe-zone.ts'
import { findZoneServers } from './zones/zone-servers.ts'

/** Where a zone is served. */
export type Site = {
  readonly provider: DnsProviderConfig
  /** The names of its servers, where the zone is delegated to them only in time. */
  readonly hosts?: readonly string[]
}

type Edge = { readonly query: DnsQuery; readonly embedded: (domain: string) => DnsZone }

/** The zones of the configuration, each at its own provider. `query` finds the servers of those whose are not given. */
export async function connectZones(
  {
    dnsProviders,
    delegatedDomains,
    zoneHook,
  }: Pick<Config, 'dnsProviders' | 'delegatedDomains' | 'zoneHook'>,
  edge: Edge,
): Promise<Pick<Edges, 'zones' | 'delegated' | 'zoneServers' | 'actOnZone' | 'readiness'>> {
  const apis = makeCloudflareApis()
  const sites = new Map<string, Site>(
    Array.from(dnsProviders, ([domain, provider]) => [domain, { provider }]),
  )
  const zones = await makeZones(sites, edge, apis)
  const ofMerchants = new Map<string, Site>(
    Array.from(delegatedDomains, ([domain, { provider, nameServers }]) => [
      apexOf(domain),
      { provider, hosts: nameServers },
    ]),
  )
  const namesZones = await makeZones(ofMerchants, edge, apis)
  const all = new Map([...sites, ...ofMerchants])
  const zoneServers = (domain: string) => zoneServersOf(domain, all.get(domain), edge.query)
  return {
    zones,
    delegated: new Map(
      Array.from(delegatedDomains, ([domain, { nameServers }]) => {
        const zone = namesZones.get(apexOf(domain))
        if (!zone) throw new TypeError(`${domain} has no zone`)
        return [domain, { zone, nameServers }] as const
      }),
    ),
    zoneServers,
    actOnZone: makeZoneActs(all, { apis, zoneServers, hook: zoneHook }),
    readiness: [...zones.values(), ...namesZones.values()].flatMap((zone) =>
      readinessOf(zone, all.get(zone.domain)),
    ),
  }
}

/** The zone of the names of a delegated domain. */
function apexOf(domain: string): string {
  return `user._bitcoin-payment.${domain}`
}

async function makeZones(
  sites: ReadonlyMap<string, Site>,
  { query, embedded }: Edge,
  apis: CloudflareApis,
): Promise<ReadonlyMap<string, DnsZone>> {
  const zones = new Map<string, DnsZone>()
  for (const [domain, site] of sites) zones.set(domain, await make(domain, site))
  return zones

  async function make(domain: string, { provider, hosts }: Site): Promise<DnsZone> {
    switch (provider.kind) {
      case 'embedded':
        return embedded(domain)
      case 'rfc2136': {
        const { name, algorithm, secret } = provider.tsigKey.reveal()
        return makeRfc2136Zone({
          domain,
          primary: format(provider.server),
          key: { name, algorithm, secret: new Secret(secret) },
          authoritativeServers: serversOf(domain, provider.authoritative, hosts),
          now: Date.now,
        })
      }
      case 'cloudflare':
        return makeCloudflareZone({
          domain,
          api: await apis(provider),
          authoritativeServers: serversOf(domain, provider.authoritative, hosts),
        })
    }
  }

  function serversOf(
    domain: string,
    given: readonly ServerAddress[] | null,
    hosts: readonly string[] | undefined,
  ): () => Promise<readonly string[]> {
    if (given === null) return discoverAuthoritativeServers({ domain, hosts, query, now: Date.now })
    const servers = given.map(format)
    return async () => servers
  }
}

/** Those that are configured for the zone; the others are found by the DNS. */
function zoneServersOf(domain: string, site: Site | undefined, query: DnsQuery): ZoneServers {
  const given =
    site && 'authoritative' in site.provider ? site.provider.authoritative?.map(format) : undefined
  return findZoneServers({ domain, query, now: Date.now, hosts: site?.hosts, ...(given && { given }) })
}

/** What `/ready` tells of a zone; whether one of others takes our changes is tried out. */
function readinessOf(zone: DnsZone, site: Site | undefined): Dependency[] {
  return site?.provider.kind === 'embedded'
    ? [zoneReadiness(zone)]
    : [zoneReadiness(zone), zoneAccess(zone, Date.now)]
}

/** A zone without an answer or without signatures: its names cannot become active, but the others and payments can. */
export function zoneReadiness(zone: DnsZone): Dependency {
  return {
    name: `zone ${zone.domain}`,
    essential: false,
    async check() {
      const answers = await zone.authoritative(zone.domain)
      const failures = answers.flatMap((answer) => ('failure' in answer ? [answer.failure] : []))
      if (failures.length === answers.length) throw new Error(failures[0] ?? 'the zone has no server')
      if (answers.some((answer) => 'signed' in answer && !answer.signed))
        throw new Error('the zone is not signed')
      const count = `${answers.length - failures.length} of ${answers.length} servers answer`
      return [count, ...failures].join('; ')
    },
  }
}

function format({ host, port }: ServerAddress): string {
  return formatServerAddress({ address: host, port })
}
