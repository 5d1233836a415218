import type { Hex } from '@holdfast/lightning'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { App } from '../platform/http/app.ts'

export type Nip05Deps = {
  /** The owner of an active name; null: there is none. */
  ownerOf(user: string, domain: string): Promise<Hex | null>
  askedDomain(request: FastifyRequest): string
  /** By domain: whom `_@domain`, shown as the bare domain, stands for. */
  roots: ReadonlyMap<string, Hex>
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
      app.get(
        '/.well-known/nostr.json',
        {
          schema: {
            summary: 'The Nostr public key of a name (NIP-05).',
            description: 'The domain is the one of the Host header.',
            tags: ['names'],
            // Other parameters are ignored: some clients add one against caches.
            querystring: z.looseObject({ name: z.string().max(255).optional() }),
            response: { 200: namesSchema },
          },
        },
        async (request, reply) => {
          // "to ensure it can be validated by pure JS apps running in modern browsers".
          reply.header('access-control-allow-origin', '*')
          const { name } = request.query
          const pubkey = name === undefined ? null : await pubkeyOf(deps, name, deps.askedDomain(request))
          if (name === undefined || pubkey === null) return { names: {}, relays: {} }
          reply.header('cache-control', `public, max-age=${KNOWN_FOR_SECONDS}`)
          reply.header('vary', 'host')
          return { names: { [name]: pubkey }, relays: {} }
        },
      )
    },
  }
}

async function pubkeyOf({ ownerOf, roots }: Nip05Deps, name: string, domain: string): Promise<Hex | null> {
  if (name === ROOT) return roots.get(domain) ?? null
  return LOCAL_PART.test(name) ? ownerOf(name, domain) : null
}
