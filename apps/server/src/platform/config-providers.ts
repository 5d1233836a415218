import { type DelegatedConfig, type DnsProviderConfig, parseDomainsFile } from './config-domains.ts'
import { VARIABLES, type VariableName, type VariableValues } from './config-variables.ts'

export type Providers = ReadonlyMap<string, DnsProviderConfig>

/** Those that the file of domains takes the place of. */
const SHORT_FORM = [
  'HOLDFAST_DOMAINS',
  'HOLDFAST_DNS_PROVIDER',
  'HOLDFAST_DNS_SERVER',
  'HOLDFAST_DNS_TSIG_KEY',
  'HOLDFAST_DNS_AUTHORITATIVE',
  'HOLDFAST_CLOUDFLARE_TOKEN',
  'HOLDFAST_CLOUDFLARE_API',
] as const satisfies readonly VariableName[]

/** The provider of each domain, from the file of domains or, in the short form, one for all from the variables. */
export function readProviders(
  values: VariableValues,
  isSet: (name: VariableName) => boolean,
  readFile: (path: string) => string,
):
  | { readonly providers: Providers; readonly delegated: ReadonlyMap<string, DelegatedConfig> }
  | { readonly faults: readonly string[] } {
  const path = values.HOLDFAST_DOMAINS_FILE
  if (path === null) {
    const provider = shortForm(values)
    return 'faults' in provider
      ? provider
      : {
          providers: new Map(values.HOLDFAST_DOMAINS.map((domain) => [domain, provider])),
          delegated: new Map(),
        }
  }
  const beside = SHORT_FORM.filter(isSet)
  if (beside.length > 0) {
    return {
      faults: beside.map((name) => `${name} is set beside HOLDFAST_DOMAINS_FILE: say it in that file`),
    }
  }
  let text: string
  try {
    text = readFile(path)
  } catch (error) {
    return { faults: [`HOLDFAST_DOMAINS_FILE cannot be read: ${(error as Error).message}`] }
  }
  const parsed = parseDomainsFile(text)
  return 'faults' in parsed
    ? { faults: parsed.faults.map((fault) => `HOLDFAST_DOMAINS_FILE ${path}: ${fault}`) }
    : parsed
}

function shortForm(values: VariableValues): DnsProviderConfig | { faults: readonly string[] } {
  const kind = values.HOLDFAST_DNS_PROVIDER
  const missing = (...names: VariableName[]) => ({
    faults: names
      .filter((name) => values[name] === null)
      .map(
        (name) =>
          `${name} is not set: expected ${VARIABLES[name].expected}, because HOLDFAST_DNS_PROVIDER=${kind}`,
      ),
  })
  const authoritative = values.HOLDFAST_DNS_AUTHORITATIVE
  switch (kind) {
    case 'embedded':
      return { kind }
    case 'rfc2136': {
      const { HOLDFAST_DNS_SERVER: server, HOLDFAST_DNS_TSIG_KEY: tsigKey } = values
      return server && tsigKey
        ? { kind, server, tsigKey, authoritative }
        : missing('HOLDFAST_DNS_SERVER', 'HOLDFAST_DNS_TSIG_KEY')
    }
    case 'cloudflare': {
      const { HOLDFAST_CLOUDFLARE_TOKEN: token, HOLDFAST_CLOUDFLARE_API: api } = values
      return token ? { kind, token, api, authoritative } : missing('HOLDFAST_CLOUDFLARE_TOKEN')
    }
  }
}
