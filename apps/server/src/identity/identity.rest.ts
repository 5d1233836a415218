import { refuse } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import type { FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { App } from '../platform/http/app.ts'
import { RefusalError, refusals } from '../platform/http/problem.ts'
import { bodyDigest } from './body-digest.ts'
import type { Credential } from './credential.ts'
import type { IdentityTables } from './identity-tables.ts'
import { openSession, revokeSession, revokeSessionsOf } from './sessions.ts'

export type IdentityRoutes = {
  db: Kysely<IdentityTables>
  clock: () => number
  sessionTtlMs: number
  credentialOf(request: FastifyRequest): Credential
  /** Proves and spends the credential. */
  ownerOf(credential: Credential): Promise<Hex>
}

const sessionSchema = z
  .strictObject({
    token: z.string().describe('Send it as `Authorization: Bearer <token>`. It is shown this once.'),
    expiresAt: z.number().int().describe('Milliseconds since 1970.'),
    owner: z.string().describe('The Nostr public key that the token speaks for.'),
  })
  .meta({ title: 'Session' })

/** Fastify validates `null` where no body was sent. */
const noBody = z.strictObject({}).nullish()

export async function addIdentityRoutes(app: App, routes: IdentityRoutes): Promise<void> {
  const { db, clock, sessionTtlMs, credentialOf, ownerOf } = routes
  await app.register(bodyDigest)

  // No Idempotency-Key here: a stored answer would be a stored token, and the event is good for one session anyway.
  app.post(
    '/v1/sessions',
    {
      schema: {
        summary: 'Trade a request signed with NIP-98 for a short-lived token.',
        tags: ['identity'],
        body: noBody,
        response: {
          201: sessionSchema,
          ...refusals(
            'AUTH_REQUIRED',
            'AUTH_EVENT_INVALID',
            'AUTH_EVENT_MISMATCH',
            'AUTH_EVENT_EXPIRED',
            'AUTH_EVENT_REPLAYED',
          ),
        },
      },
    },
    async (request, reply) => {
      const credential = credentialOf(request)
      // A token must not prolong itself: whoever steals one would keep it for ever.
      if (credential.kind !== 'event') throw new RefusalError(refuse('AUTH_REQUIRED'))
      await ownerOf(credential)
      const opened = { openedBy: credential.event, now: clock(), ttlMs: sessionTtlMs }
      return reply.code(201).send(await openSession(db, opened))
    },
  )

  app.delete(
    '/v1/sessions',
    {
      schema: {
        summary: 'End the session whose token is sent; signed with NIP-98, end all sessions of the key.',
        tags: ['identity'],
        body: noBody,
        response: { 204: z.null(), ...refusals('AUTH_REQUIRED', 'SESSION_INVALID') },
      },
    },
    async (request, reply) => {
      const credential = credentialOf(request)
      const owner = await ownerOf(credential)
      if (credential.kind === 'token') await revokeSession(db, credential.token)
      else await revokeSessionsOf(db, owner)
      return reply.code(204).send(null)
    },
  )
}
