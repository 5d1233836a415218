import type { Hex } from '@holdfast/lightning'
import type { Identity } from '../identity/identity.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import type { Task } from '../platform/jobs.ts'
import { sweepRows } from '../platform/sweep-rows.ts'
import type { Transact } from '../platform/transaction.ts'
import { type ActOnZone, inTurn } from './act-on-zone.ts'
import type { ObserveZone } from './observe-zone.ts'
import { adoptZone, makeTellZone, requestZone } from './zone-saga.ts'
import { findSilentZones } from './zone-store.ts'
import { makeZoneTasks } from './zone-tasks.ts'
import { addZoneRoutes } from './zones.rest.ts'

export type ZonesSlice = {
  /** For the worker. */
  readonly tasks: Record<string, Task>
  routes(app: App): void
  /** Takes in the zones that are new, on request to have them signed; those that are known go on where they stood. */
  adopt(domains: Iterable<string>, options?: { readonly andSign: boolean }): Promise<void>
  /** Looks at zones whose job was lost; run it every minute. Answers how many. */
  sweep(): Promise<number>
}

const DAY_SECONDS = 86_400
const PAGE_SIZE = 100

export function makeZonesSlice(deps: {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate'>
  observe: ObserveZone
  /** Default: a person is asked. */
  act?: ActOnZone
  /** May sign, unsign and roll. Default: nobody. */
  operators?: readonly Hex[]
  clock: () => number
  /** No TTL in a zone is larger, in seconds. Default: a day; larger ones that are seen count. */
  maxTtlSeconds?: number
  /** How long a DS that was never seen may be remembered, in seconds. Default: a day. */
  assumedDsTtlSeconds?: number
}): ZonesSlice {
  const { transact, database, clock } = deps
  const { maxTtlSeconds = DAY_SECONDS, assumedDsTtlSeconds = DAY_SECONDS } = deps
  const tell = makeTellZone({ transact, clock })
  return {
    tasks: makeZoneTasks({ database, observe: deps.observe, act: deps.act ?? inTurn(), tell }),
    routes: (app) => addZoneRoutes(app, { ...deps, operators: new Set(deps.operators) }),
    async adopt(domains, { andSign } = { andSign: false }) {
      for (const domain of domains) {
        await transact(async (tx) => {
          const request = { kind: 'adopt', domain, maxTtlSeconds, assumedDsTtlSeconds } as const
          const isNew = await adoptZone(tx, request, clock())
          if (isNew && andSign)
            await requestZone(tx, { domain, command: { kind: 'sign' }, by: 'system', now: clock() })
        })
      }
    },
    sweep() {
      const now = clock()
      return sweepRows<{ id: string }>({
        what: 'zones',
        pageSize: PAGE_SIZE,
        pageAfter: (after) => findSilentZones(database.db, { now, limit: PAGE_SIZE, after }),
        look: ({ id }) => tell(id, { kind: 'time-passed' }),
      })
    },
  }
}
