import type { DnsZone } from '@holdfast/core/dns-zone'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { decodeDnskey } from '@holdfast/protocols/dns/rdata'
import type { TrustAnchor } from '@holdfast/protocols/dnssec'
import { makeQuery } from '../../dns/dns-transport.ts'
import { makeRfc2136Zone } from '../../dns/rfc2136-zone.ts'
import { startKnotZone } from '../../dns/testing/knot.ts'
import { makeResolveTxt } from '../../edges.ts'
import type { ResolveTxt } from '../../resolve/validations.ts'

export type NamesOnKnot = {
  readonly zone: DnsZone
  /** Validates from the zone's own keys, which are trusted. */
  readonly resolveTxt: ResolveTxt
  stop(): Promise<void>
}

/** A signed zone on Debian's Knot, changed by RFC 2136. */
export async function startNamesOnKnot(domain: string): Promise<NamesOnKnot> {
  const { server, key, stop } = await startKnotZone(domain, 'hmac-sha256')
  const query = makeQuery({ servers: [server], timeoutMs: 2_000 })
  const anchors = decodeMessage(await query(domain, TYPE.DNSKEY))
    .answer.filter(({ type }) => type === TYPE.DNSKEY)
    .map(({ rdata }): TrustAnchor => ({ zone: `${domain}.`, kind: 'dnskey', key: decodeDnskey(rdata) }))
  const authoritativeServers = async () => [server]
  return {
    zone: makeRfc2136Zone({ domain, primary: server, key, authoritativeServers, now: Date.now }),
    resolveTxt: makeResolveTxt(query, anchors),
    stop,
  }
}
