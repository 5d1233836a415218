import type {
  ChildView,
  ParentView,
  SeenKey,
  Ds as ZoneDs,
  ZoneObservation,
} from '@holdfast/core/zones/zone-states'
import { TYPE } from '@holdfast/protocols/dns/codes'
import type { Message } from '@holdfast/protocols/dns/message'
import { sameName } from '@holdfast/protocols/dns/names'
import { type Dnskey, type Ds, decodeDnskey, decodeDs, decodeSoa } from '@holdfast/protocols/dns/rdata'
import { type VerifySignature, verifySignature } from '@holdfast/protocols/dnssec/algorithms'
import { FLAG_SEP, makeDs, matchesDs, mayValidate } from '@holdfast/protocols/dnssec/keys'
import { Bogus, type TxtResolution } from '@holdfast/protocols/dnssec/result'
import { findRrset, rrsetsOf } from '@holdfast/protocols/dnssec/rrset'
import { verifyRrset } from '@holdfast/protocols/dnssec/signature'
import { askServer, NoAnswer } from './ask-server.ts'

export type ZoneServers = {
  /** `address:port` of every authoritative server of the zone. */
  zone(): Promise<readonly string[]>
  /** The same of its parent. */
  parent(): Promise<readonly string[]>
}

export type ObserveZone = (domain: string) => Promise<ZoneObservation>

const SHA256 = 2
const TIMEOUT_MS = 3_000

/** Looks at every server of a zone and of its parent, and validates the zone's apex from the root. */
export function makeObserveZone(deps: {
  serversOf: (domain: string) => ZoneServers
  resolveTxt: (name: string, nowSeconds: number) => Promise<TxtResolution>
  /** Milliseconds since 1970. */
  clock: () => number
  verify?: VerifySignature
  timeoutMs?: number
}): ObserveZone {
  const { clock, verify = verifySignature, timeoutMs = TIMEOUT_MS } = deps
  return async (domain) => {
    const servers = deps.serversOf(domain)
    const nowSeconds = Math.floor(clock() / 1000)
    const [children, parents, found] = await Promise.all([
      each(domain, servers.zone, (server) => childAt(server)),
      each(domain, servers.parent, (server) => parentAt(server)),
      deps.resolveTxt(domain, nowSeconds),
    ])
    const keys = children.flatMap(({ seen }) => seen?.keys ?? [])
    return {
      zone: children.map(
        ({ server, seen, failure }): ChildView =>
          seen ? { server, ...viewOf(domain, seen) } : { server, failure: failure ?? '' },
      ),
      parent: parents.map(
        ({ server, seen, failure }): ParentView =>
          seen
            ? { server, ds: seen.ds.map((ds) => asSha256(domain, ds, keys)), ttlSeconds: seen.ttlSeconds }
            : { server, failure: failure ?? '' },
      ),
      maxTtlSeconds: Math.max(0, ...children.map(({ seen }) => seen?.maxTtlSeconds ?? 0)),
      fromRoot: verdictOf(found),
    }

    async function childAt(server: string) {
      const [dnskey, soa, ns] = await Promise.all(
        [TYPE.DNSKEY, TYPE.SOA, TYPE.NS].map((type) => askServer(server, domain, type, timeoutMs)),
      )
      return readChild(domain, { dnskey: dnskey!, soa: soa!, ns: ns! }, { nowSeconds, verify })
    }

    async function parentAt(server: string) {
      const message = await askServer(server, domain, TYPE.DS, timeoutMs)
      const records = message.answer.filter(({ type, name }) => type === TYPE.DS && sameName(name, domain))
      return {
        ds: records.map(({ rdata }) => decodeDs(rdata)),
        ttlSeconds: Math.max(0, ...records.map(({ ttl }) => ttl)),
      }
    }
  }
}

type Asked<T> = { server: string; seen?: T; failure?: string }

/** Where even the servers cannot be found, the zone stands as one server that does not answer. */
async function each<T>(
  domain: string,
  servers: () => Promise<readonly string[]>,
  ask: (server: string) => Promise<T>,
): Promise<Asked<T>[]> {
  const found = await servers().catch((error: Error) => error)
  if (found instanceof Error) return [{ server: domain, failure: found.message }]
  return Promise.all(
    found.map(async (server): Promise<Asked<T>> => {
      try {
        return { server, seen: await ask(server) }
      } catch (error) {
        if (error instanceof NoAnswer) return { server, failure: error.message }
        throw error
      }
    }),
  )
}

type SeenChild = {
  readonly keys: readonly Dnskey[]
  readonly signing: readonly Dnskey[]
  readonly signedBy: readonly number[]
  readonly maxTtlSeconds: number
}

function readChild(
  domain: string,
  messages: { dnskey: Message; soa: Message; ns: Message },
  { nowSeconds, verify }: { nowSeconds: number; verify: VerifySignature },
): SeenChild {
  const time = { nowSeconds, expiryGraceSeconds: 0 }
  const budget = { spendVerification: () => undefined, verifySignature: verify }
  const setOf = (message: Message, type: number) => findRrset(rrsetsOf(message.answer), domain, type)
  const isSigned = (set: ReturnType<typeof setOf>, keys: readonly Dnskey[]) => {
    if (!set) return false
    try {
      verifyRrset(set, { zone: set.name, keys }, time, budget)
      return true
    } catch (error) {
      if (error instanceof Bogus) return false
      throw error
    }
  }
  const soa = setOf(messages.soa, TYPE.SOA)
  if (!soa) throw new NoAnswer('the server shows no SOA of the zone')
  const dnskeys = setOf(messages.dnskey, TYPE.DNSKEY)
  const ns = setOf(messages.ns, TYPE.NS)
  const keys = dnskeys?.records.map(({ rdata }) => decodeDnskey(rdata)).filter(mayValidate) ?? []
  const algorithms = [...new Set(keys.map(({ algorithm }) => algorithm))]
  const ttls = [soa, dnskeys, ns].flatMap((set) => set?.records.map(({ ttl }) => ttl) ?? [])
  return {
    keys,
    signing: keys.filter((key) => isSigned(dnskeys, [key])),
    signedBy: algorithms.filter((algorithm) => {
      const ofAlgorithm = keys.filter((key) => key.algorithm === algorithm)
      return isSigned(soa, ofAlgorithm) && isSigned(ns, ofAlgorithm)
    }),
    maxTtlSeconds: Math.max(...ttls, ...soa.records.map(({ rdata }) => decodeSoa(rdata).minimum)),
  }
}

function viewOf(domain: string, { keys, signing, signedBy }: SeenChild) {
  const seen = keys
    .filter((key) => (key.flags & FLAG_SEP) !== 0)
    .map((key): SeenKey => ({ ds: dsJson(makeDs(domain, key, SHA256)), signsKeys: signing.includes(key) }))
  return { keys: seen, signedBy }
}

function asSha256(domain: string, ds: Ds, keys: readonly Dnskey[]): ZoneDs {
  const key = keys.find((candidate) => matchesDs(domain, candidate, ds))
  return dsJson(key ? makeDs(domain, key, SHA256) : ds)
}

function dsJson({ digest, ...ds }: Ds): ZoneDs {
  return { ...ds, digest: Buffer.from(digest).toString('hex') }
}

/** A proven denial of TXT at the apex proves the zone as well as a TXT record would. */
function verdictOf({ status }: TxtResolution): ZoneObservation['fromRoot'] {
  switch (status) {
    case 'secure':
    case 'nodata':
    case 'nxdomain':
      return 'secure'
    case 'insecure':
    case 'bogus':
    case 'unavailable':
      return status
  }
}
