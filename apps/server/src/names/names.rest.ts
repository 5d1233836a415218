import { isRefusal, refuse } from '@holdfast/core'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import { type ChangeSignal, waitField, waitUntil } from '../platform/change-signal.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { orThrow, RefusalError, refusals } from '../platform/http/problem.ts'
import { cutPage, decodeCursor, pageFields } from '../platform/page-cursor.ts'
import { addChangeRoutes } from './change-name.rest.ts'
import { type ChangeDeps, findAnsweringByText } from './change-name.ts'
import { followed, OFFER_REFUSALS, offerField } from './name-answers.ts'
import { jobJson, jobSchema, nameJson, nameSchema } from './name-json.ts'
import { findJob, listNames } from './name-store.ts'
import type { ReconcileZones } from './reconcile-zones.ts'
import { addReconciliationRoutes } from './reconciliations.rest.ts'
import { registerName } from './register-name.ts'
import { addUnhealthyNamesRoute } from './unhealthy-names.rest.ts'
import { withNodes } from './with-nodes.ts'

export type NameRoutes = ChangeDeps & {
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  changes: ChangeSignal
  reconcileZones: Pick<ReconcileZones, 'ask'>
  /** Aborted when the server stops: whoever waits is answered with what there is. */
  closing?: AbortSignal
}

const tags = ['names']
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function addNameRoutes(app: App, deps: NameRoutes): void {
  const { db } = deps.database

  app.post(
    '/v1/names',
    {
      schema: {
        summary: 'Register a name; the job that is answered follows it to its end.',
        tags,
        body: z.strictObject({
          user: z
            .string()
            .max(255)
            .describe('`*`: the wildcard, by which every name of a domain of your own is paid.'),
          domain: z.string().max(255),
          offer: offerField,
        }),
        response: {
          202: jobSchema,
          ...refusals(
            'NAME_INVALID',
            'NAME_RESERVED',
            'NAME_TAKEN',
            'NAME_LIMIT_REACHED',
            'NAME_QUARANTINED',
            'NAME_COVERED',
            'WILDCARD_NOT_YOURS',
            'DOMAIN_SHARED',
            'DOMAIN_UNKNOWN',
            ...OFFER_REFUSALS,
          ),
        },
      },
    },
    (request, reply) =>
      deps.identity.mutate(
        request,
        reply,
        withNodes(deps, request.body, async (tx, owner, nodes) => {
          const state = await registerName({ ...deps, nodes }, tx, owner, request.body)
          return isRefusal(state) ? state : followed(state)
        }),
      ),
  )

  app.get(
    '/v1/jobs/:id',
    {
      schema: {
        summary: 'How far a registration or a change has come. Who knows the id may see it.',
        tags,
        params: z.strictObject({ id: z.string() }),
        querystring: z.strictObject({ wait: waitField('job') }),
        response: { 200: jobSchema, ...refusals('JOB_NOT_FOUND') },
      },
    },
    async ({ params: { id }, query, raw }) => {
      if (!uuid.test(id)) throw new RefusalError(refuse('JOB_NOT_FOUND'))
      const look = async () => {
        const found = await findJob(db, id)
        return found === null ? null : jobJson(found)
      }
      const ended = (job: Awaited<ReturnType<typeof look>>) =>
        deps.closing?.aborted || raw.socket.destroyed || job?.state !== 'running'
      const job = await waitUntil(deps.changes, id, query.wait * 1000, look, ended)
      if (job === null) throw new RefusalError(refuse('JOB_NOT_FOUND'))
      return job
    },
  )

  app.get(
    '/v1/names/:name',
    {
      schema: {
        summary: 'A name that is registered here, or the wildcard that answers for it.',
        tags,
        params: z.strictObject({ name: z.string() }),
        response: { 200: nameSchema, ...refusals('NAME_NOT_FOUND') },
      },
    },
    async ({ params: { name } }) => {
      const claim = await findAnsweringByText(db, name)
      if (claim === null) throw new RefusalError(refuse('NAME_NOT_FOUND'))
      return nameJson(claim)
    },
  )

  addChangeRoutes(app, deps)
  addUnhealthyNamesRoute(app, deps)
  addReconciliationRoutes(app, deps)

  app.get(
    '/v1/names',
    {
      schema: {
        summary: 'Your registrations, newest first, those that ended included.',
        tags,
        querystring: z.strictObject({
          owner: z.literal('me'),
          ...pageFields,
        }),
        response: {
          200: z.strictObject({ names: z.array(nameSchema), next: z.string().nullable() }),
          ...refusals('AUTH_REQUIRED', 'REQUEST_INVALID'),
        },
      },
    },
    async (request) => {
      const owner = await deps.identity.authenticate(request)
      const { limit, after } = request.query
      const position = after === undefined ? null : orThrow(decodeCursor(after))
      const states = await listNames(db, { owner, limit: limit + 1, after: position })
      const { page, next } = cutPage(states, limit)
      return { names: page.map(nameJson), next }
    },
  )

  app.get(
    '/v1/domains',
    {
      schema: {
        summary: 'The domains in which names can be registered.',
        tags,
        response: { 200: z.strictObject({ domains: z.array(z.string()) }) },
      },
    },
    async () => ({ domains: [...deps.zones.keys()].sort() }),
  )
}
