import { type Refusal, refuse } from '@holdfast/core'
import type { DnsZone } from '@holdfast/core/dns-zone'
import type { Hex } from '@holdfast/lightning'
import type { Kysely } from 'kysely'
import type { Identity } from '../identity/identity.ts'
import type { Database, OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import type { Task } from '../platform/jobs.ts'
import { sweepRows } from '../platform/sweep-rows.ts'
import type { Transact } from '../platform/transaction.ts'
import type { ResolveTxt } from '../resolve/validations.ts'
import { checkDomain } from './check-domain.ts'
import type { Delegations } from './delegation.ts'
import { type HoldsNames, makeTellDomain } from './domain-saga.ts'
import {
  findActiveOwner,
  findDomain,
  findEnded,
  findSilentDomains,
  isProven,
  listFormer,
  listHosted,
  listProven,
  lockProven,
} from './domain-store.ts'
import { addDomainRoutes } from './domains.rest.ts'
import { makeOwnZones, type OwnZones } from './own-zones.ts'

export type DomainsSlice = Pick<OwnZones, 'zones'> & {
  /** Why this key may not register names in the domain, as `db` sees it; null: it may, if the domain is known. */
  mayRegister(domain: string, by: Hex, db: Kysely<Database>): Promise<Refusal | null>
  /**
   * Who alone may register names in the domain: its owner by configuration, or by proof; null: nobody. Within a
   * transaction it reads by that one's `db`.
   */
  ownerOf(domain: string, db?: Kysely<Database>): Promise<Hex | null>
  /** The domains of merchants whose names stand in this zone of ours, and what follows `user._bitcoin-payment.` there. */
  hostedDomains(zone: string): Promise<readonly { readonly below: string; readonly domain: string }[]>
  /** The domain whose names have lived below there, in this zone of ours, until its claim has ended; null: none. */
  endedDomain(zone: string, below: string): Promise<string | null>
  /**
   * Where names lived by claims to the domain that have ended: what comes late of them may stand there. From then on
   * `zones` has the domain if somebody has it now.
   */
  formerZones(domain: string): Promise<readonly DnsZone[]>
  /** For the worker. */
  readonly tasks: Record<string, Task>
  routes(app: App): void
  /** Looks at claims whose job was lost, and takes over what other processes have proven; at boot and every minute. */
  sweep(): Promise<number>
}

const PAGE_SIZE = 100

/** Domains that merchants bring: claimed, proven by a challenge in their signed DNS, and led into a zone of ours. */
export function makeDomainsSlice(deps: {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  /** The zones of ours, by domain; names of others live in the first. */
  zones: ReadonlyMap<string, DnsZone>
  /** Zones of merchants' domains that are delegated to us. */
  delegated?: Delegations
  /** Of zones of ours that are not open to everybody. */
  owners?: ReadonlyMap<string, Hex>
  resolveTxt: ResolveTxt
  holdsNames: HoldsNames
  clock: () => number
  /** Default 10. */
  maxDomainsPerOwner?: number
}): DomainsSlice {
  const { database, clock, maxDomainsPerOwner = 10, delegated = new Map(), owners = new Map() } = deps
  const tell = makeTellDomain(deps)
  const own = makeOwnZones(deps.zones, delegated)
  const configured = [...deps.zones.keys()]
  const [host = ''] = configured
  const delegatedDomains = new Map(Array.from(delegated, ([domain, { zone }]) => [zone.domain, domain]))
  let [begun, taken] = [0, 0]
  const refresh = async (db = database.db) => {
    const turn = ++begun
    const proven = await listProven(db)
    // One that began earlier may know less, and end later.
    if (turn < taken) return
    taken = turn
    own.set(proven)
  }

  return {
    zones: own.zones,
    async mayRegister(domain, by, db) {
      if (deps.zones.has(domain)) return (owners.get(domain) ?? by) === by ? null : refuse('FORBIDDEN')
      // It may have been proven just now, or by another process; it must not be given up before the name is there.
      await lockProven(db, domain)
      await refresh(db)
      return own.mayRegister(domain, by)
    },
    ownerOf: async (domain, db = database.db) =>
      deps.zones.has(domain) ? (owners.get(domain) ?? null) : findActiveOwner(db, domain),
    async hostedDomains(zone) {
      const domain = delegatedDomains.get(zone)
      if (domain !== undefined)
        return (await isProven(database.db, domain)) ? [{ below: domain, domain }] : []
      const hosted = await listHosted(database.db, zone)
      return hosted.map(({ label, domain }) => ({ below: `${label}.${zone}`, domain }))
    },
    async endedDomain(zone, below) {
      const domain = delegatedDomains.get(zone)
      if (domain !== undefined)
        return below === domain && !(await isProven(database.db, domain))
          ? findEnded(database.db, { domain })
          : null
      const suffix = `.${zone}`
      return below.endsWith(suffix)
        ? findEnded(database.db, { label: below.slice(0, -suffix.length), host: zone })
        : null
    },
    async formerZones(domain) {
      if (deps.zones.has(domain)) return []
      const former = await listFormer(database.db, domain)
      await refresh()
      return former.flatMap((state) => own.zoneOf(state) ?? [])
    },
    tasks: {
      'domains:check': async (payload) => {
        const [id, serial] = [String(payload.id), Number(payload.serial)]
        const state = await findDomain(database.db, id)
        if (state === null || state.phase === 'ended' || state.check.serial !== serial) return
        await tell(id, await checkDomain({ ...deps, delegated }, state, serial))
        await refresh()
      },
    },
    routes: (app) =>
      addDomainRoutes(app, {
        ...deps,
        delegated,
        configured,
        host,
        maxDomainsPerOwner,
        givenUp: () => refresh(),
      }),
    async sweep() {
      const now = clock()
      try {
        return await sweepRows<{ id: string }>({
          what: 'domains',
          pageSize: PAGE_SIZE,
          pageAfter: (after) => findSilentDomains(database.db, { now, limit: PAGE_SIZE, after }),
          look: ({ id }) => tell(id, { kind: 'time-passed' }),
        })
      } finally {
        await refresh()
      }
    },
  }
}
