import { readFileSync } from 'node:fs'
import type { ResolverEndpoint } from '../dns/resolvers/resolver-endpoint.ts'
import { majorityOf } from '../dns/resolvers/resolver-quorum.ts'
import type { DelegatedConfig } from './config-domains.ts'
import { type Providers, readProviders } from './config-providers.ts'
import type { Variable } from './config-variable.ts'
import { VARIABLES, type VariableName, type VariableValues } from './config-variables.ts'

/** What is wrong with the environment, all of it at once, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(`The configuration is wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
    this.faults = faults
  }
}

export type Config = {
  host: string
  /** 0: any free port. */
  port: number
  /** `null`: made from host and port once they are known. */
  publicUrl: string | null
  dataDir: string
  /** `null`: the embedded server. */
  databaseUrl: VariableValues['DATABASE_URL']
  domains: readonly string[]
  /** Of every domain. */
  dnsProviders: Providers
  /** Merchants' domains whose names have a zone of their own at a provider of ours. */
  delegatedDomains: ReadonlyMap<string, DelegatedConfig>
  /** The only keys that may register names in these domains. */
  domainOwners: VariableValues['HOLDFAST_DOMAIN_OWNERS']
  nip05Roots: VariableValues['HOLDFAST_NIP05_ROOT']
  /** In hex; null: none was given. */
  nostrKey: VariableValues['HOLDFAST_NOSTR_KEY']
  /** Nostr public keys. */
  operators: readonly string[]
  /** Program that acts on zones; `null`: a person is asked. */
  zoneHook: string | null
  namesPerOwner: number
  nameQuarantineDays: number
  reservedNames: readonly string[]
  /** Every live name is looked at once in so long, and so many at once. */
  nameWatch: { periodMs: number; atOnce: number }
  /** Of escrows that are created from now on; those that exist keep what they were created with. */
  escrowFee: { fixedSat: number; ppm: number; capSat: number }
  /** How many holds may be open at once. */
  escrowHolds: { ofOneBuyer: number; ofAll: number }
  dnsPort: number
  /** `null`: the embedded DNS. */
  dnsResolver: VariableValues['HOLDFAST_DNS_RESOLVER']
  /** File with the trust anchor; `null`: the embedded root's, and without the devnet the real root's. */
  dnsAnchor: string | null
  /** Resolvers that are asked whether they see a record, and how many of them must. */
  confirmBy: readonly ResolverEndpoint[]
  confirmQuorum: number
  /** `null`: the embedded chain. */
  bitcoindUrl: VariableValues['BITCOIND_URL']
  network: VariableValues['HOLDFAST_NETWORK']
  devnet: boolean
  blockIntervalMs: number
  /** Strangers' servers may be on loopback: for tests. */
  outboundLoopback: boolean
  /** Requests per minute, by address and by key; 0: no limit. */
  rateLimit: number
  trustedProxies: readonly string[]
  corsOrigins: readonly string[]
  logLevel: VariableValues['LOG_LEVEL']
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads and checks the whole environment, and the file of domains that it may name; throws one `ConfigError` that names
 * everything that is wrong.
 */
