import type { DnsZone } from '@holdfast/core/dns-zone'
import type { Hex, Network } from '@holdfast/lightning'
import type { Kysely } from 'kysely'
import type { AskResolvers } from '../dns/resolvers/ask-resolvers.ts'
import type { Zones } from '../dns/zones.ts'
import type { Identity } from '../identity/identity.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { makeChangeSignal } from '../platform/change-signal.ts'
import type { Database, OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import type { Task } from '../platform/jobs.ts'
import type { Transact } from '../platform/transaction.ts'
import type { ResolveTxt } from '../resolve/validations.ts'
import { type FormerZones, makeNameTasks } from './name-effects.ts'
import { DEFAULT_RULES, type NameRules } from './name-rules.ts'
import { makeTellName } from './name-saga.ts'
import { findAnswering, isDomainInUse } from './name-store.ts'
import { addNameRoutes } from './names.rest.ts'
import type { EndedDomain, HostedDomains } from './reconcile-zone.ts'
import { makeReconcileZones, type ReconcileZones } from './reconcile-zones.ts'
import type { MayRegister, SoleOwnerOf } from './register-name.ts'
import { reconcileNames, sweepNames } from './sweep-names.ts'
import type { ResolveFresh } from './validate-chain.ts'
import { makeWatchNames, type WatchRound, type WatchRules } from './watch-names.ts'

/** A name that can be paid now: also one whose record is being changed, by its old offer. */
export type ActiveName = {
  readonly user: string
  readonly domain: string
  readonly owner: Hex
  readonly offer: string
  /** The user part of the registration that answers for it: its own, or `*`. */
  readonly answeredBy: string
}

export type NamesSlice = {
  /** For other slices; null: there is none. */
  findActive(user: string, domain: string): Promise<ActiveName | null>
  /** Whether names of this domain are claimed, or leave a record to be withdrawn, as `db` sees it. */
  holdsNames(domain: string, db: Kysely<Database>): Promise<boolean>
  /** For the worker. */
  readonly tasks: Record<string, Task>
  routes(app: App): void
  /** Goes on with names whose job was lost; run it at boot and every minute. Answers how many. */
  sweep(): Promise<number>
  /** Looks at the live names whose turn it is; run it every minute, apart from what must not wait. */
  watch(): Promise<WatchRound>
  /** Compares the zones that are due with the database; run it as `watch`. */
  reconcileZones: ReconcileZones['run']
  /** After a start: tries again what has failed, perhaps until somebody mended it. Answers how many names. */
  reconcile(): Promise<number>
}

const DEFAULT_WATCH: WatchRules = { periodMs: 6 * 60 * 60_000, atOnce: 4 }

export function makeNamesSlice(deps: {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  /** By domain, lower case. */
  zones: Zones
  /** Why this key may not register names in the domain; null: it may. Default: everybody may. */
  mayRegister?: MayRegister
  /** The only key that may register names in the domain, and with that its wildcard; null: no such key. Default: none. */
  soleOwnerOf?: SoleOwnerOf
  nodes: NodeDirectory
  resolveFresh: ResolveFresh
  /** Resolvers of others that must see a record before its name is active. Absent: none. */
  askResolvers?: AskResolvers
  /** By which live names are watched. */
  resolveTxt: ResolveTxt
  watch?: Partial<WatchRules>
  /** Zones that merchants delegate to us, by apex; they are reconciled as ours. */
  delegatedZones?: ReadonlyMap<string, DnsZone>
  /** Absent: no domain of others lives in a zone of ours. */
  hostedDomains?: HostedDomains
  endedDomain?: EndedDomain
  formerZones?: FormerZones
  network: Network
  clock: () => number
  /** Aborted when the server stops. */
  closing?: AbortSignal
  /** May suspend and resume names. Default: nobody. */
  operators?: readonly Hex[]
  rules?: Partial<NameRules>
}): NamesSlice {
  const { transact, clock } = deps
  const changes = makeChangeSignal(deps.closing)
  const tell = makeTellName({ transact, clock, changes })
  const reconcileZones = makeReconcileZones({
    hostedDomains: async () => [],
    endedDomain: async () => null,
    ...deps,
    tell,
  })
  return {
    async findActive(user, domain) {
      const claim = await findAnswering(deps.database.db, { user, domain })
      if (claim === null || !('live' in claim) || claim.live === null) return null
      return { user, domain, owner: claim.owner, offer: claim.live.offer, answeredBy: claim.user }
    },
    holdsNames: (domain, db) => isDomainInUse(db, domain),
    tasks: makeNameTasks({ ...deps, tell }),
    routes: (app) =>
      addNameRoutes(app, {
        ...deps,
        changes,
        reconcileZones,
        operators: new Set(deps.operators),
        rules: { ...DEFAULT_RULES, ...deps.rules },
      }),
    reconcile: () => reconcileNames({ database: deps.database, tell }),
    reconcileZones: reconcileZones.run,
    watch: makeWatchNames({ ...deps, tell, rules: { ...DEFAULT_WATCH, ...deps.watch } }),
    sweep: () => sweepNames({ database: deps.database, clock, tell }),
  }
}
