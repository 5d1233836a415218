import { feePolicy } from '@holdfast/core/escrow/fees'
import { addAliases } from './aliases.ts'
import { makeDomainsSlice } from './domains/domains-slice.ts'
import type { Edges } from './edges.ts'
import { makeEscrowSlice } from './escrow/escrow-slice.ts'
import { startEscrowFeed } from './escrow/graphql/escrow-feed.ts'
import { addGraphqlRoutes } from './escrow/graphql/graphql.routes.ts'
import { watchEscrows } from './escrow/watch-escrows.ts'
import { makeIdentity } from './identity/identity.ts'
import { makeLightningAddressSlice } from './lightning-address/lightning-address-slice.ts'
import { makeNamesSlice } from './names/names-slice.ts'
import { isNoteworthy } from './names/reconciliation.ts'
import { makeNip05Slice } from './nip05/nip05-slice.ts'
import { makeNodesSlice } from './nodes/nodes-slice.ts'
import { makeRelayPool } from './nostr/relay-pool.ts'
import { makeZapReceipts, zapKey } from './nostr/zap-receipts.ts'
import { makeOutbound } from './outbound/outbound-https.ts'
import { makeOutboundSockets } from './outbound/outbound-socket.ts'
import { makePaymentsSlice } from './payments/payments-slice.ts'
import type { Config } from './platform/config.ts'
import { openDatabase, pingDatabase } from './platform/database.ts'
import { startDispatch } from './platform/dispatch.ts'
import { makeHttpApp } from './platform/http/app.ts'
import { makeAskedDomain } from './platform/http/asked-domain.ts'
import { makeMemoryRateLimiter } from './platform/http/rate-limiter.ts'
import { startWorker, type Task, type WorkerOptions } from './platform/jobs.ts'
import { makeHeads } from './platform/journal/heads.ts'
import { startJournal } from './platform/journal/journal.ts'
import type { Log } from './platform/log.ts'
import { repeat } from './platform/repeat.ts'
import { makeRightOfWay } from './platform/right-of-way.ts'
import type { Secret } from './platform/secret.ts'
import type { Shutdown } from './platform/shutdown.ts'
import { makeTransact } from './platform/transaction.ts'
import { makeProofsSlice } from './proofs/proofs-slice.ts'
import { makeResolveSlice } from './resolve/resolve-slice.ts'
import { addWelcomePage } from './welcome.ts'
import { makeObserveZone } from './zones/observe-zone.ts'
import { makeZonesSlice } from './zones/zones-slice.ts'

const JOBS_AT_ONCE = 10
const LOOKS_AT_ONCE = 2
/** Jobs may wait for each other, but a request must not wait behind them: each side has connections of its own. */
const CONNECTIONS_FOR_REQUESTS = 10
const CONNECTIONS_FOR_JOBS = 6
const SWEEP_EVERY_MS = 60_000
const DAY_MS = 24 * 60 * 60_000
/** Priority of jobs that requests add: what was begun is ended before something else is begun. */
const NEWCOMERS = 10

