import { feePolicy } from '@holdfast/core/escrow/fees'
import { makeDomainsSlice } from './domains/domains-slice.ts'
import type { Edges } from './edges.ts'
import { makeEscrowSlice } from './escrow/escrow-slice.ts'
import type { Identity } from './identity/identity.ts'
import { makeLightningAddressSlice } from './lightning-address/lightning-address-slice.ts'
import { makeNamesSlice } from './names/names-slice.ts'
import { makeNip05Slice } from './nip05/nip05-slice.ts'
import { makeNodesSlice } from './nodes/nodes-slice.ts'
import { makeRelayPool } from './nostr/relay-pool.ts'
import { makeZapReceipts, zapKey } from './nostr/zap-receipts.ts'
import { makeOutbound } from './outbound/outbound-https.ts'
import { makeOutboundSockets } from './outbound/outbound-socket.ts'
import { makePaymentsSlice } from './payments/payments-slice.ts'
import type { Config } from './platform/config.ts'
import type { OpenDatabase } from './platform/database.ts'
import { makeAskedDomain } from './platform/http/asked-domain.ts'
import type { Transact } from './platform/transaction.ts'
import { makeProofsSlice } from './proofs/proofs-slice.ts'
import { makeResolveSlice } from './resolve/resolve-slice.ts'
import { makeObserveZone } from './zones/observe-zone.ts'
import { makeZonesSlice } from './zones/zones-slice.ts'

const DAY_MS = 24 * 60 * 60_000

/** The use cases of the server, each slice given what it needs of the others. */
export type Slices = Awaited<ReturnType<typeof makeSlices>>

export async function makeSlices(options: {
  config: Config
  /** Where this server is reached and for which clients sign. */
  url: string
  edges: Edges
  identity: Identity
  database: OpenDatabase
  /** Of jobs and sweepers; requests go through `identity`. */
  transact: Transact
  closing: AbortSignal
}) {
  const { config, url, edges, identity, database, transact, closing } = options
  const clock = Date.now
  const { zones, nodes, network } = edges
  const resolve = makeResolveSlice({
    resolveTxt: edges.resolveTxt,
    outbound: makeOutbound({ allowLoopback: config.outboundLoopback }),
    clock,
  })
  const { resolver, addresses } = resolve
  const domains = makeDomainsSlice({
    transact,
    database,
    identity,
    zones,
    ...(edges.delegated && { delegated: edges.delegated }),
    resolveTxt: edges.resolveTxt,
    owners: new Map(config.domainOwners.map(({ domain, pubkey }) => [domain, pubkey])),
    holdsNames: (domain, db) => names.holdsNames(domain, db),
    clock,
  })
  const delegatedZones = new Map(
    Array.from(edges.delegated?.values() ?? [], ({ zone }) => [zone.domain, zone]),
  )
  const names = makeNamesSlice({
    transact,
    database,
    identity,
    zones: domains.zones,
    mayRegister: domains.mayRegister,
    soleOwnerOf: domains.ownerOf,
    nodes,
    resolveFresh: resolver.resolveFresh,
    askResolvers: edges.askResolvers,
    network,
    resolveTxt: edges.resolveTxt,
    watch: config.nameWatch,
    hostedDomains: domains.hostedDomains,
    endedDomain: domains.endedDomain,
    formerZones: domains.formerZones,
    delegatedZones,
    clock,
    closing,
    operators: config.operators,
    rules: {
      maxNamesPerOwner: config.namesPerOwner,
      quarantineMs: config.nameQuarantineDays * DAY_MS,
      reservedWords: config.reservedNames,
    },
  })
  const payments = makePaymentsSlice({
    transact,
    database,
    identity,
    nodes,
    resolver,
    addresses,
    clock,
    closing,
  })
  const ownerOf = async (user: string, domain: string) =>
    (await names.findActive(user, domain))?.owner ?? null
  const askedDomain = makeAskedDomain({ domains: config.domains, publicUrl: url })
  const key = await zapKey(config)
  const relays = makeRelayPool({ sockets: makeOutboundSockets({ allowLoopback: config.outboundLoopback }) })
  const lightningAddress = makeLightningAddressSlice({
    transact,
    database,
    identity,
    nodes,
    findActive: names.findActive,
    askedDomain,
    publicUrl: url,
    clock,
    zaps: key && makeZapReceipts({ key, relays }),
    ...(config.rateLimit === 0 && { perMinute: null }),
  })
  const nip05Roots = new Map(config.nip05Roots.map(({ domain, pubkey }) => [domain, pubkey]))
  const nip05 = makeNip05Slice({
    ownerOf,
    askedDomain,
    rootOf: async (domain) => nip05Roots.get(domain) ?? domains.ownerOf(domain),
  })
  const proofs = makeProofsSlice({
    resolveTxt: edges.resolveTxt,
    anchors: edges.anchors,
    remembered: resolver.remembered,
    clock,
  })
  const zonePlans = makeZonesSlice({
    transact,
    database,
    identity,
    observe: makeObserveZone({ serversOf: edges.zoneServers, resolveTxt: edges.resolveTxt, clock }),
    act: edges.actOnZone,
    operators: config.operators,
    clock,
  })
  const escrow =
    edges.operator &&
    makeEscrowSlice({
      ...{ transact, database, clock, limits: config.escrowHolds },
      policy: feePolicy(config.escrowFee),
      ...edges.operator,
    })
  return {
    names,
    domains,
    zones: zonePlans,
    payments,
    lightningAddress,
    escrow,
    delegatedZones,
    /** Those that answer by REST. */
    routed: [
      names,
      domains,
      zonePlans,
      resolve,
      proofs,
      payments,
      makeNodesSlice({ nodes, identity }),
      lightningAddress,
      nip05,
    ],
  }
}
