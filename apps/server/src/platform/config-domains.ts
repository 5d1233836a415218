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
  | ({
      readonly kind: 'rfc2136'
      readonly server: ServerAddress
      readonly tsigKey: Secret<TsigKeyConfig>
    } & Delegated)
  | ({ readonly kind: 'cloudflare' } & CloudflareConfig & Delegated)

export type CloudflareConfig = {
  readonly token: Secret<string>
  /** `null`: Cloudflare's own. */
  readonly api: string | null
}

type Delegated = {
  /** `null`: those of the zone's NS records. */
  readonly authoritative: readonly ServerAddress[] | null
  /** Who has the zone above show the DS: it itself, by reading CDS records, or Cloudflare. Absent: others. */
  readonly parent?: 'cds' | CloudflareConfig | undefined
}

/** A merchant's domain whose names have a zone of their own at a provider of ours, delegated to it by NS and DS. */
export type DelegatedConfig = {
  readonly provider: DnsProviderConfig
  /** Host names of the servers that the merchant's NS records shall name. */
  readonly nameServers: readonly string[]
}

const domain = z.string('expected a domain name').regex(DOMAIN, 'expected a domain name in lower case')
const authoritative = z
  .array(explained(dnsServer, ADDRESS_FORM), `expected a list, of ${ADDRESS_FORM}`)
  .min(1, 'expected one server or more')
  .nullable()
  .default(null)

/** With it the zone is `user._bitcoin-payment.<domain>`, and who proves the domain may register names in it. */
const delegatedTo = z
  .array(z.string().regex(DOMAIN), 'expected a list of the host names of name servers')
  .min(1, 'expected one name server or more')
  .optional()

const account = {
  token: explained(cloudflareToken, TOKEN_FORM),
  api: explained(cloudflareApi, API_FORM).nullable().default(null),
}
const parent = z
  .union(
    [z.literal('cds'), z.strictObject({ provider: z.literal('cloudflare'), ...account })],
    'expected "cds", or {"provider": "cloudflare", "token": …}',
  )
  .optional()

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
      parent,
      delegatedTo,
    }),
    z.strictObject({
      domain,
      provider: z.literal('cloudflare'),
      ...account,
      authoritative,
      parent,
      delegatedTo,
    }),
  ],
  'expected the provider embedded, rfc2136 or cloudflare',
)
const file = z.array(entry, 'expected a list of domains').min(1, 'expected one domain or more')

/**
 * Reads the file of domains: a JSON list, with the provider of each and what that needs. Answers what is wrong with it
 * line by line, without ever showing a value, because it may be a secret.
 */
export function parseDomainsFile(text: string):
  | {
      readonly providers: ReadonlyMap<string, DnsProviderConfig>
      readonly delegated: ReadonlyMap<string, DelegatedConfig>
    }
  | { readonly faults: readonly string[] } {
  const json = parseJson(text)
  if (json === undefined) return { faults: ['expected JSON'] }
  const parsed = file.safeParse(json)
  if (!parsed.success) return { faults: parsed.error.issues.map((issue) => describe(issue, json)) }
  const providers = new Map<string, DnsProviderConfig>()
  const delegated = new Map<string, DelegatedConfig>()
  const faults: string[] = []
  for (const { domain: name, provider, ...settings } of parsed.data) {
    const { delegatedTo: nameServers, ...own } = { delegatedTo: undefined, ...settings }
    const config = { kind: provider, ...own } as DnsProviderConfig
    if (providers.has(name) || delegated.has(name)) faults.push(`${name} is there twice`)
    if (nameServers === undefined) providers.set(name, config)
    else delegated.set(name, { provider: config, nameServers })
  }
  if (providers.size === 0) faults.push('expected one domain that is not delegated')
  return faults.length > 0 ? { faults } : { providers, delegated }
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
