import { decodeIpv4, decodeIpv6 } from '@holdfast/protocols/dns/address'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, type Message } from '@holdfast/protocols/dns/message'
import { sameName } from '@holdfast/protocols/dns/names'
import { decodeNameRdata } from '@holdfast/protocols/dns/rdata'
import { type DnsQuery, DnsUnavailableError } from './dns-transport.ts'
import { formatServerAddress } from './server-address.ts'

/**
 * Finds the authoritative servers of a zone by its NS records and their addresses, as any resolver would. The list
 * is kept for `keepMs`, because asking costs several round trips and name servers rarely move.
 */
export function discoverAuthoritativeServers(options: {
  domain: string
  /** The names of its servers, for a zone to which nobody has delegated yet; default: those of its NS records. */
  hosts?: readonly string[] | undefined
  query: DnsQuery
  /** Milliseconds since 1970. */
  now: () => number
  keepMs?: number
}): () => Promise<readonly string[]> {
  const { domain, hosts, query, now, keepMs = 300_000 } = options
  let known: { servers: readonly string[]; until: number } | null = null
  return async () => {
    if (known && now() < known.until) return known.servers
    const servers = await discover(domain, query, hosts ?? (await nameServersOf(domain, query)))
    known = { servers, until: now() + keepMs }
    return servers
  }
}

async function nameServersOf(domain: string, query: DnsQuery): Promise<string[]> {
  return recordsOf(decodeMessage(await query(domain, TYPE.NS)), domain, TYPE.NS).map(decodeNameRdata)
}

async function discover(domain: string, query: DnsQuery, hosts: readonly string[]): Promise<string[]> {
  const addresses = await Promise.all(hosts.map((host) => addressesOf(host, query)))
  const servers = [...new Set(addresses.flat())].map((address) => formatServerAddress({ address, port: 53 }))
  if (servers.length === 0)
    throw new DnsUnavailableError(`${domain} NS`, ['the zone names no server with an address'])
  return servers
}

/** IPv6 only where there is no IPv4: a machine without IPv6 would report the same server as failing. */
async function addressesOf(host: string, query: DnsQuery): Promise<string[]> {
  const v4 = recordsOf(decodeMessage(await query(host, TYPE.A)), host, TYPE.A)
  if (v4.length > 0) return v4.map(decodeIpv4)
  return recordsOf(decodeMessage(await query(host, TYPE.AAAA)), host, TYPE.AAAA).map(decodeIpv6)
}

function recordsOf(message: Message, name: string, type: number): Uint8Array[] {
  return message.answer
    .filter((record) => record.type === type && sameName(record.name, name))
    .map((record) => record.rdata)
}
