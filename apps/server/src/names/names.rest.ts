import { isRefusal, refuse } from '@holdfast/core'
import { parseNewName } from '@holdfast/core/names/name'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import { type ChangeSignal, waitField, waitUntil } from '../platform/change-signal.ts'
import type { Database, OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { orThrow, RefusalError, refusals } from '../platform/http/problem.ts'
import { cutPage, decodeCursor, pageFields } from '../platform/page-cursor.ts'
import { jobJson, jobSchema, nameJson, nameSchema } from './name-json.ts'
import { findClaim, findName, listNames } from './name-store.ts'
import { type RegisterDeps, registerName } from './register-name.ts'
import { releaseName } from './release-name.ts'

export type NameRoutes = RegisterDeps & {
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  changes: ChangeSignal
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
          user: z.string().max(255),
          domain: z.string().max(255),
          offer: z.string().max(8_000).optional().describe('A BOLT 12 offer made on your own device.'),
        }),
        response: {
          202: jobSchema,
          ...refusals(
            'NAME_INVALID',
            'NAME_RESERVED',
            'NAME_TAKEN',
            'NAME_LIMIT_REACHED',
            'DOMAIN_UNKNOWN',
            'NODE_NOT_CONNECTED',
            'NODE_OFFLINE',
            'NODE_CANNOT',
            'OFFER_INVALID',
            'OFFER_EXPIRED',
            'OFFER_EXPIRES_SOON',
            'OFFER_FOREIGN_CHAIN',
            'OFFER_UNSUPPORTED',
            'OFFER_TOO_LONG',
          ),
        },
      },
    },
    (request, reply) =>
      deps.identity.mutate(request, reply, async (tx, owner) => {
        const state = await registerName(deps, tx, owner, request.body)
        if (isRefusal(state)) return state
        return { status: 202, headers: { location: `/v1/jobs/${state.id}` }, body: jobJson(state) }
      }),
  )

  app.get(
    '/v1/jobs/:id',
    {
      schema: {
        summary: 'How far a registration has come. Who knows the id may see it.',
        tags,
        params: z.strictObject({ id: z.string() }),
        querystring: z.strictObject({ wait: waitField('job') }),
        response: { 200: jobSchema, ...refusals('JOB_NOT_FOUND') },
      },
    },
    async ({ params: { id }, query }) => {
      if (!uuid.test(id)) throw new RefusalError(refuse('JOB_NOT_FOUND'))
      const look = async () => {
        const state = await findName(db, id)
        return state === null ? null : jobJson(state)
      }
      const ended = (job: Awaited<ReturnType<typeof look>>) =>
        deps.closing?.aborted || job?.state !== 'running'
      const job = await waitUntil(deps.changes, id, query.wait * 1000, look, ended)
      if (job === null) throw new RefusalError(refuse('JOB_NOT_FOUND'))
      return job
    },
  )

  app.get(
    '/v1/names/:name',
    {
      schema: {
        summary: 'A name that is registered here.',
        tags,
        params: z.strictObject({ name: z.string() }),
        response: { 200: nameSchema, ...refusals('NAME_NOT_FOUND') },
      },
    },
    async ({ params: { name } }) => {
      const claim = await findByText(db, name)
      if (claim === null) throw new RefusalError(refuse('NAME_NOT_FOUND'))
      return nameJson(claim)
    },
  )

  app.delete(
    '/v1/names/:name',
    {
      schema: {
        summary: 'Release a name: its record is withdrawn, its offer disabled, and anyone may register it.',
        tags,
        params: z.strictObject({ name: z.string() }),
        response: { 202: nameSchema, ...refusals('NAME_NOT_FOUND', 'NAME_NOT_ACTIVE', 'FORBIDDEN') },
      },
    },
    (request, reply) =>
      deps.identity.mutate(request, reply, async (tx, owner) => {
        const claim = await findByText(tx.db, request.params.name)
        if (claim === null) return refuse('NAME_NOT_FOUND')
        const state = await releaseName(tx, claim.id, owner, deps.clock())
        return isRefusal(state) ? state : { status: 202, body: nameJson(state) }
      }),
  )

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

async function findByText(db: Kysely<Database>, text: string) {
  const [user = '', domain = '', ...more] = text.split('@')
  if (more.length > 0) return null
  const name = parseNewName(user, domain.toLowerCase())
  return isRefusal(name) ? null : findClaim(db, name.user, name.domain)
}
