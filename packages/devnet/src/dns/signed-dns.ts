import { join } from 'node:path'
import { encodeIpv4 } from '@holdfast/protocols/dns/address'
import { RCODE, rcodeName, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { canonicalName, compareNames, type Name, parentOf, parseName } from '@holdfast/protocols/dns/names'
import { decodeTxt } from '@holdfast/protocols/dns/rdata'
import { formatBindTrustAnchors, type TrustAnchor } from '@holdfast/protocols/dnssec'
import { writeFileDurably } from '../durable-file.ts'
import { lockFolder } from '../folder-lock.ts'
import { answerQuery } from './answer-query.ts'
import { askOverTcp } from './ask-over-tcp.ts'
import { listenForDns } from './dns-listener.ts'
import { ServedZone, type SigningFault } from './served-zone.ts'
import { SignedDnsError } from './signed-dns-error.ts'
import { loadOrMakeZoneKey } from './zone-key.ts'
import { type PublishedRecord, ZoneStore } from './zone-store.ts'

export type SignedDnsSettings = {
  /** Keys, records and the trust anchor are kept here; one process at a time. */
  folder: string
  /** The zones in which names are published, such as `shop.test`; the zones above them are made as well. */
  zones: readonly string[]
  /** An IPv4 address; default 127.0.0.1. */
  host?: string
  /** For UDP and TCP alike; default 0, any. */
  port?: number
  /** Milliseconds since 1970. */
  now?: () => number
  /** Hears what went wrong with the listening sockets; they go on. */
  onFault?: (fault: unknown) => void
}

export type SignedDns = {
  host: string
  port: number
  /** `host:port` */
  address: string
  /** BIND's `trust-anchors { … };` for the root, as `delv -a` reads it. */
  anchorFile: string
  anchors: readonly TrustAnchor[]
  /** @throws SignedDnsError `not-this-zone` for a domain that is not served */
  zone(domain: string): DevnetZone
  /** Stops answering; what was acknowledged is on disk. Also how tests inject "the DNS is down". */
  stop(): Promise<void>
}

/** Satisfies `DnsZone` of core. */
export type DevnetZone = {
  readonly domain: string
  publish(record: PublishedRecord, options?: { readonly replaces?: string }): Promise<void>
  withdraw(record: { readonly name: string; readonly value: string }): Promise<void>
  /** All that is published, names without the final dot. */
  list(): AsyncIterable<{ readonly name: string; readonly value: string }>
  authoritative(
    name: string,
  ): Promise<({ server: string } & ({ values: string[]; signed: boolean } | { failure: string }))[]>
  /** Fault injection: the zone stops signing, or signs so that no validator may accept it. */
  breakSigning(fault: SigningFault): void
  /** Ends the injected fault. */
  mendSigning(): void
}

/**
 * Serves a DNSSEC-signed tree from its own root down (algorithm 13, NSEC) over UDP and TCP in this process. A name
 * that is published is on disk, signed and answered when the promise resolves.
 */
export async function startSignedDns(settings: SignedDnsSettings): Promise<SignedDns> {
  const { folder, host = '127.0.0.1', now = Date.now } = settings
  const unlock = lockFolder(folder)
  try {
    const address = encodeIpv4(host)
    const zones = withAncestors(settings.zones).map((apex) => {
      const key = loadOrMakeZoneKey(folder, apex)
      return new ServedZone({ apex, address, key, store: new ZoneStore(folder, apex), nowMs: now })
    })
    delegateAll(zones)
    const [root] = zones
    const anchors: TrustAnchor[] = [{ zone: '.', kind: 'dnskey', key: root!.key.dnskey }]
    const anchorFile = join(folder, 'trust-anchors.conf')
    writeFileDurably(anchorFile, formatBindTrustAnchors(anchors))
    const signed = zones.map((zone) => zone.signed)
    const listener = await listenForDns(
      host,
      settings.port ?? 0,
      (query, transport) => answerQuery(signed, query, transport),
      settings.onFault,
    )
    const server = { host, port: listener.port }
    let stopping: Promise<void> | null = null
    const stop = async () => {
      await listener.close()
      await Promise.allSettled(zones.map((zone) => zone.settled()))
      unlock()
    }
    return {
      ...server,
      address: `${host}:${listener.port}`,
      anchorFile,
      anchors,
      zone: (domain) => devnetZone(findZone(zones, domain), server),
      stop: () => {
        stopping ??= stop()
        return stopping
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

function devnetZone(zone: ServedZone, server: { host: string; port: number }): DevnetZone {
  return {
    domain: zone.apex.replace(/\.$/, ''),
    publish: (record, options) => zone.publish(record, options?.replaces),
    withdraw: (record) => zone.withdraw(record),
    async *list() {
      for (const { name, value } of zone.published()) yield { name: name.slice(0, -1), value }
    },
    authoritative: async (name) => [await askForTxt(server, name)],
    breakSigning: (fault) => zone.injectFault(fault),
    mendSigning: () => zone.injectFault(null),
  }
}

async function askForTxt(server: { host: string; port: number }, name: string) {
  const label = `${server.host}:${server.port}`
  try {
    const { rcode, answer, authority } = decodeMessage(await askOverTcp(server, name, TYPE.TXT))
    if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) {
      return { server: label, failure: rcodeName(rcode) }
    }
    const values = answer
      .filter(({ type }) => type === TYPE.TXT)
      .map(({ rdata }) => Buffer.concat(decodeTxt(rdata)).toString('utf8'))
    return {
      server: label,
      values,
      signed: [...answer, ...authority].some(({ type }) => type === TYPE.RRSIG),
    }
  } catch (error) {
    return { server: label, failure: error instanceof Error ? error.message : String(error) }
  }
}

/** The zones and everything above them, the root first. */
function withAncestors(domains: readonly string[]): Name[] {
  const all = new Set<Name>(['.'])
  for (const domain of domains) {
    // Zones give files their names.
    if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(domain)) {
      throw new SignedDnsError('not-this-zone', `${domain} cannot be a zone`)
    }
    for (let at: Name | null = canonicalName(parseName(domain)); at !== null; at = parentOf(at)) all.add(at)
  }
  return [...all].sort(compareNames)
}

function delegateAll(zones: readonly ServedZone[]): void {
  for (const child of zones) {
    const parentName = parentOf(child.apex)
    zones.find(({ apex }) => apex === parentName)?.delegateTo(child)
  }
}

function findZone(zones: readonly ServedZone[], domain: string): ServedZone {
  const zone = zones.find(({ apex }) => apex === canonicalName(parseName(domain)))
  if (!zone) throw new SignedDnsError('not-this-zone', `${domain} is not served here`)
  return zone
}
