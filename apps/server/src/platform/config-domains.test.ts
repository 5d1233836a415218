import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

const TOKEN = 'hunter2-hunter2-hunter2-hunter2-hunter2-'
const TSIG_KEY = 'Holdfast.:hmac-sha256:aHVudGVyMmh1bnRlcjJodW50ZXIy'
const cloudflare = { domain: 'shop.example', provider: 'cloudflare', token: TOKEN }
const knot = { domain: 'market.example', provider: 'rfc2136', server: '192.0.2.1', tsigKey: TSIG_KEY }
const embedded = { domain: 'shop.test', provider: 'embedded' }

const ENV = { HOLDFAST_DOMAINS_FILE: '/etc/domains.json', HOLDFAST_DNS_RESOLVER: '192.0.2.3' }
const OUTSIDE = { ...ENV, HOLDFAST_DEVNET: 'off' }

function read(content: unknown, env: Record<string, string> = OUTSIDE) {
  return readConfig(env, () => (typeof content === 'string' ? content : JSON.stringify(content)))
}

function faultsOf(content: unknown, env: Record<string, string> = OUTSIDE): readonly string[] {
  try {
    read(content, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

describe('the file of domains', () => {
  test('gives every domain a provider of its own', () => {
    const config = read([
      { ...cloudflare, api: 'https://api.example/client/v4' },
      { ...knot, authoritative: ['192.0.2.1', '[2001:db8::2]:5353'] },
    ])
    expect(config.domains).toEqual(['shop.example', 'market.example'])
    expect(config.dnsProviders.get('shop.example')).toMatchObject({
      kind: 'cloudflare',
      api: 'https://api.example/client/v4',
      authoritative: null,
    })
    expect(config.dnsProviders.get('market.example')).toMatchObject({
      kind: 'rfc2136',
      server: { host: '192.0.2.1', port: 53 },
      authoritative: [
        { host: '192.0.2.1', port: 53 },
        { host: '2001:db8::2', port: 5353 },
      ],
    })
    for (const text of [inspect(config, { depth: 9 }), JSON.stringify([...config.dnsProviders])])
      expect(text).not.toMatch(/hunter2|aHVudGVy/)
  })

  test('may name the embedded DNS for all of them', () => {
    const config = read([embedded, { ...embedded, domain: 'market.test' }], ENV)
    expect(config.domains).toEqual(['shop.test', 'market.test'])
  })

  test('may have zones of merchants’ domains that are delegated to us', () => {
    const { domains, dnsProviders, delegatedDomains } = read([
      cloudflare,
      { ...knot, delegatedTo: ['ns1.shop.example', 'ns2.shop.example'] },
    ])
    expect(domains).toEqual(['shop.example'])
    expect([...dnsProviders.keys()]).toEqual(['shop.example'])
    expect(delegatedDomains.get('market.example')).toMatchObject({
      provider: { kind: 'rfc2136', server: { host: '192.0.2.1' } },
      nameServers: ['ns1.shop.example', 'ns2.shop.example'],
    })
    expect(faultsOf([{ ...knot, delegatedTo: ['ns1.shop.example'] }])).toEqual([
      expect.stringContaining('expected one domain that is not delegated'),
    ])
    expect(faultsOf([cloudflare, { ...knot, delegatedTo: [] }])).toEqual([
      expect.stringContaining('expected one name server or more'),
    ])
  })

  test('says who has the zone above show the DS', () => {
    const parent = { provider: 'cloudflare', token: TOKEN }
    const config = read([
      { ...cloudflare, parent: 'cds' },
      { ...knot, parent },
    ])
    expect(config.dnsProviders.get('shop.example')).toMatchObject({ parent: 'cds' })
    expect(config.dnsProviders.get('market.example')).toMatchObject({ parent: { api: null } })
    expect(inspect(config, { depth: 9 })).not.toMatch(/hunter2/)
    expect(faultsOf([{ ...cloudflare, parent: 'me' }])).toEqual([
      expect.stringContaining(
        '[0] shop.example: parent: expected "cds", or {"provider": "cloudflare", "token": …}',
      ),
    ])
  })

  const wrong: [what: string, content: unknown, faults: string[]][] = [
    ['is no JSON', `{"token": "${TOKEN}"`, ['expected JSON']],
    ['is no list', {}, ['expected a list of domains']],
    ['is empty', [], ['expected one domain or more']],
    [
      'has an unknown provider',
      [{ ...cloudflare, provider: 'bind' }],
      ['[0] shop.example: provider: expected the provider embedded, rfc2136 or cloudflare'],
    ],
    [
      'lacks what a provider needs',
      [
        { domain: 'shop.example', provider: 'cloudflare' },
        { domain: 'market.example', provider: 'rfc2136' },
      ],
      [
        '[0] shop.example: token: expected an API token with Zone:Read and DNS:Edit, 20 characters or more',
        '[1] market.example: server: expected an IP address, with :port if it is not 53, IPv6 in brackets',
        '[1] market.example: tsigKey: expected name:algorithm:base64, algorithm hmac-sha256, hmac-sha384 or hmac-sha512',
      ],
    ],
    [
      'has a wrong domain',
      [{ ...knot, domain: 'Market' }],
      ['[0]: domain: expected a domain name in lower case'],
    ],
    ['has no domain', [{ ...knot, domain: 7 }], ['[0]: domain: expected a domain name']],
    [
      'has an entry that is none',
      ['shop.example'],
      ['[0]: expected the provider embedded, rfc2136 or cloudflare'],
    ],
    ['has a misspelled setting', [{ ...cloudflare, tokn: TOKEN }], ['[0] shop.example: tokn: unknown']],
    [
      'has a wrong server',
      [{ ...knot, authoritative: ['192.0.2.1', 'ns.example'] }],
      [
        '[0] market.example: authoritative.1: expected an IP address, with :port if it is not 53, IPv6 in brackets',
      ],
    ],
    [
      'has no server',
      [{ ...knot, authoritative: [] }],
      ['[0] market.example: authoritative: expected one server or more'],
    ],
    [
      'sends the token in the clear',
      [{ ...cloudflare, api: 'http://api.example' }],
      ['[0] shop.example: api: expected an https:// URL, or http:// on this machine'],
    ],
    ['has a domain twice', [cloudflare, cloudflare], ['shop.example is there twice']],
  ]
  test.each(wrong)('that %s is refused line by line, and no value is shown', (_what, content, faults) => {
    const expected = faults.map((fault) => `HOLDFAST_DOMAINS_FILE /etc/domains.json: ${fault}`)
    expect(faultsOf(content)).toEqual(expected)
    expect(expected.join()).not.toMatch(/hunter2|aHVudGVy/)
  })

  test('that cannot be read says so in one line', () => {
    expect(() => readConfig({ HOLDFAST_DOMAINS_FILE: '/nowhere/domains.json' })).toThrow(
      /HOLDFAST_DOMAINS_FILE cannot be read: ENOENT[^\n]*$/,
    )
  })

  test('does not go with the variables of the short form', () => {
    const env = { ...OUTSIDE, HOLDFAST_DOMAINS: 'shop.example', HOLDFAST_CLOUDFLARE_TOKEN: TOKEN }
    expect(faultsOf([cloudflare], env)).toEqual([
      'HOLDFAST_DOMAINS is set beside HOLDFAST_DOMAINS_FILE: say it in that file',
      'HOLDFAST_CLOUDFLARE_TOKEN is set beside HOLDFAST_DOMAINS_FILE: say it in that file',
    ])
  })

  test('does not mix the embedded DNS with others', () => {
    const env = { ...ENV, HOLDFAST_DNS_ANCHOR: 'root.key' }
    expect(faultsOf([embedded, cloudflare], env)).toEqual([
      'HOLDFAST_DOMAINS_FILE: expected embedded for all domains or for none: no resolver finds both',
    ])
  })

  test('without the devnet has no embedded domain', () => {
    expect(faultsOf([embedded])).toEqual([
      'HOLDFAST_DOMAINS_FILE: expected rfc2136 or cloudflare in place of embedded, because HOLDFAST_DEVNET=off',
    ])
  })

  test('with outside domains needs a resolver that finds them, and beside the devnet an anchor', () => {
    const { HOLDFAST_DNS_RESOLVER: _none, ...without } = ENV
    expect(faultsOf([cloudflare], without).map((fault) => /^[A-Z0-9_]+/.exec(fault)?.[0])).toEqual([
      'HOLDFAST_DNS_RESOLVER',
      'HOLDFAST_DNS_ANCHOR',
    ])
  })
})
