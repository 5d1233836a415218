import { encodeIpv4, encodeIpv6 } from '@holdfast/protocols/dns/address'
import { CLASS, TYPE } from '@holdfast/protocols/dns/codes'
import { dnssecQuery, encodeMessage } from '@holdfast/protocols/dns/message'
import { nameToWire } from '@holdfast/protocols/dns/names'
import { beforeEach, expect, test } from 'vitest'
import { discoverAuthoritativeServers } from './authoritative-servers.ts'
import { type DnsQuery, DnsUnavailableError } from './dns-transport.ts'

const ns = (host: string) => [TYPE.NS, nameToWire(host)] as const
const a = (address: string) => [TYPE.A, encodeIpv4(address)] as const
const aaaa = (address: string) => [TYPE.AAAA, encodeIpv6(address)] as const

let records: Record<string, readonly (readonly [type: number, rdata: Uint8Array])[]>
let asked: string[]
let now = 0

const query: DnsQuery = async (name, type) => {
  asked.push(name)
  const answer = (records[name] ?? [])
    .filter(([held]) => held === type)
    .map(([held, rdata]) => ({ name, type: held, class: CLASS.IN, ttl: 60, rdata }))
  return encodeMessage({ ...dnssecQuery(1, name, type), answer })
}

beforeEach(() => {
  asked = []
  records = {
    'shop.test': [ns('ns1.shop.test.'), ns('ns2.other.test.'), ns('ns3.other.test.'), ns('gone.test.')],
    'ns1.shop.test.': [a('192.0.2.1'), a('192.0.2.2'), aaaa('2001:db8::1')],
    'ns2.other.test.': [aaaa('2001:db8::2')],
    'ns3.other.test.': [a('192.0.2.1')],
  }
})

test('every NS host counts with its addresses, each once; IPv6 only where there is no IPv4', async () => {
  const servers = await discoverAuthoritativeServers({ domain: 'shop.test', query, now: () => now })()
  expect(servers).toEqual(['192.0.2.1:53', '192.0.2.2:53', '[2001:db8:0:0:0:0:0:2]:53'])
})

test('a zone to which nobody delegates yet is served by the hosts that are named', async () => {
  const hosts = ['ns1.shop.test.', 'ns3.other.test.']
  const servers = discoverAuthoritativeServers({ domain: 'new.test', hosts, query, now: () => now })
  expect(await servers()).toEqual(['192.0.2.1:53', '192.0.2.2:53'])
  expect(asked).not.toContain('new.test')
})

test('the list is kept for a while, then asked for again', async () => {
  const servers = discoverAuthoritativeServers({ domain: 'shop.test', query, now: () => now, keepMs: 1000 })
  await servers()
  const once = asked.length
  now += 999
  await servers()
  expect(asked).toHaveLength(once)
  now += 1
  records['ns1.shop.test.'] = [a('192.0.2.9')]
  expect(await servers()).toContain('192.0.2.9:53')
})

test('a zone without a reachable server is an error, and is not remembered', async () => {
  const servers = discoverAuthoritativeServers({ domain: 'shop.test', query, now: () => now })
  const held = records
  records = { 'shop.test': [ns('gone.test.')] }
  await expect(servers()).rejects.toBeInstanceOf(DnsUnavailableError)
  records = held
  expect(await servers()).toHaveLength(3)
})