export function readConfig(
  env: Environment,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): Config {
  const faults = unknownVariables(env)
  const values: Partial<Record<VariableName, unknown>> = {}
  const wrong: VariableName[] = []
  for (const [name, variable] of Object.entries(VARIABLES) as [VariableName, Variable<unknown>][]) {
    const parsed = variable.schema.safeParse(env[name])
    if (parsed.success) values[name] = parsed.data
    else {
      faults.push(`${name}=${shown(variable, env[name])}: expected ${variable.expected}`)
      wrong.push(name)
      // Its default stands in, so that the others can be held against each other.
      values[name] = variable.schema.safeParse(undefined).data
    }
  }
  const read = values as VariableValues
  const isSet = (name: VariableName) => env[name] !== undefined && env[name] !== ''
  const zones = readProviders(read, isSet, readFile)
  const areKnown = 'providers' in zones && !wrong.includes('HOLDFAST_DOMAINS')
  const together = [
    ...('faults' in zones ? zones.faults : []),
    ...findContradictions(read, areKnown ? zones.providers : null),
  ]
  faults.push(...together.filter((fault) => !wrong.some((name) => fault.includes(name))))
  if (faults.length > 0 || 'faults' in zones) throw new ConfigError(faults)
  const { providers, delegated } = zones
  return {
    host: read.HOLDFAST_HOST,
    port: read.HOLDFAST_PORT,
    publicUrl: read.HOLDFAST_PUBLIC_URL,
    dataDir: read.HOLDFAST_DATA_DIR,
    databaseUrl: read.DATABASE_URL,
    domains: [...providers.keys()],
    dnsProviders: providers,
    delegatedDomains: delegated,
    domainOwners: read.HOLDFAST_DOMAIN_OWNERS,
    nip05Roots: read.HOLDFAST_NIP05_ROOT,
    nostrKey: read.HOLDFAST_NOSTR_KEY,
    operators: read.HOLDFAST_OPERATORS,
    zoneHook: read.HOLDFAST_ZONE_HOOK,
    namesPerOwner: read.HOLDFAST_NAMES_PER_OWNER,
    nameQuarantineDays: read.HOLDFAST_NAME_QUARANTINE_DAYS,
    reservedNames: read.HOLDFAST_RESERVED_NAMES,
    nameWatch: {
      periodMs: read.HOLDFAST_NAME_WATCH_HOURS * 3_600_000,
      atOnce: read.HOLDFAST_NAME_WATCH_AT_ONCE,
    },
    escrowFee: {
      fixedSat: read.HOLDFAST_ESCROW_FEE_FIXED_SAT,
      ppm: read.HOLDFAST_ESCROW_FEE_PPM,
      capSat: read.HOLDFAST_ESCROW_FEE_CAP_SAT,
    },
    escrowHolds: {
      ofOneBuyer: read.HOLDFAST_ESCROW_HOLDS_PER_BUYER,
      ofAll: read.HOLDFAST_ESCROW_HOLDS,
    },
    dnsPort: read.HOLDFAST_DNS_PORT,
    dnsResolver: read.HOLDFAST_DNS_RESOLVER,
    dnsAnchor: read.HOLDFAST_DNS_ANCHOR,
    confirmBy: read.HOLDFAST_DNS_CONFIRM_BY,
    confirmQuorum: read.HOLDFAST_DNS_CONFIRM_QUORUM ?? majorityOf(read.HOLDFAST_DNS_CONFIRM_BY.length),
    bitcoindUrl: read.BITCOIND_URL,
    network: read.HOLDFAST_NETWORK,
    devnet: read.HOLDFAST_DEVNET,
    blockIntervalMs: read.HOLDFAST_BLOCK_INTERVAL_MS,
    outboundLoopback: read.HOLDFAST_OUTBOUND_LOOPBACK,
    rateLimit: read.HOLDFAST_RATE_LIMIT,
    trustedProxies: read.HOLDFAST_TRUSTED_PROXIES,
    corsOrigins: read.HOLDFAST_CORS_ORIGINS,
    logLevel: read.LOG_LEVEL,
  }
}

