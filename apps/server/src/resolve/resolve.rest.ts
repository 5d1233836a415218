import { isRefusal } from '@holdfast/core'
import { mayFallBack } from '@holdfast/core/payments/payment-fallback'
import { z } from 'zod'
import type { App } from '../platform/http/app.ts'
import { orThrow, refusals } from '../platform/http/problem.ts'
import { addressKey } from '../platform/http/rate-limiter.ts'
import type { AddressTerms, LightningAddresses } from './lightning-addresses.ts'
import type { ResolvedName, Resolver } from './resolver.ts'
import { CROWD, makeTurnstile } from './turnstile.ts'

const msat = z.string().describe('Millisatoshi as a decimal string.')

const resolutionSchema = z
  .strictObject({
    name: z
      .string()
      .describe('`user@domain`; shown with ₿ before it. Letters of other scripts stand as punycode.'),
    hasPunycode: z
      .boolean()
      .describe('A label is punycode: show `name` as it stands, because its letters may look like others.'),
    provenByDnssec: z
      .boolean()
      .describe(
        'False only when you asked for the fallback and it was needed: then the host of a Lightning Address says so, and a certificate vouches for the host.',
      ),
    uri: z
      .string()
      .optional()
      .describe('The BIP-321 URI, validated with DNSSEC from the root down. Only when proven.'),
    offer: z.string().optional().describe('The first BOLT 12 offer of the URI.'),
    ttlSeconds: z.number().int().optional().describe('How much longer this may be kept. Only when proven.'),
    expiresAt: z.number().int().optional().describe('Milliseconds since 1970. Only when proven.'),
    lightningAddress: z
      .strictObject({
        minMsat: msat,
        maxMsat: msat,
        description: z.string().describe('The words of the host.'),
        noteMaxCharacters: z.number().int().describe('How long a note to the payee may be; 0: none.'),
      })
      .optional()
      .describe('Only when not proven.'),
  })
  .meta({ title: 'ResolvedName' })

export function addResolveRoute(
  app: App,
  { resolver, addresses, clock }: { resolver: Resolver; addresses: LightningAddresses; clock: () => number },
): void {
  const turnstile = makeTurnstile(CROWD)
  app.get(
    '/v1/resolve/:name',
    {
      schema: {
        summary: 'Resolve any BIP-353 name and validate it.',
        tags: ['names'],
        params: z.strictObject({ name: z.string() }),
        querystring: z.strictObject({
          fallback: z
            .enum(['lightning-address'])
            .optional()
            .describe('Ask for a Lightning Address of that name when the DNS has no instruction for it.'),
        }),
        response: {
          200: resolutionSchema,
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
            'RATE_LIMITED',
            'ADDRESS_NOT_FOUND',
            'ADDRESS_REFUSED',
            'ADDRESS_INVALID',
            'ADDRESS_FORBIDDEN',
            'ADDRESS_UNAVAILABLE',
          ),
        },
      },
    },
    async ({ params, query, ip }) => {
      const asker = addressKey(ip)
      const resolved = await resolver.resolveForAnyone(params.name, asker)
      if (isRefusal(resolved) && query.fallback !== undefined && mayFallBack(resolved.refused)) {
        return unproven(orThrow(await turnstile(() => addresses.look(params.name), asker)))
      }
      return proven(orThrow(resolved), clock())
    },
  )
}

function proven({ name, hasPunycode, uri, parsed, expiresAt }: ResolvedName, now: number) {
  const [offer] = parsed.offers
  const ttlSeconds = Math.max(0, Math.floor((expiresAt - now) / 1000))
  return {
    name,
    hasPunycode,
    provenByDnssec: true,
    uri,
    ...(offer !== undefined && { offer }),
    ttlSeconds,
    expiresAt,
  }
}

function unproven({ name, hasPunycode, minMsat, maxMsat, description, noteMaxCharacters }: AddressTerms) {
  return {
    name,
    hasPunycode,
    provenByDnssec: false,
    lightningAddress: { minMsat: `${minMsat}`, maxMsat: `${maxMsat}`, description, noteMaxCharacters },
  }
}
