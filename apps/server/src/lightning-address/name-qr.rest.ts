import { parseMsat, refuse } from '@holdfast/core'
import { unifiedUri, uriForQr } from '@holdfast/protocols/bip321'
import { encodeLnurl, lightningAddressUrl } from '@holdfast/protocols/lnurl/lnurl'
import { qrSvg } from '@holdfast/protocols/qr-svg'
import { z } from 'zod'
import type { App } from '../platform/http/app.ts'
import { orThrow, RefusalError, refusals } from '../platform/http/problem.ts'
import { type ActiveName, type FindActive, findNameByText } from './active-name.ts'

/** As long as the name's record may be remembered elsewhere. */
const KEPT_FOR_SECONDS = 60

/** A name as a picture to scan. */
export function addNameQrRoute(app: App, deps: { findActive: FindActive }): void {
  app.get(
    '/v1/names/:name/qr.svg',
    {
      schema: {
        summary: 'A QR code that pays an active name, as an SVG image.',
        tags: ['names'],
        params: z.strictObject({ name: z.string() }),
        querystring: z.strictObject({
          as: z
            .enum(['uri', 'lnurl'])
            .default('uri')
            .describe('A BIP-321 URI with the BOLT 12 offer, or an LNURL for wallets that know no offers.'),
          amountMsat: z
            .string()
            .max(64)
            .optional()
            .describe('What is asked for: millisatoshi as a decimal string. Not with `lnurl`.'),
        }),
        response: {
          200: { description: 'The image.', content: { 'image/svg+xml': { schema: z.string() } } },
          ...refusals('NAME_NOT_FOUND', 'AMOUNT_INVALID', 'REQUEST_INVALID'),
        },
      },
    },
    async (request, reply) => {
      const { as, amountMsat } = request.query
      // As it is shown and copied: with or without ₿, in any case.
      const name = await findNameByText(deps, request.params.name.replace(/^₿/, '').toLowerCase())
      const asked = amountMsat === undefined ? null : orThrow(parseMsat(amountMsat))
      if (as === 'lnurl' && asked !== null)
        throw new RefusalError(refuse('REQUEST_INVALID', { field: 'amountMsat' }))
      const text = as === 'uri' ? uriOf(name, asked) : lnurlOf(name)
      return reply
        .type('image/svg+xml')
        .header('cache-control', `public, max-age=${KEPT_FOR_SECONDS}`)
        .header('content-security-policy', "default-src 'none'")
        .send(qrSvg(text, { title: `Pay ₿${name.user}@${name.domain}` }))
    },
  )
}

function uriOf({ offer }: ActiveName, amountMsat: bigint | null): string {
  return uriForQr(unifiedUri({ offer, ...(amountMsat !== null && { amountMsat }) }))
}

/** LUD-01: "When used in QR-Codes they SHOULD be uppercase." */
function lnurlOf(name: ActiveName): string {
  return encodeLnurl(lightningAddressUrl(name))
}
