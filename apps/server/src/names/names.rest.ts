import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { NameState } from '@holdfast/core/names/name-states'
import type { Hex } from '@holdfast/lightning'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import { type ChangeSignal, waitField, waitUntil } from '../platform/change-signal.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { orThrow, RefusalError, refusals } from '../platform/http/problem.ts'
import { cutPage, decodeCursor, pageFields } from '../platform/page-cursor.ts'
import {
  type Asking,
  acceptTransfer,
  type ChangeDeps,
  cancelTransfer,
  changeOffer,
  findByText,
  proposeTransfer,
  releaseName,
  resumeName,
  suspendName,
} from './change-name.ts'
import { jobJson, jobSchema, nameJson, nameSchema } from './name-json.ts'
import { findJob, listNames } from './name-store.ts'
import { registerName } from './register-name.ts'

export type NameRoutes = ChangeDeps & {
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  changes: ChangeSignal
  /** Aborted when the server stops: whoever waits is answered with what there is. */
  closing?: AbortSignal
}

const tags = ['names']
const offerField = z
  .string()
  .max(8_000)
  .optional()
  .describe('A BOLT 12 offer made on your own device. Absent: your connected node makes one.')
const OFFER_REFUSALS = [
  'NODE_NOT_CONNECTED',
  'NODE_OFFLINE',
  'NODE_CANNOT',
  'OFFER_INVALID',
  'OFFER_EXPIRED',
  'OFFER_EXPIRES_SOON',
  'OFFER_FOREIGN_CHAIN',
  'OFFER_UNSUPPORTED',
  'OFFER_TOO_LONG',
] as const
const NAME_REFUSALS = ['NAME_NOT_FOUND', 'NAME_NOT_ACTIVE', 'NAME_SUSPENDED', 'FORBIDDEN'] as const
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
            'DOMAIN_UNKNOWN',
            ...OFFER_REFUSALS,
          ),
        },
      },
    },
    (request, reply) =>
      deps.identity.mutate(request, reply, async (tx, owner) => {
        const state = await registerName(deps, tx, owner, request.body)
        return isRefusal(state) ? state : followed(state)
      }),
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
    async ({ params: { id }, query }) => {
      if (!uuid.test(id)) throw new RefusalError(refuse('JOB_NOT_FOUND'))
      const look = async () => {
        const found = await findJob(db, id)
        return found === null ? null : jobJson(found)
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

  const params = z.strictObject({ name: z.string() })
  type Request = Parameters<typeof deps.identity.mutate>[0] & { params: { name: string } }
  type Reply = Parameters<typeof deps.identity.mutate>[1]

  /** Asks something about the name in the address; the answer is the name as it is then. */
  const ask = (request: Request, reply: Reply, change: (asking: Asking) => Promise<NameState | Refusal>) =>
    deps.identity.mutate(request, reply, async (tx, by: Hex) => {
      const state = await change({ tx, by, name: request.params.name })
      return isRefusal(state) ? state : { status: 202, body: nameJson(state) }
    })
  /** The same for what takes its time; the answer is the job that follows it. */
  const begin = (request: Request, reply: Reply, change: (asking: Asking) => Promise<NameState | Refusal>) =>
    deps.identity.mutate(request, reply, async (tx, by: Hex) => {
      const state = await change({ tx, by, name: request.params.name })
      return isRefusal(state) ? state : followed(state)
    })

  app.put(
    '/v1/names/:name',
    {
      schema: {
        summary: 'Give a name another offer; the old one is disabled once the new one is live.',
        tags,
        params,
        body: z.strictObject({ offer: offerField }),
        response: { 202: jobSchema, ...refusals(...NAME_REFUSALS, ...OFFER_REFUSALS, 'OFFER_USED') },
      },
    },
    (request, reply) => begin(request, reply, (asking) => changeOffer(deps, asking, request.body)),
  )

  app.delete(
    '/v1/names/:name',
    {
      schema: {
        summary:
          'Release a name: its record is withdrawn, its offer disabled, and after the quarantine anyone may register it.',
        tags,
        params,
        response: { 202: nameSchema, ...refusals('NAME_NOT_FOUND', 'NAME_NOT_ACTIVE', 'FORBIDDEN') },
      },
    },
    (request, reply) => ask(request, reply, (asking) => releaseName(deps, asking)),
  )

  app.put(
    '/v1/names/:name/transfer',
    {
      schema: {
        summary:
          'Propose to give the name to another key, which has to accept. A later proposal replaces this one.',
        tags,
        params,
        body: z.strictObject({
          to: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .describe('Nostr public key, hex.'),
        }),
        response: { 202: nameSchema, ...refusals(...NAME_REFUSALS, 'TRANSFER_TO_OWNER') },
      },
    },
    (request, reply) => ask(request, reply, (asking) => proposeTransfer(deps, asking, request.body)),
  )

  app.delete(
    '/v1/names/:name/transfer',
    {
      schema: {
        summary: 'Take back the proposal to transfer the name.',
        tags,
        params,
        response: {
          202: nameSchema,
          ...refusals('NAME_NOT_FOUND', 'FORBIDDEN', 'TRANSFER_NOT_PROPOSED'),
        },
      },
    },
    (request, reply) => ask(request, reply, (asking) => cancelTransfer(deps, asking)),
  )

  app.post(
    '/v1/names/:name/transfer/accept',
    {
      schema: {
        summary: 'Take over a name that its owner proposed to give you; it is yours once your offer is live.',
        tags,
        params,
        body: z.strictObject({ offer: offerField }),
        response: {
          202: jobSchema,
          ...refusals(
            ...NAME_REFUSALS,
            ...OFFER_REFUSALS,
            'OFFER_USED',
            'TRANSFER_NOT_PROPOSED',
            'TRANSFER_EXPIRED',
            'NAME_LIMIT_REACHED',
          ),
        },
      },
    },
    (request, reply) => begin(request, reply, (asking) => acceptTransfer(deps, asking, request.body)),
  )

  app.post(
    '/v1/names/:name/suspend',
    {
      schema: {
        summary: 'For operators: take the record of a name out of the DNS.',
        tags,
        params,
        response: { 202: nameSchema, ...refusals(...NAME_REFUSALS) },
      },
    },
    (request, reply) => ask(request, reply, (asking) => suspendName(deps, asking)),
  )

  app.post(
    '/v1/names/:name/resume',
    {
      schema: {
        summary: 'For operators: publish the record of a suspended name again.',
        tags,
        params,
        response: {
          202: jobSchema,
          ...refusals('NAME_NOT_FOUND', 'FORBIDDEN', 'NAME_NOT_SUSPENDED', 'OFFER_EXPIRED'),
        },
      },
    },
    (request, reply) => begin(request, reply, (asking) => resumeName(deps, asking)),
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

function followed(state: NameState) {
  const body = jobJson({ name: state, job: state.job })
  return { status: 202, headers: { location: `/v1/jobs/${body.id}` }, body }
}
