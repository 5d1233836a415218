import { readFile } from 'node:fs/promises'
import type { DnsZone } from '@holdfast/core/dns-zone'
import type { Network } from '@holdfast/lightning'
import { TYPE } from '@holdfast/protocols/dns/codes'
import {
  makeVerifiedSignatures,
  parseTrustAnchors,
  ROOT_ANCHORS,
  resolveTxt,
  type TrustAnchor,
} from '@holdfast/protocols/dnssec'
import { type DnsQuery, makeQuery } from './dns/dns-transport.ts'
import { type AskResolvers, makeAskResolvers } from './dns/resolvers/ask-resolvers.ts'
import { formatServerAddress } from './dns/server-address.ts'
import type { Delegations } from './domains/delegation.ts'
import type { ChainHeight, OperatorNode } from './escrow/operator-node.ts'
import { connectZones } from './make-zones.ts'
import type { NodeDirectory } from './nodes/node-directory.ts'
import type { Config } from './platform/config.ts'
import type { Dependency } from './platform/http/health.ts'
import { verifyNatively } from './resolve/native-signatures.ts'
import type { ResolveTxt } from './resolve/validations.ts'
import { StartError } from './start-error.ts'
import type { ActOnZone } from './zones/act-on-zone.ts'
import type { ZoneServers } from './zones/observe-zone.ts'

/** Everything outside of the server and its database on which it acts. */
export type Edges = {
  readonly network: Network
  /** By domain. */
  readonly zones: ReadonlyMap<string, DnsZone>
  /** Zones of merchants' domains; absent: none is delegated to us. */
  readonly delegated?: Delegations
  readonly nodes: NodeDirectory
  /** The node that holds, pays and repays for escrows, and its chain; null: this server offers no escrow. */
  readonly operator: { readonly node: OperatorNode; readonly height: ChainHeight } | null
  readonly resolveTxt: ResolveTxt
  /** By which it validates, and on which proofs rest. */
  readonly anchors: readonly TrustAnchor[]
  readonly askResolvers: AskResolvers
  /** Who serves a zone, and the zone above it. */
  readonly zoneServers: (domain: string) => ZoneServers
  /** What of a zone's way into DNSSEC can be done here. */
  readonly actOnZone: ActOnZone
  readonly readiness: readonly Dependency[]
}

export type ResolverAddress = { readonly host: string; readonly port: number }

const DNS_TIMEOUT_MS = 2_000

export function makeResolverQuery({ host, port }: ResolverAddress): DnsQuery {
  return makeQuery({ servers: [formatServerAddress({ address: host, port })], timeoutMs: DNS_TIMEOUT_MS })
}

/** Throws `StartError` when the file cannot be read or holds no anchor. */
export async function readTrustAnchors(file: string): Promise<readonly TrustAnchor[]> {
  try {
    return parseTrustAnchors(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new StartError(
      `The trust anchor ${file} cannot be used: ${(cause as Error).message}. Correct the file, or name another in HOLDFAST_DNS_ANCHOR.`,
      { cause },
    )
  }
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

/** Asks the resolvers that are configured; where there are none, every record counts as confirmed. */
export function makeConfirmation({ confirmBy, confirmQuorum }: Config): AskResolvers {
  return makeAskResolvers({ resolvers: confirmBy, quorum: confirmQuorum }).ask
}

/**
 * The real world, when the devnet is off. No backend for owners' own nodes can be connected yet, so names are
 * registered with an offer that the owner brings, and payments are refused with NODE_NOT_CONNECTED.
 */
export async function connectEdges(config: Config): Promise<Edges> {
  const { dnsResolver, dnsAnchor, network } = config
  if (!dnsResolver) throw new TypeError('readConfig lets HOLDFAST_DEVNET=off pass only with a DNS resolver')
  const query = makeResolverQuery(dnsResolver)
  const anchors = dnsAnchor === null ? ROOT_ANCHORS : await readTrustAnchors(dnsAnchor)
  const { readiness, ...zones } = await connectZones(config, { query, embedded: refuseEmbedded })
  return {
    network,
    ...zones,
    nodes: { nodeOf: async () => null },
    operator: null,
    resolveTxt: makeResolveTxt(query, anchors),
    anchors,
    askResolvers: makeConfirmation(config),
    readiness: [dnsReadiness(query, anchors), ...readiness],
  }
}

function refuseEmbedded(domain: string): never {
  throw new TypeError(`readConfig lets no embedded domain pass with HOLDFAST_DEVNET=off: ${domain}`)
}
