import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { ZoneState } from '@holdfast/core/zones/zone-states'
import type { Hex } from '@holdfast/lightning'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { RefusalError, refusals } from '../platform/http/problem.ts'
import { zoneJson, zoneSchema } from './zone-json.ts'
import { requestZone } from './zone-saga.ts'
import { findZone, listZones } from './zone-store.ts'

const tags = ['zones']
const params = z.strictObject({ domain: z.string().max(255) })

const REQUESTS = {
  sign: 'For operators: take the zone into DNSSEC, step by step.',
  unsign: 'For operators: take the zone out of DNSSEC, step by step.',
  roll: 'For operators: replace the key to which the parent points.',
} as const

export function addZoneRoutes(
  app: App,
  deps: {
    database: Pick<OpenDatabase, 'db'>
    identity: Pick<Identity, 'mutate'>
    operators: ReadonlySet<Hex>
    clock: () => number
  },
): void {
  const { db } = deps.database

  app.get(
    '/v1/zones',
    {
      schema: {
        summary: 'The zones that this server keeps, and where each stands with DNSSEC.',
        tags,
        response: { 200: z.strictObject({ zones: z.array(zoneSchema) }) },
      },
    },
    async () => ({ zones: (await listZones(db)).map(zoneJson) }),
  )

  app.get(
    '/v1/zones/:domain',
    {
      schema: {
        summary: 'Where a zone stands with DNSSEC, and what it waits for.',
        tags,
        params,
        response: { 200: zoneSchema, ...refusals('ZONE_NOT_FOUND') },
      },
    },
    async ({ params: { domain } }) => {
      const state = await findZone(db, domain.toLowerCase())
      if (state === null) throw new RefusalError(refuse('ZONE_NOT_FOUND'))
      return zoneJson(state)
    },
  )

  for (const kind of ['sign', 'unsign', 'roll'] as const) {
    app.post(
      `/v1/zones/:domain/${kind}`,
      {
        schema: {
          summary: REQUESTS[kind],
          tags,
          params,
          response: { 202: zoneSchema, ...refusals('ZONE_NOT_FOUND', 'ZONE_NOT_SIGNED', 'FORBIDDEN') },
        },
      },
      (request, reply) =>
        deps.identity.mutate(request, reply, async (tx, by) => {
          if (!deps.operators.has(by)) return refuse('FORBIDDEN')
          const domain = request.params.domain.toLowerCase()
          return answer(await requestZone(tx, { domain, command: { kind }, by, now: deps.clock() }))
        }),
    )
  }
}

function answer(state: ZoneState | Refusal) {
  return isRefusal(state) ? state : { status: 202 as const, body: zoneJson(state) }
}
