import { refuse } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { RefusalError, refusals } from '../platform/http/problem.ts'
import { listReconciliations } from './reconcile-store.ts'
import type { ReconcileZones } from './reconcile-zones.ts'
import { reconciliationSchema } from './reconciliation.ts'

const PATH = '/v1/reconciliations'
const tags = ['zones']

export function addReconciliationRoutes(
  app: App,
  deps: {
    database: Pick<OpenDatabase, 'db'>
    identity: Pick<Identity, 'authenticate' | 'mutate'>
    operators: ReadonlySet<Hex>
    reconcileZones: Pick<ReconcileZones, 'ask'>
  },
): void {
  const { identity, operators } = deps

  app.get(
    PATH,
    {
      schema: {
        summary: 'For operators: what the latest comparison of each zone with the database found.',
        tags,
        response: {
          200: z.strictObject({ reconciliations: z.array(reconciliationSchema) }),
          ...refusals('AUTH_REQUIRED', 'FORBIDDEN'),
        },
      },
    },
    async (request) => {
      if (!operators.has(await identity.authenticate(request))) throw new RefusalError(refuse('FORBIDDEN'))
      return { reconciliations: await listReconciliations(deps.database.db) }
    },
  )

  app.post(
    PATH,
    {
      schema: {
        summary: 'For operators: compare all zones with the database within a minute.',
        tags,
        response: { 202: z.strictObject({}), ...refusals('FORBIDDEN') },
      },
    },
    (request, reply) =>
      identity.mutate(request, reply, async (tx, by) => {
        if (!operators.has(by)) return refuse('FORBIDDEN')
        await deps.reconcileZones.ask(tx.db)
        return { status: 202, body: {} }
      }),
  )
}
