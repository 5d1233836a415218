import type { JsonObject } from '@holdfast/core'
import type { DnsZone } from '@holdfast/core/dns-zone'
import type { Kysely } from 'kysely'
import type { Zones } from '../dns/zones.ts'
import type { Database, OpenDatabase } from '../platform/database.ts'
import type { Transact } from '../platform/transaction.ts'
import type { TellName } from './name-saga.ts'
import { keepDue, keepReconciliation, takeDueZone } from './reconcile-store.ts'
import { type EndedDomain, type HostedDomains, reconcileZone } from './reconcile-zone.ts'
import type { Reconciliation } from './reconciliation.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** Who takes a zone and dies gives it back by then. */
const TAKEN_FOR_MS = 60 * MINUTE_MS
const AGAIN_AFTER_MS = 10 * MINUTE_MS
/** A server that is started again and again does not list its zones each time. */
const FRESH_MS = 60 * MINUTE_MS

export type ReconcileZones = {
  /** Compares the zones that are due: after a start, every day, and when an operator asked. Answers what came of it. */
  run(): Promise<Reconciliation[]>
  /** Makes all zones due. */
  ask(db: Kysely<Database>): Promise<void>
}

export function makeReconcileZones(deps: {
  database: Pick<OpenDatabase, 'db'>
  transact: Transact
  zones: Zones
  /** Those that merchants delegate to us, by apex. */
  delegatedZones?: ReadonlyMap<string, DnsZone>
  tell: TellName
  clock: () => number
  hostedDomains: HostedDomains
  endedDomain: EndedDomain
  closing?: AbortSignal
}): ReconcileZones {
  const { clock, zones, delegatedZones = new Map(), transact, closing } = deps
  const { db } = deps.database
  const ours = () => [...zones.keys(), ...delegatedZones.keys()]
  let starting: Promise<void> | null = null

  return {
    async run() {
      const reports: Reconciliation[] = []
      const domains = ours()
      // Once, also for two who run at the same time: what the first of them has taken must not be due again.
      starting ??= keepDue(db, domains, { now: clock(), notSince: clock() - FRESH_MS }).catch((error) => {
        starting = null
        throw error
      })
      await starting
      while (!closing?.aborted) {
        const now = clock()
        const domain = await takeDueZone(db, { domains, now, until: now + TAKEN_FOR_MS })
        const zone = domain === null ? undefined : (delegatedZones.get(domain) ?? zones.get(domain))
        if (zone === undefined) break
        reports.push(await reconcile(zone))
      }
      return reports
    },
    ask: (db) => keepDue(db, ours(), { now: clock(), notSince: clock() }),
  }

  async function reconcile(zone: DnsZone): Promise<Reconciliation> {
    const report = await reconcileZone(deps, zone)
    const wait = report.problem?.code === 'DNS_UNAVAILABLE' ? AGAIN_AFTER_MS : DAY_MS
    await transact(async (tx) => {
      await keepReconciliation(tx.db, report, report.at + wait)
      tx.append({
        stream: 'reconciliation',
        entityId: report.domain,
        kind: 'zone.reconciled',
        data: report as unknown as JsonObject,
        actor: 'system',
        at: new Date(report.at),
      })
    })
    return report
  }
}
