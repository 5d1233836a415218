import type { DnsZone } from '@holdfast/core/dns-zone'
import { discoverAuthoritativeServers } from './dns/authoritative-servers.ts'
import type { CloudflareApi } from './dns/cloudflare/cloudflare-api.ts'
import { makeCloudflareZone } from './dns/cloudflare/cloudflare-zone.ts'
import type { DnsQuery } from './dns/dns-transport.ts'
import { makeRfc2136Zone } from './dns/rfc2136-zone.ts'
import { formatServerAddress } from './dns/server-address.ts'
import type { TsigKey } from './dns/tsig.ts'
import { zoneAccess } from './dns/zone-access.ts'
import type { Delegation } from './domains/delegation.ts'
import type { ServerAddress } from './platform/config-dns-values.ts'
import type { DelegatedConfig, DnsProviderConfig } from './platform/config-domains.ts'
import type { Dependency } from './platform/http/health.ts'
import { Secret } from './platform/secret.ts'

type Provider<Kind extends DnsProviderConfig['kind']> = Extract<DnsProviderConfig, { kind: Kind }>

/** The zone of every domain, each at its own provider. `query` finds the servers of those whose servers are not given. */
export async function makeZones(
  providers: ReadonlyMap<string, DnsProviderConfig>,
  { query, embedded }: { query: DnsQuery; embedded: (domain: string) => DnsZone },
): Promise<ReadonlyMap<string, DnsZone>> {
  const apis = new Map<string, CloudflareApi>()
  const zones = new Map<string, DnsZone>()
  for (const [domain, provider] of providers) {
    zones.set(domain, await make(domain, provider))
  }
  return zones

  async function make(domain: string, provider: DnsProviderConfig): Promise<DnsZone> {
    switch (provider.kind) {
      case 'embedded':
        return embedded(domain)
      case 'rfc2136':
        return rfc2136(domain, provider)
      case 'cloudflare':
        return makeCloudflareZone({
          domain,
          api: await cloudflareApi(provider),
          authoritativeServers: serversOf(domain, provider.authoritative),
        })
    }
  }

  function rfc2136(domain: string, provider: Provider<'rfc2136'>): DnsZone {
    const { name, algorithm, secret } = provider.tsigKey.reveal()
    return makeRfc2136Zone({
      domain,
      primary: format(provider.server),
      key: { name, algorithm: algorithm as TsigKey['algorithm'], secret: new Secret(secret) },
      authoritativeServers: serversOf(domain, provider.authoritative),
      now: Date.now,
    })
  }

  /** One for all domains of a token, because its rate limit is one for all of them, too. */
  async function cloudflareApi({ token, api }: Provider<'cloudflare'>): Promise<CloudflareApi> {
    const key = JSON.stringify([api, token.reveal()])
    const known = apis.get(key)
    if (known) return known
    // Cloudflare's SDK is large: nobody loads it who has no zone there.
    const { makeCloudflareApi } = await import('./dns/cloudflare/cloudflare-client.ts')
    const made = makeCloudflareApi({ token, baseUrl: api ?? undefined, now: Date.now })
    apis.set(key, made)
    return made
  }

  function serversOf(
    domain: string,
    given: readonly ServerAddress[] | null,
  ): () => Promise<readonly string[]> {
    if (given === null) return discoverAuthoritativeServers({ domain, query, now: Date.now })
    const servers = given.map(format)
    return async () => servers
  }
}

/** The zone of the names of a delegated domain. */
export function apexOf(domain: string): string {
  return `user._bitcoin-payment.${domain}`
}

/** The zones of delegated domains, by domain. */
export async function makeDelegations(
  delegated: ReadonlyMap<string, DelegatedConfig>,
  edge: Parameters<typeof makeZones>[1],
): Promise<ReadonlyMap<string, Delegation>> {
  const providers = Array.from(delegated, ([domain, { provider }]) => [apexOf(domain), provider] as const)
  const zones = await makeZones(new Map(providers), edge)
  return new Map(
    Array.from(delegated, ([domain, { nameServers }]) => {
      const zone = zones.get(apexOf(domain))
      if (!zone) throw new TypeError(`${domain} has no zone`)
      return [domain, { zone, nameServers }] as const
    }),
  )
}

/** What `/ready` tells of the zones; whether those of others take our changes is tried out. */
export function readinessOf(
  zones: ReadonlyMap<string, DnsZone>,
  providers: ReadonlyMap<string, DnsProviderConfig>,
): Dependency[] {
  return Array.from(zones).flatMap(([domain, zone]) =>
    providers.get(domain)?.kind === 'embedded'
      ? [zoneReadiness(zone)]
      : [zoneReadiness(zone), zoneAccess(zone, Date.now)],
  )
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
