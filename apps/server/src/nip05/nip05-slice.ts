import type { Hex } from '@holdfast/lightning'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { App } from '../platform/http/app.ts'

export type Nip05Deps = {
  /** The owner of an active name; null: there is none. */
  ownerOf(user: string, domain: string): Promise<Hex | null>
  askedDomain(request: FastifyRequest): string
  /** Whom `_@domain`, shown as the bare domain, stands for; null: nobody. */
  rootOf(domain: string): Promise<Hex | null>
}

export type Nip05Slice = { routes(app: App): void }

/** As long as a withdrawn name may live on in the DNS. */
const KNOWN_FOR_SECONDS = 60
/** NIP-05: "the <local-part> part MUST only use characters a-z0-9-_." */
const LOCAL_PART = /^[a-z0-9._-]{1,63}$/
const ROOT = '_'

const namesSchema = z
  .strictObject({
    names: z
      .record(z.string(), z.string())
      .describe('Nostr public keys in hex, by name; empty when unknown.'),
    relays: z.record(z.string(), z.array(z.string())),
  })
  .meta({ title: 'NostrNames' })

/**
 * `/.well-known/nostr.json` (NIP-05) for the names of the domain that was asked. Only the name that is asked for is
 * answered, so that nobody can list them all. An unknown name is an empty answer, as a static file would give.
 */
export function makeNip05Slice(deps: Nip05Deps): Nip05Slice {
  return {
    routes(app) {
      const answer = async (reply: FastifyReply, name: string | undefined, domain: string) => {
        // "to ensure it can be validated by pure JS apps running in modern browsers".
        reply.header('access-control-allow-origin', '*')
        const pubkey = name === undefined ? null : await pubkeyOf(deps, name, domain)
        if (name === undefined || pubkey === null) return { names: {}, relays: {} }
        reply.header('cache-control', `public, max-age=${KNOWN_FOR_SECONDS}`)
        reply.header('vary', 'host')
        return { names: { [name]: pubkey }, relays: {} }
      }
      // Other parameters are ignored: some clients add one against caches.
      const querystring = z.looseObject({ name: z.string().max(255).optional() })
      const tags = ['names']

      app.get(
        '/.well-known/nostr.json',
        {
          schema: {
            summary: 'The Nostr public key of a name (NIP-05).',
            description: 'The domain is the one of the Host header.',
            tags,
            querystring,
            response: { 200: namesSchema },
          },
        },
        (request, reply) => answer(reply, request.query.name, deps.askedDomain(request)),
      )

      app.get(
        '/nip05/:domain',
        {
          schema: {
            summary:
              'The same, the domain named: for a proxy at the domain that cannot keep the Host header.',
            tags,
            params: z.strictObject({ domain: z.string().max(253) }),
            querystring,
            response: { 200: namesSchema },
          },
        },
        ({ params, query }, reply) => answer(reply, query.name, params.domain.toLowerCase()),
      )
    },
  }
}

async function pubkeyOf({ ownerOf, rootOf }: Nip05Deps, name: string, domain: string): Promise<Hex | null> {
  if (name === ROOT) return rootOf(domain)
  return LOCAL_PART.test(name) ? ownerOf(name, domain) : null
}
