import { z } from 'zod'
import type { App } from '../platform/http/app.ts'
import { orThrow, refusals } from '../platform/http/problem.ts'
import { makeResolver, type Resolver } from './resolver.ts'
import type { ResolveTxt } from './validations.ts'

export type ResolveSlice = { readonly resolver: Resolver; routes(app: App): void }

export function makeResolveSlice(deps: { resolveTxt: ResolveTxt; clock: () => number }): ResolveSlice {
  const resolver = makeResolver(deps)
  return { resolver, routes: (app) => addResolveRoute(app, resolver, deps.clock) }
}

const resolvedSchema = z
  .strictObject({
    name: z
      .string()
      .describe('`user@domain`; shown with ₿ before it. Letters of other scripts stand as punycode.'),
    hasPunycode: z
      .boolean()
      .describe('A label is punycode: show `name` as it stands, because its letters may look like others.'),
    uri: z.string().describe('The BIP-321 URI, validated with DNSSEC from the root down.'),
    offer: z.string().optional().describe('The first BOLT 12 offer of the URI.'),
    ttlSeconds: z.number().int().describe('How much longer this may be kept.'),
    expiresAt: z.number().int().describe('Milliseconds since 1970.'),
  })
  .meta({ title: 'ResolvedName' })

function addResolveRoute(app: App, resolver: Resolver, clock: () => number): void {
  app.get(
    '/v1/resolve/:name',
    {
      schema: {
        summary: 'Resolve any BIP-353 name and validate it.',
        tags: ['names'],
        params: z.strictObject({ name: z.string() }),
        response: {
          200: resolvedSchema,
          ...refusals(
            'NAME_INVALID',
            'RESOLVE_NO_SUCH_NAME',
            'RESOLVE_NO_INSTRUCTION',
            'RESOLVE_UNSIGNED',
            'RESOLVE_BOGUS',
            'RESOLVE_AMBIGUOUS',
            'URI_INVALID',
            'DNS_UNAVAILABLE',
            'OVERLOADED',
          ),
        },
      },
    },
    async ({ params }) => {
      const resolved = orThrow(await resolver.resolveForAnyone(params.name))
      const { name, hasPunycode, uri, parsed, expiresAt } = resolved
      const [offer] = parsed.offers
      const ttlSeconds = Math.max(0, Math.floor((expiresAt - clock()) / 1000))
      return { name, hasPunycode, uri, ...(offer !== undefined && { offer }), ttlSeconds, expiresAt }
    },
  )
}
