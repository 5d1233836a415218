import { randomInt } from 'node:crypto'
import { getServers } from 'node:dns'
import { dnssecQuery, encodeMessage } from '@holdfast/protocols/dns/message'
import type { DnsQuery } from '@holdfast/protocols/dnssec'
import { exchange, exchangeTcp } from '@holdfast/server/dns/dns-exchange'
import { makeDohExchange } from '@holdfast/server/dns/resolvers/doh-exchange'
import {
  parseResolverEndpoint,
  type ResolverEndpoint,
} from '@holdfast/server/dns/resolvers/resolver-endpoint'

const LIMITS = { timeoutMs: 5_000, maxResponseBytes: 65_535 }

/** Those of the system's resolver configuration. */
export function systemServers(): ResolverEndpoint[] {
  return getServers().map(parseResolverEndpoint)
}

/** Asks the servers in their order, each question until one has answered it; their connections end with `use`. */
export async function withDns<T>(
  servers: readonly ResolverEndpoint[],
  use: (query: DnsQuery) => Promise<T>,
): Promise<T> {
  const lines = servers.map(lineTo)
  try {
    return await use(async (name, type) => {
      const failures: unknown[] = []
      for (const line of lines) {
        const query = encodeMessage(dnssecQuery(randomInt(0x1_0000), name, type))
        try {
          return await line.ask(query)
        } catch (error) {
          failures.push(error)
        }
      }
      throw new AggregateError(failures, 'no DNS server answered')
    })
  } finally {
    for (const line of lines) line.close?.()
  }
}

type Line = { ask(query: Uint8Array): Promise<Uint8Array>; close?(): void }

function lineTo(endpoint: ResolverEndpoint): Line {
  switch (endpoint.via) {
    case 'udp':
      return { ask: (query) => exchange(endpoint.address, query, LIMITS) }
    case 'tcp':
      return { ask: (query) => exchangeTcp(endpoint.address, query, LIMITS) }
    case 'https': {
      const doh = makeDohExchange(endpoint.url)
      return { ask: (query) => doh.exchange(query, LIMITS), close: () => doh.close() }
    }
  }
}
