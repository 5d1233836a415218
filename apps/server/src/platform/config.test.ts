import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConfigError, describeConfig, readConfig } from './config.ts'
import { VARIABLES } from './config-variables.ts'

const TOKEN = 'hunter2-hunter2-hunter2-hunter2-hunter2-'

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

describe('the configuration', () => {
  test('has a default for everything', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 3141,
      publicUrl: null,
      databaseUrl: null,
      domains: ['shop.test'],
      dnsPort: 5354,
      dnsProviders: new Map([['shop.test', { kind: 'embedded' }]]),
      confirmBy: [],
      confirmQuorum: 0,
      network: 'regtest',
      devnet: true,
      blockIntervalMs: 5000,
      logLevel: 'warn',
      trustedProxies: [],
      corsOrigins: [],
      escrowFee: { fixedSat: 1, ppm: 10_000, capSat: 50_000 },
      escrowHolds: { ofOneBuyer: 50, ofAll: 400 },
    })
    expect(readConfig({}).dataDir).toMatch(/\.holdfast$/)
  })

  test('takes what is given; a variable set to nothing counts as not set', () => {
    const config = readConfig({
      HOLDFAST_PORT: '0',
      HOLDFAST_PUBLIC_URL: 'https://pay.shop.test/',
      HOLDFAST_DOMAINS: 'shop.example, market.example',
      HOLDFAST_NIP05_ROOT: `shop.example=${'ab'.repeat(32)}`,
      HOLDFAST_DNS_RESOLVER: '[2001:db8::1]:5353',
      HOLDFAST_TRUSTED_PROXIES: '10.0.0.0/8,2001:db8::1',
      HOLDFAST_ESCROW_FEE_FIXED_SAT: '0',
      HOLDFAST_ESCROW_FEE_PPM: '2500',
      HOLDFAST_ESCROW_FEE_CAP_SAT: '100000000',
      HOLDFAST_ESCROW_HOLDS: '5000',
      HOLDFAST_ESCROW_HOLDS_PER_BUYER: '3',
      HOLDFAST_HOST: '',
      LOG_LEVEL: 'debug',
    })
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 0,
      publicUrl: 'https://pay.shop.test',
      domains: ['shop.example', 'market.example'],
      nip05Roots: [{ domain: 'shop.example', pubkey: 'ab'.repeat(32) }],
      dnsResolver: { host: '2001:db8::1', port: 5353 },
      escrowFee: { fixedSat: 0, ppm: 2_500, capSat: 100_000_000 },
      escrowHolds: { ofOneBuyer: 3, ofAll: 5_000 },
      trustedProxies: ['10.0.0.0/8', '2001:db8::1'],
      logLevel: 'debug',
    })
  })

  test('names everything that is wrong at once, and shows no secret', () => {
    const faults = faultsOf({
      HOLDFAST_PORT: '70000',
      HOLDFAST_DOMAINS: 'shop.test,Bad_Domain',
      DATABASE_URL: 'mysql://root:hunter2@db/holdfast',
      BITCOIND_URL: 'hunter2',
      HOLDFAST_DEVNET: 'yes',
      LOG_LEVEL: 'loud',
      HOLDFAST_PROT: '1',
      HOLDFAST_WHATEVER_ELSE: '1',
    })
    expect(faults).toEqual([
      'HOLDFAST_PROT is unknown: did you mean HOLDFAST_HOST or HOLDFAST_PORT?',
      'HOLDFAST_WHATEVER_ELSE is unknown; --help lists all variables',
      'HOLDFAST_PORT="70000": expected a number from 0 to 65535',
      'DATABASE_URL=[secret]: expected postgres://user:password@host:port/database',
      'HOLDFAST_DOMAINS="shop.test,Bad_Domain": expected domain names in lower case, separated by commas',
      'BITCOIND_URL=[secret]: expected http://user:password@host:port, with %25 for a % in them',
      'HOLDFAST_DEVNET="yes": expected on or off',
      expect.stringContaining('LOG_LEVEL="loud": expected fatal, error, warn'),
    ])
  })

  test('names what contradicts beside it, but nothing that rests on what is wrong by itself', () => {
    expect(
      faultsOf({ HOLDFAST_PORT: 'x', HOLDFAST_NETWORK: 'bitcoin', HOLDFAST_DNS_PROVIDER: 'rfc2136' }),
    ).toEqual([
      'HOLDFAST_PORT="x": expected a number from 0 to 65535',
      expect.stringMatching(/^HOLDFAST_DNS_SERVER is not set/),
      expect.stringMatching(/^HOLDFAST_DNS_TSIG_KEY is not set/),
      'HOLDFAST_NETWORK=bitcoin: expected regtest, because HOLDFAST_DEVNET=on',
    ])
    expect(faultsOf({ HOLDFAST_DOMAINS_FILE: '/no/such', HOLDFAST_NETWORK: 'bitcoin' })).toEqual([
      expect.stringMatching(/^HOLDFAST_DOMAINS_FILE cannot be read/),
      'HOLDFAST_NETWORK=bitcoin: expected regtest, because HOLDFAST_DEVNET=on',
    ])
    const root = `else.example=${'ab'.repeat(32)}`
    expect(faultsOf({ HOLDFAST_DOMAINS: 'localhost', HOLDFAST_NIP05_ROOT: root })).toHaveLength(1)
    expect(faultsOf({ HOLDFAST_DEVNET: 'no', HOLDFAST_NETWORK: 'bitcoin' })).toHaveLength(1)
    expect(faultsOf({ HOLDFAST_DNS_RESOLVER: 'localhost', HOLDFAST_DEVNET: 'off' }).join()).not.toContain(
      'HOLDFAST_DNS_RESOLVER is not set',
    )
  })

  test('a root name is for a domain that is served here', () => {
    expect(faultsOf({ HOLDFAST_DOMAIN_OWNERS: `else.example=${'ab'.repeat(32)}` })).toEqual([
      'HOLDFAST_DOMAIN_OWNERS names else.example, which is not among the domains',
    ])
    expect(faultsOf({ HOLDFAST_NIP05_ROOT: `else.example=${'ab'.repeat(32)}` })).toEqual([
      'HOLDFAST_NIP05_ROOT names else.example, which is not among the domains',
    ])
  })

  test.each([
    ['HOLDFAST_NIP05_ROOT', 'shop.test'],
    ['HOLDFAST_NIP05_ROOT', 'shop.test=npub1xyz'],
    ['HOLDFAST_PORT', '-1'],
    ['HOLDFAST_PORT', '1.5'],
    ['HOLDFAST_PORT', '0x10'],
    ['HOLDFAST_PUBLIC_URL', 'https://shop.test/pay'],
    ['HOLDFAST_PUBLIC_URL', 'https://user:password@shop.test'],
    ['HOLDFAST_PUBLIC_URL', 'https://shop.test/?shop=1'],
    ['HOLDFAST_PUBLIC_URL', 'https://shop.test?'],
    ['HOLDFAST_PUBLIC_URL', 'https://shop.test#pay'],
    ['HOLDFAST_PUBLIC_URL', 'ftp://shop.test'],
    ['HOLDFAST_DNS_SERVER', 'ns1.shop.test'],
    ['HOLDFAST_DNS_SERVER', '192.0.2.1:99999'],
    ['HOLDFAST_DNS_SERVER', '192.0.2.256'],
    ['HOLDFAST_DNS_RESOLVER', 'localhost:53'],
    ['HOLDFAST_DNS_AUTHORITATIVE', '192.0.2.1,ns2.shop.test'],
    ['HOLDFAST_DNS_SERVER', '::1'],
    ['HOLDFAST_DNS_TSIG_KEY', 'key:hmac-md5:AAAAAAAAAAAAAAAAAAAAAA=='],
    ['HOLDFAST_DNS_TSIG_KEY', 'key:hmac-sha256:short'],
    ['HOLDFAST_CLOUDFLARE_TOKEN', 'short'],
    ['HOLDFAST_CLOUDFLARE_TOKEN', 'Bearer 0123456789012345678901234567890123456789'],
    ['HOLDFAST_CLOUDFLARE_API', 'http://api.example/client/v4'],
    ['HOLDFAST_CLOUDFLARE_API', 'http://127.evil.example'],
    ['HOLDFAST_DNS_CONFIRM_BY', '192.0.2.1,dns.example'],
    ['HOLDFAST_DNS_CONFIRM_BY', 'http://dns.example/dns-query'],
    ['HOLDFAST_DNS_CONFIRM_QUORUM', '0'],
    ['HOLDFAST_BLOCK_INTERVAL_MS', '0'],
    ['HOLDFAST_TRUSTED_PROXIES', 'everyone'],
    ['HOLDFAST_TRUSTED_PROXIES', '10.0.0.1,0.0.0.0/0'],
    ['HOLDFAST_TRUSTED_PROXIES', '::/0'],
    ['HOLDFAST_CORS_ORIGINS', '*'],
    ['HOLDFAST_CORS_ORIGINS', 'shop.example'],
    ['HOLDFAST_CORS_ORIGINS', 'https://shop.example/'],
    ['HOLDFAST_CORS_ORIGINS', 'https://shop.example:443'],
    ['HOLDFAST_CORS_ORIGINS', 'https://shop.example,ftp://shop.example'],
    ['BITCOIND_URL', 'http://user:100%@127.0.0.1:18443'],
    ['HOLDFAST_ESCROW_FEE_FIXED_SAT', '-1'],
    ['HOLDFAST_ESCROW_FEE_FIXED_SAT', '0.5'],
    ['HOLDFAST_ESCROW_FEE_FIXED_SAT', '50001'],
    ['HOLDFAST_ESCROW_FEE_PPM', '1000001'],
    ['HOLDFAST_ESCROW_FEE_PPM', '1%'],
    ['HOLDFAST_ESCROW_FEE_CAP_SAT', '100000001'],
    ['HOLDFAST_ESCROW_FEE_CAP_SAT', '0'],
    ['HOLDFAST_DOMAINS', 'shop.test,'],
    ['HOLDFAST_DOMAINS', 'localhost'],
  ])('%s=%s is refused', (name, value) => {
    expect(faultsOf({ [name]: value })).toHaveLength(1)
  })

  const ODD = [
    'bar',
    ':',
    '=',
    ',',
    '/',
    ' ',
    '-',
    '%',
    '[',
    '[::',
    '::',
    'http://',
    'https://[',
    '1e999',
    '\u00e9',
    'a=',
    '=a',
  ]
  test.each(Object.keys(VARIABLES))('%s is read or refused, whatever it is', (name) => {
    for (const text of [...ODD, ...ODD.map((odd) => `shop.test${odd}`), 'x'.repeat(100_000)])
      expect(faultsOf({ [name]: text }).length).toBeLessThanOrEqual(1)
  })

  test('a password is not shown where none is expected', () => {
    for (const url of ['https://user:pass@word@shop.test', `https://${'user'.repeat(30)}:pass@shop.test`])
      expect(faultsOf({ HOLDFAST_PUBLIC_URL: url })).toEqual([
        'HOLDFAST_PUBLIC_URL="https://[secret]@shop.test": expected http:// or https:// and a host, ' +
          'without user, path, query or fragment',
      ])
  })

  test('secrets stay hidden when the configuration is printed', () => {
    const config = readConfig({
      DATABASE_URL: 'postgres://u:hunter2@db/holdfast',
      BITCOIND_URL: 'http://u:hunter2@btc:18443',
      HOLDFAST_DNS_PROVIDER: 'rfc2136',
      HOLDFAST_DNS_SERVER: '192.0.2.1',
      HOLDFAST_DNS_AUTHORITATIVE: '192.0.2.1, [2001:db8::2]:5353',
      HOLDFAST_DNS_RESOLVER: '192.0.2.3',
      HOLDFAST_DNS_ANCHOR: 'root.key',
      HOLDFAST_DNS_TSIG_KEY: 'Holdfast.:hmac-sha256:aHVudGVyMmh1bnRlcjJodW50ZXIy',
    })
    for (const text of [JSON.stringify(config), inspect(config, { depth: 9 }), `${config.databaseUrl}`])
      expect(text).not.toMatch(/hunter2|aHVudGVy/)
    expect(config.databaseUrl?.reveal()).toContain('hunter2')
    expect(config.dnsProviders.get('shop.test')).toMatchObject({
      kind: 'rfc2136',
      server: { host: '192.0.2.1', port: 53 },
      authoritative: [
        { host: '192.0.2.1', port: 53 },
        { host: '2001:db8::2', port: 5353 },
      ],
    })
  })

  test.each([
    [{ HOLDFAST_DNS_PROVIDER: 'rfc2136' }, ['HOLDFAST_DNS_SERVER', 'HOLDFAST_DNS_TSIG_KEY']],
    [{ HOLDFAST_DNS_PROVIDER: 'cloudflare' }, ['HOLDFAST_CLOUDFLARE_TOKEN']],
    [
      { HOLDFAST_DNS_PROVIDER: 'cloudflare', HOLDFAST_CLOUDFLARE_TOKEN: TOKEN },
      ['HOLDFAST_DNS_RESOLVER', 'HOLDFAST_DNS_ANCHOR'],
    ],
    [
      { HOLDFAST_DNS_PROVIDER: 'cloudflare', HOLDFAST_CLOUDFLARE_TOKEN: TOKEN, HOLDFAST_DEVNET: 'off' },
      ['HOLDFAST_DNS_RESOLVER'],
    ],
    [{ HOLDFAST_DNS_CONFIRM_QUORUM: '1' }, ['HOLDFAST_DNS_CONFIRM_QUORUM']],
    [
      { HOLDFAST_DNS_CONFIRM_BY: '192.0.2.1', HOLDFAST_DNS_CONFIRM_QUORUM: '2' },
      ['HOLDFAST_DNS_CONFIRM_QUORUM'],
    ],
    [{ HOLDFAST_NETWORK: 'bitcoin' }, ['HOLDFAST_NETWORK']],
    [
      { HOLDFAST_NETWORK: 'bitcoin', HOLDFAST_OUTBOUND_LOOPBACK: 'on' },
      ['HOLDFAST_NETWORK', 'HOLDFAST_OUTBOUND_LOOPBACK'],
    ],
    [{ HOLDFAST_DEVNET: 'off' }, ['HOLDFAST_DNS_PROVIDER', 'HOLDFAST_DNS_RESOLVER']],
    [{ HOLDFAST_HOST: '0.0.0.0' }, ['HOLDFAST_PUBLIC_URL']],
    [{ HOLDFAST_HOST: '::' }, ['HOLDFAST_PUBLIC_URL']],
  ])('%j contradicts itself in %j', (env, names) => {
    expect(faultsOf(env).map((fault) => /^[A-Z0-9_]+/.exec(fault)?.[0])).toEqual(names)
  })

  test('resolvers that confirm are a majority, or as many as are asked for', () => {
    const HOLDFAST_DNS_CONFIRM_BY = '192.0.2.1, tcp://192.0.2.2:5353, https://dns.example/dns-query'
    expect(readConfig({ HOLDFAST_DNS_CONFIRM_BY })).toMatchObject({
      confirmBy: [{ via: 'udp' }, { via: 'tcp' }, { via: 'https' }],
      confirmQuorum: 2,
    })
    expect(readConfig({ HOLDFAST_DNS_CONFIRM_BY, HOLDFAST_DNS_CONFIRM_QUORUM: '3' }).confirmQuorum).toBe(3)
  })

  test('all domains may be on Cloudflare, and its token stays hidden', () => {
    const config = readConfig({
      HOLDFAST_DEVNET: 'off',
      HOLDFAST_DOMAINS: 'shop.example,market.example',
      HOLDFAST_DNS_PROVIDER: 'cloudflare',
      HOLDFAST_CLOUDFLARE_TOKEN: TOKEN,
      HOLDFAST_CLOUDFLARE_API: 'http://127.0.0.1:8080',
      HOLDFAST_DNS_RESOLVER: '192.0.2.3',
    })
    expect([...config.dnsProviders.keys()]).toEqual(['shop.example', 'market.example'])
    const provider = config.dnsProviders.get('market.example')
    expect(provider).toMatchObject({ kind: 'cloudflare', api: 'http://127.0.0.1:8080', authoritative: null })
    expect(provider?.kind === 'cloudflare' && provider.token.reveal()).toBe(TOKEN)
    expect(inspect(config, { depth: 9 })).not.toContain('hunter2')
  })

  test('variables of the tests and of the command line are none of its business', () => {
    expect(faultsOf({ HOLDFAST_TEST_DATABASE_URL: 'x', HOME: '/root' })).toEqual([])
    expect(faultsOf({ HOLDFAST_URL: 'http://127.0.0.1:3141', HOLDFAST_KEY_FILE: 'key' })).toEqual([])
  })

  test('is described with every variable, its default and its form', () => {
    const lines = describeConfig().split('\n')
    expect(lines).toHaveLength(Object.keys(VARIABLES).length)
    expect(lines[1]).toMatch(/^HOLDFAST_PORT +3141 +Port to listen on; 0 takes any free one\. \(a number/)
  })
})
