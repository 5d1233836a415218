import { isRefusal, type Refusal } from '@holdfast/core'
import type { NameState } from '@holdfast/core/names/name-states'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { App } from '../platform/http/app.ts'
import { refusals } from '../platform/http/problem.ts'
import {
  type Asking,
  acceptTransfer,
  type ChangeDeps,
  cancelTransfer,
  changeOffer,
  type OfferWish,
  proposeTransfer,
  releaseName,
  resumeName,
  suspendName,
} from './change-name.ts'
import { followed, OFFER_REFUSALS, offerField } from './name-answers.ts'
import { jobSchema, nameJson, nameSchema } from './name-json.ts'
import { withNodes } from './with-nodes.ts'

const tags = ['names']
const params = z.strictObject({ name: z.string() })
const CHANGE_REFUSALS = ['OFFER_USED', 'NAME_CHANGED_TOO_OFTEN'] as const
const NAME_REFUSALS = ['NAME_NOT_FOUND', 'NAME_NOT_ACTIVE', 'NAME_SUSPENDED', 'FORBIDDEN'] as const

type Request = FastifyRequest & { params: z.infer<typeof params> }
type Change = (asking: Asking) => Promise<NameState | Refusal>

/** What owners, heirs and operators do with a name that is there. */
export function addChangeRoutes(app: App, deps: ChangeDeps & { identity: Pick<Identity, 'mutate'> }): void {
  const { mutate } = deps.identity

  /** Asks something about the name in the address; the answer is the name as it is then. */
  const ask = (request: Request, reply: FastifyReply, change: Change) =>
    mutate(request, reply, async (tx, by) => {
      const state = await change({ tx, by, name: request.params.name })
      return isRefusal(state) ? state : { status: 202, body: nameJson(state) }
    })
  /** The same for what takes its time; the answer is the job that follows it. */
  const begin = async (change: Promise<NameState | Refusal>) => {
    const state = await change
    return isRefusal(state) ? state : followed(state)
  }
  /** For what gives the name another offer, which a node may have to make. */
  const renew = (request: Request & { body: OfferWish }, reply: FastifyReply, change: typeof changeOffer) =>
    mutate(
      request,
      reply,
      withNodes(deps, request.body, (tx, by, nodes) =>
        begin(change({ ...deps, nodes }, { tx, by, name: request.params.name }, request.body)),
      ),
    )

  app.put(
    '/v1/names/:name',
    {
      schema: {
        summary: 'Give a name another offer; the old one is disabled once the new one is live.',
        tags,
        params,
        body: z.strictObject({ offer: offerField }),
        response: { 202: jobSchema, ...refusals(...NAME_REFUSALS, ...OFFER_REFUSALS, ...CHANGE_REFUSALS) },
      },
    },
    (request, reply) => renew(request, reply, changeOffer),
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
        response: {
          202: nameSchema,
          ...refusals(...NAME_REFUSALS, 'TRANSFER_TO_OWNER', 'WILDCARD_NOT_YOURS'),
        },
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
            ...CHANGE_REFUSALS,
            'TRANSFER_NOT_PROPOSED',
            'TRANSFER_EXPIRED',
            'WILDCARD_NOT_YOURS',
            'NAME_LIMIT_REACHED',
          ),
        },
      },
    },
    (request, reply) => renew(request, reply, acceptTransfer),
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
        summary:
          'For operators: publish the record of a suspended name again, with another offer of the owner’s node where the old one has expired.',
        tags,
        params,
        response: {
          202: jobSchema,
          ...refusals(
            'NAME_NOT_FOUND',
            'FORBIDDEN',
            'NAME_NOT_SUSPENDED',
            'OFFER_EXPIRED',
            'NAME_CHANGED_TOO_OFTEN',
          ),
        },
      },
    },
    (request, reply) =>
      mutate(request, reply, (tx, by) => begin(resumeName(deps, { tx, by, name: request.params.name }))),
  )
}
