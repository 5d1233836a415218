import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { type Name, parentOf } from '@holdfast/protocols/dns/names'
import { discoverAuthoritativeServers } from '../dns/authoritative-servers.ts'
import { type DnsQuery, DnsUnavailableError } from '../dns/dns-transport.ts'
import type { ZoneServers } from './observe-zone.ts'

/** Finds the servers of a zone, unless they or their names are given, and those of the zone above it. */
export function findZoneServers(options: {
  domain: string
  query: DnsQuery
  /** `address:port` */
  given?: readonly string[]
  hosts?: readonly string[] | undefined
  /** Milliseconds since 1970. */
  now: () => number
}): ZoneServers {
  const { domain, query, given, hosts, now } = options
  const serversOf = (zone: Name, hosts?: readonly string[]) =>
    discoverAuthoritativeServers({ domain: zone, hosts, query, now })
  let parent: (() => Promise<readonly string[]>) | null = null
  return {
    zone: given ? async () => given : serversOf(domain, hosts),
    async parent() {
      parent ??= serversOf(await zoneOf(parentOf(domain) ?? '.', query))
      return parent()
    },
  }
}

/** The apex of the zone in which a name lies: who has no SOA names the zone that has (RFC 2308 §2). */
async function zoneOf(name: Name, query: DnsQuery): Promise<Name> {
  const { answer, authority } = decodeMessage(await query(name, TYPE.SOA))
  const soa = [...answer, ...authority].find(({ type }) => type === TYPE.SOA)
  if (!soa) throw new DnsUnavailableError(`${name} SOA`, ['the answer names no zone'])
  return soa.name
}
