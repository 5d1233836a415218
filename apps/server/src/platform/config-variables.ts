import { join } from 'node:path'
import { z } from 'zod'
import type { ResolverEndpoint } from '../dns/resolvers/resolver-endpoint.ts'
import {
  ADDRESS_FORM,
  API_FORM,
  cloudflareApi,
  cloudflareToken,
  DOMAIN,
  dnsServer,
  RESOLVER_FORM,
  resolverEndpoint,
  TOKEN_FORM,
  TSIG_KEY_FORM,
  tsigKey,
} from './config-dns-values.ts'
import {
  bitcoindUrl,
  type DomainKey,
  domainKey,
  integer,
  list,
  nostrSecretKey,
  onOff,
  origin,
  path,
  secretUrl,
  url,
} from './config-values.ts'
import { is, unset, type Variable, variable } from './config-variable.ts'
import { LOG_LEVELS } from './log.ts'

const PROJECT_ROOT = join(import.meta.dirname, '../../../..')

/** Every variable that the server reads, in the order in which `--help` shows them. */
export const VARIABLES = {
  HOLDFAST_HOST: variable(
    'Address to listen on.',
    'an IP address or host name',
    z.string().regex(/^[^\s/]+$/),
    is('127.0.0.1'),
  ),
  HOLDFAST_PORT: variable(
    'Port to listen on; 0 takes any free one.',
    'a number from 0 to 65535',
    integer(0, 65_535),
    is(3141),
  ),
  HOLDFAST_PUBLIC_URL: variable(
    'Where clients reach this server; NIP-98 events are signed for it.',
    'http:// or https:// and a host, without user, path, query or fragment',
    url('http:', 'https:')
      .refine((text) => new URL(text).href === `${new URL(text).origin}/`)
      .transform((text) => new URL(text).origin),
    unset('http://<host>:<port>'),
  ),
  HOLDFAST_DATA_DIR: variable(
    'Folder for the embedded data.',
    'a folder',
    path,
    is(join(PROJECT_ROOT, '.holdfast'), '.holdfast'),
  ),
  DATABASE_URL: variable(
    'A PostgreSQL (14 or newer) to use.',
    'postgres://user:password@host:port/database',
    secretUrl('postgres:', 'postgresql:'),
    unset('the embedded PostgreSQL'),
    true,
  ),
  HOLDFAST_DOMAINS: variable(
    'Domains in which names are registered.',
    'domain names in lower case, separated by commas',
    list(z.string().regex(DOMAIN)),
    is(['shop.test'], 'shop.test'),
  ),
  HOLDFAST_DOMAINS_FILE: variable(
    'JSON file with the domains and the provider of each, in place of HOLDFAST_DOMAINS and one provider for all.',
    'a file; see docs/dns/providers.md',
    path,
    unset('–'),
  ),
  HOLDFAST_OPERATORS: variable(
    'Who may suspend and resume names, and sign and unsign zones.',
    'Nostr public keys in hex, separated by commas',
    list(z.string().regex(/^[0-9a-f]{64}$/)),
    is([] as string[], 'nobody'),
  ),
  HOLDFAST_ZONE_HOOK: variable(
    'Program that signs zones and changes their DS; see docs/dns/dnssec.md.',
    'a file that can be executed',
    path,
    unset('a person is asked'),
  ),
  HOLDFAST_NAMES_PER_OWNER: variable(
    'How many names one key may own.',
    'a number from 1 to 1000000',
    integer(1, 1_000_000),
    is(1_000),
  ),
  HOLDFAST_NAME_QUARANTINE_DAYS: variable(
    'How long a name that was given up is kept for its last owner.',
    'days from 0 to 3650',
    integer(0, 3_650),
    is(30),
  ),
  HOLDFAST_NAME_WATCH_HOURS: variable(
    'In how much time every live name is looked at once; see docs/dns/watching.md.',
    'hours from 1 to 720',
    integer(1, 720),
    is(6),
  ),
  HOLDFAST_NAME_WATCH_AT_ONCE: variable(
    'How many of them are looked at at the same time.',
    'a number from 1 to 64',
    integer(1, 64),
    is(4),
  ),
  HOLDFAST_RESERVED_NAMES: variable(
    'Words that nobody may register, in addition to those that mislead everywhere.',
    'words of a-z 0-9 - _ . separated by commas',
    list(z.string().regex(/^[a-z0-9._-]{1,63}$/)),
    is([] as string[], 'none'),
  ),
  HOLDFAST_DOMAIN_OWNERS: variable(
    'Domains in which one key alone may register names, and the wildcard; see docs/dns/wildcards.md.',
    'domain=public key in hex, several separated by commas',
    list(domainKey),
    is([] as DomainKey[], 'every domain is open to everybody'),
  ),
  HOLDFAST_NIP05_ROOT: variable(
    'Whom _@domain stands for in Nostr, by domain.',
    'domain=public key in hex, several separated by commas',
    list(domainKey),
    is([] as DomainKey[], 'nobody'),
  ),
  HOLDFAST_NOSTR_KEY: variable(
    "The server's own Nostr key, which signs zap receipts.",
    'a secret key as nsec1… or in hex',
    nostrSecretKey,
    unset('one that is made once and kept in the data folder; none with DATABASE_URL'),
    true,
  ),
  HOLDFAST_ESCROW_FEE_FIXED_SAT: variable(
    'What a release costs, whatever its amount: the part of the fee that is fixed.',
    'satoshi from 0 to 100000000',
    integer(0, 100_000_000),
    is(1),
  ),
  HOLDFAST_ESCROW_FEE_PPM: variable(
    'What a release costs on top, in millionths of what the worker is paid; 10000 is one per cent.',
    'a number from 0 to 1000000',
    integer(0, 1_000_000),
    is(10_000),
  ),
  HOLDFAST_ESCROW_FEE_CAP_SAT: variable(
    'The most that a release costs.',
    'satoshi from 0 to 100000000',
    integer(0, 100_000_000),
    is(50_000),
  ),
  HOLDFAST_ESCROW_HOLDS: variable(
    'The most holds that are open at once; a channel has places for 483 HTLCs.',
    'a number from 1 to 100000',
    integer(1, 100_000),
    is(400),
  ),
  HOLDFAST_ESCROW_HOLDS_PER_BUYER: variable(
    'The most of them that one buyer may have.',
    'a number from 1 to 100000',
    integer(1, 100_000),
    is(50),
  ),
  HOLDFAST_DNS_PORT: variable(
    'Port of the embedded DNS; 0 takes any free one.',
    'a number from 0 to 65535',
    integer(0, 65_535),
    is(5354),
  ),
  HOLDFAST_DNS_PROVIDER: variable(
    'Where records are published.',
    'embedded, rfc2136 or cloudflare',
    z.enum(['embedded', 'rfc2136', 'cloudflare']),
    is('embedded'),
  ),
  HOLDFAST_DNS_SERVER: variable(
    'The primary server that takes RFC 2136 updates.',
    ADDRESS_FORM,
    dnsServer,
    unset('–'),
  ),
  HOLDFAST_DNS_TSIG_KEY: variable('The key for those updates.', TSIG_KEY_FORM, tsigKey, unset('–'), true),
  HOLDFAST_CLOUDFLARE_TOKEN: variable(
    'Token for the zones on Cloudflare.',
    TOKEN_FORM,
    cloudflareToken,
    unset('–'),
    true,
  ),
  HOLDFAST_CLOUDFLARE_API: variable(
    "Cloudflare's API, when reached by a detour.",
    API_FORM,
    cloudflareApi,
    unset("Cloudflare's own"),
  ),
  HOLDFAST_DNS_AUTHORITATIVE: variable(
    'Servers that must show a record before its name is active.',
    'IP addresses as above, separated by commas',
    list(dnsServer),
    unset("those of the zone's NS records"),
  ),
  HOLDFAST_DNS_RESOLVER: variable(
    'Resolver for names that are to be paid.',
    ADDRESS_FORM,
    dnsServer,
    unset('the embedded DNS'),
  ),
  HOLDFAST_DNS_ANCHOR: variable(
    'File with the DNSSEC trust anchor, usually of the root.',
    "a file with DS or DNSKEY records, or with BIND's trust-anchors",
    path,
    unset("the embedded root's; with HOLDFAST_DEVNET=off the real root's"),
  ),
  HOLDFAST_DNS_CONFIRM_BY: variable(
    'Validating resolvers that must see a record before its name is active.',
    RESOLVER_FORM,
    list(resolverEndpoint),
    is([] as ResolverEndpoint[], 'none'),
  ),
  HOLDFAST_DNS_CONFIRM_QUORUM: variable(
    'How many of them must see it.',
    'a number from 1 to 100',
    integer(1, 100),
    unset('more than half'),
  ),
  BITCOIND_URL: variable(
    'JSON-RPC of a bitcoind.',
    'http://user:password@host:port, with %25 for a % in them',
    bitcoindUrl,
    unset('the embedded chain'),
    true,
  ),
  HOLDFAST_NETWORK: variable(
    'The Bitcoin network.',
    'regtest, signet, testnet or bitcoin',
    z.enum(['regtest', 'signet', 'testnet', 'bitcoin']),
    is('regtest'),
  ),
  HOLDFAST_DEVNET: variable('Run the embedded Lightning world.', 'on or off', onOff, is(true, 'on')),
  HOLDFAST_BLOCK_INTERVAL_MS: variable(
    'Time between the blocks that the devnet mines.',
    'milliseconds from 100 to 600000',
    integer(100, 600_000),
    is(5_000),
  ),
  HOLDFAST_OUTBOUND_LOOPBACK: variable(
    'Let hosts of Lightning Addresses be on this very machine, at any port; only ever for tests.',
    'on or off',
    onOff,
    is(false, 'off'),
  ),
  HOLDFAST_RATE_LIMIT: variable(
    'Requests per minute, counted by address and again by key; 0 for no limit.',
    'a number from 0 to 1000000',
    integer(0, 1_000_000),
    is(1_200),
  ),
  HOLDFAST_TRUSTED_PROXIES: variable(
    'Proxies whose x-forwarded-for is believed.',
    'IP addresses or networks, but not all there are (/0), separated by commas',
    list(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]).refine((text) => !text.endsWith('/0'))),
    is([] as string[], 'none'),
  ),
  HOLDFAST_CORS_ORIGINS: variable(
    'Origins whose pages may call the API, such as that of your shop.',
    'such as https://shop.example, separated by commas, without a path',
    list(origin),
    is([] as string[], 'none'),
  ),
  LOG_LEVEL: variable(
    'Least severity that is logged, on stderr.',
    LOG_LEVELS.join(', '),
    z.enum(LOG_LEVELS),
    is('warn'),
  ),
} satisfies Record<string, Variable<unknown>>

export type VariableName = keyof typeof VARIABLES
export type VariableValues = { [Name in VariableName]: z.output<(typeof VARIABLES)[Name]['schema']> }