/** Puts the slices together on a migrated database and serves them at `url`. What it starts, `shutdown` ends. */
export async function startServer(options: {
  config: Config
  /** Where this server is reached and for which clients sign. */
  url: string
  port: number
  connectionString: Secret<string>
  edges: Edges
  log: Log
  shutdown: Shutdown
}): Promise<void> {
  const { config, url, edges, log, shutdown } = options
  const clock = Date.now
  const closing = new AbortController()
  const open = (maxConnections: number) =>
    openDatabase({ connectionString: options.connectionString, log, maxConnections })
  const database = open(CONNECTIONS_FOR_REQUESTS)
  shutdown.add('database', () => database.close())
  const jobsDatabase = open(CONNECTIONS_FOR_JOBS)
  shutdown.add('database of the jobs', () => jobsDatabase.close())
  const dispatch = startDispatch({ database: jobsDatabase, log })
  shutdown.add('dispatch', () => dispatch.stop())
  const heads = makeHeads()
  const transact = makeTransact({ database: jobsDatabase, dispatch, heads })
  const rightOfWay = makeRightOfWay()

  const identity = makeIdentity({
    transact: makeTransact({ database, dispatch, jobPriority: NEWCOMERS, rightOfWay, heads }),
    database,
    clock,
    publicUrl: url,
    ...(config.rateLimit > 0 && {
      rateLimiter: makeMemoryRateLimiter({ points: config.rateLimit, seconds: 60 }),
    }),
  })
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
    holdsNames: (domain) => names.holdsNames(domain),
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
    delegatedZones,
    clock,
    closing: closing.signal,
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
    closing: closing.signal,
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
  const proofs = makeProofsSlice({ resolveTxt: edges.resolveTxt, anchors: edges.anchors, clock })
  const zonesSlice = makeZonesSlice({
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
  const slices = [
    names,
    domains,
    zonesSlice,
    resolve,
    proofs,
    payments,
    makeNodesSlice({ nodes, identity }),
    lightningAddress,
    nip05,
  ]

  type Manner = Partial<Pick<WorkerOptions, 'rightOfWay' | 'concurrency'>>
  const work = async (tasks: Record<string, Task>, more: Manner = {}) => {
    const worker = await startWorker({ database, tasks, concurrency: JOBS_AT_ONCE, log, ...more })
    shutdown.add('worker', () => worker.stop())
  }
  // For a payment somebody waits, and it waits for nodes: names are not in its way, nor it in theirs.
  await work(payments.tasks)
  if (escrow) await work(escrow.tasks)
  // Strangers cause these, so they wait for nodes by themselves.
  await work(lightningAddress.tasks, { concurrency: LOOKS_AT_ONCE })
  // Names of merchants' domains are published only by who knows those domains.
  await domains.sweep()
  await work({ ...names.tasks, ...zonesSlice.tasks }, { rightOfWay })
  // Anybody may claim any domain, and its DNS decides how long a look takes.
  await work(domains.tasks, { concurrency: LOOKS_AT_ONCE })
  await zonesSlice.adopt(zones.keys())
  // Unsigned it is of no use; the DS that a merchant's DNS has to show is told by its plan.
  await zonesSlice.adopt(delegatedZones.keys(), { andSign: true })
  await payments.reconcile().catch((error) => log.error({ err: error }, 'payments are asked about later'))
  await names.reconcile().catch((error) => log.error({ err: error }, 'some names are tried again later'))
  if (escrow) {
    await escrow.reconcile().catch((error) => log.error({ err: error }, 'escrows are looked at later'))
    const watch = watchEscrows(escrow, log)
    shutdown.add('escrow watch', () => watch.stop())
  }
  const sweeper = repeat(SWEEP_EVERY_MS, log, {
    names: names.sweep,
    domains: domains.sweep,
    zones: zonesSlice.sweep,
    payments: payments.sweep,
    ...(escrow && { escrows: escrow.sweep }),
    lightningAddress: lightningAddress.sweep,
    identity: identity.sweep,
  })
  shutdown.add('sweeper', () => sweeper.stop())
  // Looking at names takes as long as the DNS takes: the sweeper does not wait for it.
  const watcher = repeat(SWEEP_EVERY_MS, log, {
    watch: names.watch,
    reconciler: async () => {
      for (const report of await names.reconcileZones()) {
        const level = isNoteworthy(report) ? 'warn' : 'info'
        log[level]({ reconciliation: report }, 'a zone was compared with the database')
      }
    },
  })
  shutdown.add('watcher', () => watcher.stop())

  const app = await makeHttpApp({
    config: { ...config, publicUrl: url },
    log,
    readiness: [
      { name: 'postgres', check: async () => void (await pingDatabase(database)) as undefined },
      ...edges.readiness,
    ],
    openapi: {
      title: 'Holdfast',
      version: '0.1.0',
      description: 'Non-custodial Lightning for marketplaces: names and payments.',
    },
  })
  addAliases(app)
  await identity.install(app)
  for (const slice of slices) slice.routes(app)
  if (escrow) {
    const journal = await startJournal({ database, transact, log })
    shutdown.add('journal', () => journal.stop())
    const feed = await startEscrowFeed({ journal, log })
    shutdown.add('escrow feed', async () => feed.stop())
    await addGraphqlRoutes(app, { identity, database, escrows: escrow, feed, closing: closing.signal })
  }
  addWelcomePage(app, { domains: config.domains })
  // What is wrong with a key or a token is said now, not to the first who needs it.
  for (const { name, essential = true, check } of edges.readiness) {
    if (essential) continue
    check(closing.signal).catch((error) =>
      log.error({ err: error, dependency: name }, 'not ready; see /ready'),
    )
  }
  await app.listen({ host: config.host, port: options.port })
  // Such as a connection that the system cannot accept: without a listener Node would end the process.
  app.server.on('error', (error) => log.error({ err: error }, 'the listening socket failed; it goes on'))
  shutdown.add('http', () => {
    closing.abort()
    return app.close()
  })
}
