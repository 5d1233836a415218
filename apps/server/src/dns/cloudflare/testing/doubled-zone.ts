import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerQuery } from '@holdfast/devnet/dns/answer-query'
import { listenForDns } from '@holdfast/devnet/dns/dns-listener'
import { currentWindow } from '@holdfast/devnet/dns/signing-clock'
import { loadOrMakeZoneKey } from '@holdfast/devnet/dns/zone-key'
import { encodeIpv4 } from '@holdfast/protocols/dns/address'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { nameToWire } from '@holdfast/protocols/dns/names'
import { encodeDnskey, encodeDs, encodeSoa, encodeTxt } from '@holdfast/protocols/dns/rdata'
import type { TrustAnchor } from '@holdfast/protocols/dnssec'
import { SignedZone } from '@holdfast/protocols/dnssec/signing/signed-zone'
import { parse } from './master-file-strings.ts'

export type DoubledZone = {
  /** `127.0.0.1:port` */
  readonly server: string
  readonly host: string
  readonly port: number
  /** Trust begins at the zone itself. */
  readonly anchors: readonly TrustAnchor[]
  /** From now on these are the records of the zone; several may stand at one name. */
  serve(records: readonly { name: string; type: string; content: string; ttl: number }[]): void
  stop(): Promise<void>
}

const ENCODERS = new Map([
  ['TXT', { type: TYPE.TXT, rdata: (content: string) => encodeTxt(parse(content)) }],
  ['NS', { type: TYPE.NS, rdata: (content: string) => nameToWire(`${content}.`) }],
  ['A', { type: TYPE.A, rdata: encodeIpv4 }],
  ['DS', { type: TYPE.DS, rdata: dsRdata }],
])

function dsRdata(content: string): Uint8Array {
  const [keyTag, algorithm, digestType] = content.split(' ').map(Number) as [number, number, number]
  const digest = new Uint8Array(Buffer.from(content.split(' ')[3] ?? '', 'hex'))
  return encodeDs({ keyTag, algorithm, digestType, digest })
}

/** The authoritative side of the double: a really signed zone over UDP and TCP. */
export async function serveDoubledZone(domain: string): Promise<DoubledZone> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-double-'))
  const key = loadOrMakeZoneKey(folder, domain)
  rmSync(folder, { recursive: true })
  const policy = () => ({ ...currentWindow(Date.now()), keysFor: () => [key] })
  const zone = new SignedZone({ apex: `${domain}.`, denial: 'nsec', policy })
  const ns = `ns.${domain}.`
  zone.set(`${domain}.`, TYPE.NS, 3600, [nameToWire(ns)])
  zone.set(ns, TYPE.A, 3600, [encodeIpv4('127.0.0.1')])
  zone.set(`${domain}.`, TYPE.DNSKEY, 3600, [encodeDnskey(key.dnskey)])
  const soa = {
    primary: ns,
    mailbox: `dns.${domain}.`,
    serial: 1,
    refresh: 60,
    retry: 60,
    expire: 600,
    minimum: 5,
  }
  zone.set(`${domain}.`, TYPE.SOA, 3600, [encodeSoa(soa)])
  const listener = await listenForDns(
    '127.0.0.1',
    0,
    (query, transport) => answerQuery([zone], query, transport),
    (fault) => {
      throw fault
    },
  )
  let served: ReadonlyMap<string, { name: string; type: number }> = new Map()

  return {
    server: `127.0.0.1:${listener.port}`,
    host: '127.0.0.1',
    port: listener.port,
    anchors: [{ zone: `${domain}.`, kind: 'dnskey', key: key.dnskey }],
    serve(records) {
      const sets = new Map<string, { name: string; type: number; ttl: number; rdatas: Uint8Array[] }>()
      for (const { name, type, content, ttl } of records) {
        const encode = ENCODERS.get(type)
        if (!encode) continue
        const key = `${type} ${name}`
        const rdatas = [...(sets.get(key)?.rdatas ?? []), encode.rdata(content)]
        sets.set(key, { name: `${name}.`, type: encode.type, ttl, rdatas })
      }
      for (const [key, { name, type }] of served) if (!sets.has(key)) zone.set(name, type, 0, [])
      for (const { name, type, ttl, rdatas } of sets.values()) zone.set(name, type, ttl, rdatas)
      served = sets
    },
    stop: () => listener.close(),
  }
}
