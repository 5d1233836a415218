import { z } from 'zod'
import {
  ADDRESS_FORM,
  API_FORM,
  cloudflareApi,
  cloudflareToken,
  DOMAIN,
  dnsServer,
  type ServerAddress,
  TOKEN_FORM,
  TSIG_KEY_FORM,
  type TsigKeyConfig,
  tsigKey,
} from './config-dns-values.ts'
import type { Secret } from './secret.ts'

/** Where the records of one domain are published. */
export type DnsProviderConfig =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'rfc2136'
      readonly server: ServerAddress
      readonly tsigKey: Secret<TsigKeyConfig>
      /** `null`: those of the zone's NS records. */
      readonly authoritative: readonly ServerAddress[] | null
    }
  | {
      readonly kind: 'cloudflare'
      readonly token: Secret<string>
      /** `null`: Cloudflare's own. */
      readonly api: string | null
      readonly authoritative: readonly ServerAddress[] | null
    }

const domain = z.string('expected a domain name').regex(DOMAIN, 'expected a domain name in lower case')
const authoritative = z
  .array(explained(dnsServer, ADDRESS_FORM), `expected a list, of ${ADDRESS_FORM}`)
  .min(1, 'expected one server or more')
  .nullable()
  .default(null)

const entry = z.discriminatedUnion(
  'provider',
  [
    z.strictObject({ domain, provider: z.literal('embedded') }),
    z.strictObject({
      domain,
      provider: z.literal('rfc2136'),
      server: explained(dnsServer, ADDRESS_FORM),
      tsigKey: explained(tsigKey, TSIG_KEY_FORM),
      authoritative,
    }),
    z.strictObject({
      domain,
      provider: z.literal('cloudflare'),
      token: explained(cloudflareToken, TOKEN_FORM),
      api: explained(cloudflareApi, API_FORM).nullable().default(null),
      authoritative,
    }),
  ],
  'expected the provider embedded, rfc2136 or cloudflare',
)
const file = z.array(entry, 'expected a list of domains').min(1, 'expected one domain or more')

/**
 * Reads the file of domains: a JSON list, with the provider of each and what that needs. Answers what is wrong with it
 * line by line, without ever showing a value, because it may be a secret.
 */
export function parseDomainsFile(
  text: string,
): { readonly providers: ReadonlyMap<string, DnsProviderConfig> } | { readonly faults: readonly string[] } {
  const json = parseJson(text)
  if (json === undefined) return { faults: ['expected JSON'] }
  const parsed = file.safeParse(json)
  if (!parsed.success) return { faults: parsed.error.issues.map((issue) => describe(issue, json)) }
  const providers = new Map<string, DnsProviderConfig>()
  const faults: string[] = []
  for (const { domain: name, provider, ...settings } of parsed.data) {
    if (providers.has(name)) faults.push(`${name} is there twice`)
    providers.set(name, { kind: provider, ...settings } as DnsProviderConfig)
  }
  return faults.length > 0 ? { faults } : { providers }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // Its message quotes the text, and there may be secrets in it.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** `[1] shop.example: token: expected …` */
function describe(issue: z.core.$ZodIssue, json: unknown): string {
  const [index, ...rest] = issue.path
  const said = issue.code === 'unrecognized_keys' ? `${issue.keys.join(', ')}: unknown` : issue.message
  if (typeof index !== 'number') return said
  const name: unknown = (json as { domain?: unknown }[])[index]?.domain
  const which = typeof name === 'string' && DOMAIN.test(name) ? `[${index}] ${name}` : `[${index}]`
  return [which, ...(rest.length > 0 ? [rest.join('.')] : []), said].join(': ')
}

/** Whatever is wrong with the value, one sentence says what a good one looks like. */
function explained<T>(schema: z.ZodType<T, string>, form: string): z.ZodType<T, unknown> {
  return z.unknown().transform((value, context): T => {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    context.addIssue({ code: 'custom', message: `expected ${form}` })
    return z.NEVER
  })
}
