import { refuse } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { RefusalError, refusals } from '../platform/http/problem.ts'
import { nameJson, nameSchema, textOf } from './name-json.ts'
import { listUnhealthy } from './watch-store.ts'

/** The names that an operator should look at. */
export function addUnhealthyNamesRoute(
  app: App,
  deps: {
    database: Pick<OpenDatabase, 'db'>
    identity: Pick<Identity, 'authenticate'>
    operators: ReadonlySet<Hex>
  },
): void {
  const { db } = deps.database
  app.get(
    '/v1/unhealthy-names',
    {
      schema: {
        summary: 'For operators: live names that do not resolve as they should, or soon will not.',
        tags: ['names'],
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(100).default(50),
          after: z.string().max(255).optional().describe('`next` of the page before.'),
        }),
        response: {
          200: z.strictObject({ names: z.array(nameSchema), next: z.string().nullable() }),
          ...refusals('AUTH_REQUIRED', 'FORBIDDEN', 'REQUEST_INVALID'),
        },
      },
    },
    async (request) => {
      if (!deps.operators.has(await deps.identity.authenticate(request)))
        throw new RefusalError(refuse('FORBIDDEN'))
      const { limit, after } = request.query
      const [user = '', domain = ''] = after?.split('@') ?? []
      const position = after === undefined ? null : { user, domain }
      const states = await listUnhealthy(db, { limit: limit + 1, after: position })
      const page = states.slice(0, limit)
      const last = states.length > limit ? page.at(-1) : undefined
      return { names: page.map(nameJson), next: last ? textOf(last) : null }
    },
  )
}
