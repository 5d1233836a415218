import { recordName } from '@holdfast/protocols/bip353'
import { encodePsbtProof } from '@holdfast/protocols/psbt-proof'
import { z } from 'zod'
import type { App } from '../platform/http/app.ts'
import { orThrow, refusals } from '../platform/http/problem.ts'
import { addressKey } from '../platform/http/rate-limiter.ts'
import type { ProveName, ProvenName } from './prove-name.ts'

const BINARY = 'application/octet-stream'

const proofSchema = z
  .strictObject({
    name: z.string().describe('`user@domain`; shown with ₿ before it.'),
    hasPunycode: z.boolean().describe('A label is punycode: its letters may look like others.'),
    recordName: z.string().describe('Where the TXT record is in the DNS.'),
    txt: z.array(z.string()).describe('The values of all TXT records there.'),
    uri: z.string().describe('The BIP-321 URI among them.'),
    notBefore: z.number().int().describe('All signatures are valid from then on: milliseconds since 1970.'),
    notAfter: z.number().int().describe('And until then.'),
    ttlSeconds: z.number().int().describe('How much longer what is proven may be kept.'),
    expiresAt: z.number().int().describe('The same in milliseconds since 1970.'),
    proof: z.base64().describe('The RFC 9102 authentication chain.'),
    psbt: z.base64().describe('The value of PSBT_OUT_DNSSEC_PROOF (0x35) of BIP-353.'),
    anchors: z.array(z.string()).describe('What the chain begins with, as lines of a master file.'),
  })
  .meta({ title: 'NameProof' })

export function addProofRoute(
  app: App,
  deps: { proveName: ProveName; anchors: readonly string[]; clock: () => number },
): void {
  app.get(
    '/v1/names/:name/proof',
    {
      schema: {
        summary: 'Prove a BIP-353 name, so that anybody can verify it offline.',
        description:
          `The proof is made from the live DNS. With \`Accept: ${BINARY}\` the bytes are answered: the RFC 9102 chain, ` +
          'or with `form=psbt` the same after the length-prefixed name.',
        tags: ['names'],
        params: z.strictObject({ name: z.string() }),
        querystring: z.strictObject({
          form: z.enum(['chain', 'psbt']).default('chain').describe('Which bytes are answered.'),
        }),
        response: {
          200: {
            content: {
              'application/json': { schema: proofSchema },
              [BINARY]: { schema: z.instanceof(Uint8Array).meta({ type: 'string', format: 'binary' }) },
            },
          },
          ...refusals(
            'NAME_INVALID',
            'RESOLVE_NO_SUCH_NAME',
            'RESOLVE_NO_INSTRUCTION',
            'RESOLVE_UNSIGNED',
            'RESOLVE_BOGUS',
            'RESOLVE_AMBIGUOUS',
            'URI_INVALID',
            'PROOF_TOO_LARGE',
            'DNS_UNAVAILABLE',
            'OVERLOADED',
            'RATE_LIMITED',
          ),
        },
      },
    },
    async (request, reply) => {
      const proven = orThrow(await deps.proveName(request.params.name, addressKey(request.ip)))
      const ttlSeconds = Math.max(0, Math.floor((proven.expiresAt - deps.clock()) / 1000))
      reply.header('cache-control', `public, max-age=${ttlSeconds}`).header('vary', 'accept')
      // For wallets in browsers: a proof is believed for what it is, wherever it comes from.
      reply.header('access-control-allow-origin', '*')
      if (!wantsBytes(request.headers.accept)) return proofJson(proven, ttlSeconds, deps.anchors)
      const bytes = request.query.form === 'psbt' ? psbtOf(proven) : proven.proof
      return reply.type(BINARY).send(Buffer.from(bytes))
    },
  )
}

function proofJson(proven: ProvenName, ttlSeconds: number, anchors: readonly string[]) {
  const { name, txt, uri, notBefore, notAfter, expiresAt, proof } = proven
  return {
    name: name.text,
    hasPunycode: name.hasPunycode,
    recordName: recordName(name),
    txt: [...txt],
    uri,
    notBefore,
    notAfter,
    ttlSeconds,
    expiresAt,
    proof: Buffer.from(proof).toString('base64'),
    psbt: Buffer.from(psbtOf(proven)).toString('base64'),
    anchors: [...anchors],
  }
}

function psbtOf({ name, proof }: ProvenName): Uint8Array {
  return encodePsbtProof({ name: name.text, proof })
}

/** JSON unless the bytes are asked for by name. */
function wantsBytes(accept = ''): boolean {
  return accept.split(',').some((range) => range.split(';')[0]?.trim().toLowerCase() === BINARY)
}
