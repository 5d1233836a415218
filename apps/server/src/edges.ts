import { readFile } from 'node:fs/promises'
import type { DnsZone } from '@holdfast/core/dns-zone'
import type { Network } from '@holdfast/lightning'
import { TYPE } from '@holdfast/protocols/dns/codes'
import {
  makeVerifiedSignatures,
  parseTrustAnchors,
  resolveTxt,
  type TrustAnchor,
} from '@holdfast/protocols/dnssec'
import { discoverAuthoritativeServers } from './dns/authoritative-servers.ts'
import { type DnsQuery, makeQuery } from './dns/dns-transport.ts'
import { makeRfc2136Zone } from './dns/rfc2136-zone.ts'
import { formatServerAddress } from './dns/server-address.ts'
import type { TsigKey } from './dns/tsig.ts'
import type { NodeDirectory } from './nodes/node-directory.ts'
import type { Config, DnsProviderConfig } from './platform/config.ts'
import type { Dependency } from './platform/http/health.ts'
import { Secret } from './platform/secret.ts'
import { verifyNatively } from './resolve/native-signatures.ts'
import type { ResolveTxt } from './resolve/validations.ts'

/** Everything outside of the server and its database on which it acts. */
export type Edges = {
  readonly network: Network
  /** By domain. */
  readonly zones: ReadonlyMap<string, DnsZone>
  readonly nodes: NodeDirectory
  readonly resolveTxt: ResolveTxt
  readonly readiness: readonly Dependency[]
}

export type ResolverAddress = { readonly host: string; readonly port: number }

const DNS_TIMEOUT_MS = 2_000

export function makeResolverQuery({ host, port }: ResolverAddress): DnsQuery {
  return makeQuery({ servers: [formatServerAddress({ address: host, port })], timeoutMs: DNS_TIMEOUT_MS })
}

export async function readTrustAnchors(file: string): Promise<readonly TrustAnchor[]> {
  return parseTrustAnchors(await readFile(file, 'utf8'))
}

/** Validates by ourselves, from the anchors down; the resolver is only the messenger. */
export function makeResolveTxt(query: DnsQuery, anchors: readonly TrustAnchor[]): ResolveTxt {
  const { verify: verifySignature } = makeVerifiedSignatures(verifyNatively)
  return (name, nowSeconds, signal) => {
    const queryInTime: DnsQuery = async (owner, type) => {
      signal?.throwIfAborted()
      return query(owner, type)
    }
    return resolveTxt(name, { query: queryInTime, nowSeconds, anchors, verifySignature })
  }
}

/** The DNS is there when it answers for the zone that every validation begins with. */
export function dnsReadiness(query: DnsQuery, anchors: readonly TrustAnchor[]): Dependency {
  const zone = anchors[0]?.zone ?? '.'
  return {
    name: 'dns',
    async check() {
      await query(zone, TYPE.SOA)
      return undefined
    },
  }
}

/** The configured domains on a server that takes RFC 2136 updates. */
export function makeRfc2136Zones(
  provider: Extract<DnsProviderConfig, { kind: 'rfc2136' }>,
  domains: readonly string[],
  query: DnsQuery,
): Map<string, DnsZone> {
  const primary = formatServerAddress({ address: provider.server.host, port: provider.server.port })
  const known = provider.authoritative?.map(({ host, port }) => formatServerAddress({ address: host, port }))
  const { name, algorithm, secret } = provider.tsigKey.reveal()
  const key: TsigKey = { name, algorithm: algorithm as TsigKey['algorithm'], secret: new Secret(secret) }
  return new Map(
    domains.map((domain) => {
      const authoritativeServers = known
        ? async () => known
        : discoverAuthoritativeServers({ domain, query, now: Date.now })
      return [domain, makeRfc2136Zone({ domain, primary, key, authoritativeServers, now: Date.now })]
    }),
  )
}

/**
 * The real world, when the devnet is off. No backend for owners' own nodes can be connected yet, so names are
 * registered with an offer that the owner brings, and payments are refused with NODE_NOT_CONNECTED.
 */
export async function connectEdges(config: Config): Promise<Edges> {
  const { dnsProvider, dnsResolver, dnsAnchor, domains, network } = config
  if (dnsProvider.kind !== 'rfc2136' || !dnsResolver || !dnsAnchor)
    throw new TypeError(
      'readConfig lets HOLDFAST_DEVNET=off pass only with a DNS provider, resolver and anchor',
    )
  const query = makeResolverQuery(dnsResolver)
  const anchors = await readTrustAnchors(dnsAnchor)
  return {
    network,
    zones: makeRfc2136Zones(dnsProvider, domains, query),
    nodes: { nodeOf: async () => null },
    resolveTxt: makeResolveTxt(query, anchors),
    readiness: [dnsReadiness(query, anchors)],
  }
}