/** The table of variables for `--help`. */
export function describeConfig(): string {
  const rows = (Object.entries(VARIABLES) as [string, Variable<unknown>][]).map(([name, variable]) => [
    name,
    variable.shownDefault,
    `${variable.meaning} (${variable.expected})`,
  ])
  const width = (column: number) => Math.max(...rows.map((row) => row[column]!.length))
  const widths = [width(0), width(1)]
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

/** Variables that are right by themselves but not together. `providers` null: those are not known. */
function findContradictions(values: VariableValues, providers: Providers | null): string[] {
  const faults: string[] = []
  const { HOLDFAST_HOST: host } = values
  if (values.HOLDFAST_PUBLIC_URL === null && (host === '0.0.0.0' || host === '::'))
    faults.push(`HOLDFAST_PUBLIC_URL is not set: clients sign for it, and nobody reaches ${host}`)
  if (values.HOLDFAST_DEVNET && values.HOLDFAST_NETWORK !== 'regtest')
    faults.push(`HOLDFAST_NETWORK=${values.HOLDFAST_NETWORK}: expected regtest, because HOLDFAST_DEVNET=on`)
  // Where money is real, whoever names a host must not make us ask this machine.
  if (values.HOLDFAST_OUTBOUND_LOOPBACK && values.HOLDFAST_NETWORK !== 'regtest')
    faults.push(
      `HOLDFAST_OUTBOUND_LOOPBACK=on: expected off, because HOLDFAST_NETWORK=${values.HOLDFAST_NETWORK}`,
    )
  const { HOLDFAST_ESCROW_FEE_FIXED_SAT: fixed, HOLDFAST_ESCROW_FEE_CAP_SAT: cap } = values
  if (fixed > cap)
    faults.push(`HOLDFAST_ESCROW_FEE_FIXED_SAT=${fixed}: expected at most HOLDFAST_ESCROW_FEE_CAP_SAT=${cap}`)
  if (providers === null) return faults
  faults.push(...contradictionsOfDns(values, providers))
  for (const name of ['HOLDFAST_NIP05_ROOT', 'HOLDFAST_DOMAIN_OWNERS'] as const)
    for (const { domain } of values[name])
      if (!providers.has(domain)) faults.push(`${name} names ${domain}, which is not among the domains`)
  return faults
}

function contradictionsOfDns(values: VariableValues, providers: Providers): string[] {
  const faults: string[] = []
  const need = (name: VariableName, why: string) => {
    if (values[name] === null)
      faults.push(`${name} is not set: expected ${VARIABLES[name].expected}, because ${why}`)
  }
  const inFile = values.HOLDFAST_DOMAINS_FILE !== null
  const said = inFile ? 'HOLDFAST_DOMAINS_FILE' : `HOLDFAST_DNS_PROVIDER=${values.HOLDFAST_DNS_PROVIDER}`
  const kinds = new Set(Array.from(providers.values(), ({ kind }) => kind))
  const isEmbedded = kinds.has('embedded')
  if (isEmbedded && kinds.size > 1)
    faults.push(`${said}: expected embedded for all domains or for none: no resolver finds both`)
  if (isEmbedded && !values.HOLDFAST_DEVNET)
    faults.push(`${said}: expected rfc2136 or cloudflare in place of embedded, because HOLDFAST_DEVNET=off`)
  // The embedded DNS does not know what is published elsewhere: no name would ever be seen.
  if (!values.HOLDFAST_DEVNET) need('HOLDFAST_DNS_RESOLVER', 'HOLDFAST_DEVNET=off')
  else if (!isEmbedded) {
    need('HOLDFAST_DNS_RESOLVER', said)
    need('HOLDFAST_DNS_ANCHOR', said)
  }
  const { HOLDFAST_DNS_CONFIRM_QUORUM: quorum, HOLDFAST_DNS_CONFIRM_BY: confirmBy } = values
  if (quorum !== null && quorum > confirmBy.length)
    faults.push(`HOLDFAST_DNS_CONFIRM_QUORUM=${quorum}: HOLDFAST_DNS_CONFIRM_BY has ${confirmBy.length}`)
  return faults
}

/** Of the command line, which the same shell may have been told. */
const OF_OTHERS: ReadonlySet<string> = new Set(['HOLDFAST_URL', 'HOLDFAST_KEY_FILE'])

/** A misspelled variable would silently leave a default in force. Those of the tests are not ours to judge. */
function unknownVariables(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('HOLDFAST_') && !(name in VARIABLES))
    .filter((name) => !name.startsWith('HOLDFAST_TEST_') && !OF_OTHERS.has(name))
    .map((name) => {
      const near = Object.keys(VARIABLES).filter((known) => editDistance(name, known) <= 3)
      return `${name} is unknown${near.length > 0 ? `: did you mean ${near.join(' or ')}?` : '; --help lists all variables'}`
    })
}

function shown(variable: Variable<unknown>, text: string | undefined): string {
  if (variable.secret) return '[secret]'
  return JSON.stringify(text?.replace(/(?<=:\/\/)[^/]*(?=@)/, '[secret]').slice(0, 100))
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
