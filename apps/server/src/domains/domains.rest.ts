import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { DomainState } from '@holdfast/core/domains/domain-states'
import type { Hex } from '@holdfast/lightning'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { RefusalError, refusals } from '../platform/http/problem.ts'
import type { Transaction } from '../platform/transaction.ts'
import { type ClaimDeps, claimOwnDomain } from './claim-domain.ts'
import type { Delegations } from './delegation.ts'
import { domainJson, domainSchema } from './domain-json.ts'
import { type HoldsNames, requestDomain } from './domain-saga.ts'
import { findOwnDomain, listOwnDomains, lockDomain } from './domain-store.ts'

export type DomainRoutes = ClaimDeps & {
  database: Pick<OpenDatabase, 'db'>
  delegated: Delegations
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  holdsNames: HoldsNames
  /** Called after a domain was given up. */
  givenUp: () => Promise<void>
}

const tags = ['domains']
const params = z.strictObject({ domain: z.string().max(255) })

export function addDomainRoutes(app: App, deps: DomainRoutes): void {
  const { database, identity, clock } = deps
  const json = (state: DomainState) => domainJson(state, deps.delegated)
  const answer = (state: DomainState | Refusal) =>
    isRefusal(state) ? state : { status: 202, body: json(state) }

  app.post(
    '/v1/domains',
    {
      schema: {
        summary: 'Claim a domain of your own; the answer says what to put into its DNS.',
        tags,
        body: z.strictObject({ domain: z.string().max(255) }),
        response: { 202: domainSchema, ...refusals('DOMAIN_INVALID', 'DOMAIN_LIMIT_REACHED') },
      },
    },
    (request, reply) =>
      identity.mutate(request, reply, async (tx, owner) =>
        answer(await claimOwnDomain(deps, tx, owner, request.body.domain)),
      ),
  )

  app.get(
    '/v1/domains/mine',
    {
      schema: {
        summary: 'Your own domains, oldest first, without those that ended.',
        tags,
        response: { 200: z.strictObject({ domains: z.array(domainSchema) }), ...refusals('AUTH_REQUIRED') },
      },
    },
    async (request) => {
      const owner = await identity.authenticate(request)
      return { domains: (await listOwnDomains(database.db, owner)).map(json) }
    },
  )

  app.get(
    '/v1/domains/mine/:domain',
    {
      schema: {
        summary: 'How far the proof of your domain has come, and what is missing.',
        tags,
        params,
        response: { 200: domainSchema, ...refusals('AUTH_REQUIRED', 'DOMAIN_NOT_FOUND') },
      },
    },
    async (request) => {
      const owner = await identity.authenticate(request)
      const state = await findOwnDomain(database.db, {
        owner,
        domain: request.params.domain.toLowerCase(),
      })
      if (state === null) throw new RefusalError(refuse('DOMAIN_NOT_FOUND'))
      return json(state)
    },
  )

  app.post(
    '/v1/domains/mine/:domain/check',
    {
      schema: {
        summary: 'Look at the DNS of your domain now.',
        tags,
        params,
        response: { 202: domainSchema, ...refusals('DOMAIN_NOT_FOUND') },
      },
    },
    (request, reply) =>
      identity.mutate(request, reply, async (tx, by) =>
        answer(
          await withOwn(tx, by, request.params.domain, (state) =>
            requestDomain(tx, state, { kind: 'check-now', by }, clock()),
          ),
        ),
      ),
  )

  app.delete(
    '/v1/domains/mine/:domain',
    {
      schema: {
        summary: 'Give up a domain in which there are no names any more.',
        tags,
        params,
        response: { 202: domainSchema, ...refusals('DOMAIN_NOT_FOUND', 'DOMAIN_IN_USE') },
      },
    },
    async (request, reply) => {
      const answered = await identity.mutate(request, reply, async (tx, by) =>
        answer(
          await withOwn(tx, by, request.params.domain, async (state) =>
            state.phase !== 'pending' && (await deps.holdsNames(state.domain, tx.db))
              ? refuse('DOMAIN_IN_USE', { domain: state.domain })
              : requestDomain(tx, state, { kind: 'give-up', by }, clock()),
          ),
        ),
      )
      await deps.givenUp()
      return answered
    },
  )
}

async function withOwn(
  tx: Transaction,
  owner: Hex,
  domain: string,
  work: (state: DomainState) => Promise<DomainState | Refusal>,
): Promise<DomainState | Refusal> {
  const own = await findOwnDomain(tx.db, { owner, domain: domain.toLowerCase() })
  const state = own && (await lockDomain(tx.db, own.id))
  return state ? work(state) : refuse('DOMAIN_NOT_FOUND')
}
