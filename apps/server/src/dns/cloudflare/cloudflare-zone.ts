import { type DnsZone, DnsZoneError, type TxtRecord } from '@holdfast/core/dns-zone'
import { canonicalName, isAtOrBelow } from '@holdfast/protocols/dns/names'
import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import { type AskServer, authoritativeAnswer } from '../authoritative-answer.ts'
import { DnsUnavailableError } from '../dns-transport.ts'
import type { ApiRecord, CloudflareApi } from './cloudflare-api.ts'
import { CloudflareApiError, meaningOf, zoneErrorOf } from './cloudflare-error.ts'
import { decodeTxtContent, encodeTxtContent } from './txt-content.ts'

export type CloudflareZoneOptions = {
  /** The zone's apex, e.g. `shop.example`. */
  readonly domain: string
  readonly api: CloudflareApi
  /** `address:port` of every authoritative server; see `authoritative-servers.ts`. */
  readonly authoritativeServers: () => Promise<readonly string[]>
  /** For one exchange with one authoritative server; default 3 s. */
  readonly timeoutMs?: number
}

/**
 * A zone on Cloudflare. Its API has no prerequisites as RFC 2136 has: two TXT records may stand at one name, so we
 * look before we write and again after it, and take our own record back when it is not alone.
 */
export function makeCloudflareZone(options: CloudflareZoneOptions): DnsZone {
  const { domain, api, timeoutMs = 3_000 } = options
  const ask: AskServer = { timeoutMs }
  const oneAtATime = makeQueues()
  let zoneId: string | null = null

  return {
    domain,
    publish: (record, { replaces } = {}) =>
      change(record.name, (zone, name) => publish(zone, { ...record, name }, replaces)),
    withdraw: (record) => change(record.name, (zone, name) => withdraw(zone, name, record.value)),
    async authoritative(name) {
      const servers = await options.authoritativeServers().catch((error) => {
        if (!(error instanceof DnsUnavailableError)) throw error
        throw new DnsZoneError('unavailable', error.message, { cause: error })
      })
      return Promise.all(servers.map((server) => authoritativeAnswer(server, name, ask)))
    },
    async *list() {
      try {
        for await (const { name, content } of api.listAllTxt(await findZone())) {
          yield { name: name.toLowerCase(), value: decodeTxtContent(content) ?? content }
        }
      } catch (error) {
        throw failed(error)
      }
    },
  }

  function failed(error: unknown): unknown {
    if (!(error instanceof CloudflareApiError)) return error
    const failure = zoneErrorOf(domain, error)
    // A zone that was removed and added again has another id.
    if (failure.code === 'not-this-zone') zoneId = null
    return failure
  }

  async function change(name: string, work: (zone: string, name: string) => Promise<void>): Promise<void> {
    const own = ownName(name, domain)
    await oneAtATime(own, async () => {
      try {
        await work(await findZone(), own)
      } catch (error) {
        throw failed(error)
      }
    })
  }

  async function findZone(): Promise<string> {
    if (zoneId !== null) return zoneId
    const zones = await api.findZones(domain)
    const found = zones.find(({ active }) => active) ?? zones[0]
    if (!found)
      throw new DnsZoneError('not-this-zone', `${domain} is no zone that the Cloudflare token may see`)
    zoneId = found.id
    return zoneId
  }

  async function publish(zone: string, record: TxtRecord, replaces: string | undefined): Promise<void> {
    const { name, value, ttlSeconds: ttl } = record
    const wanted = { name, content: encodeTxtContent(value), ttl }
    const standing = await api.listTxt(zone, name)
    const [only, ...more] = standing
    if (!only) return create(zone, record)
    const held = decodeTxtContent(only.content)
    if (more.length > 0 || (held !== value && (replaces === undefined || held !== replaces))) {
      throw occupied(name)
    }
    if (held === value && only.ttl === ttl) return
    // One record is changed in one step: nobody sees both values, or neither.
    await api.updateTxt(zone, only.id, wanted)
  }

  async function create(zone: string, { name, value, ttlSeconds: ttl }: TxtRecord): Promise<void> {
    const ours = await api
      .createTxt(zone, { name, content: encodeTxtContent(value), ttl })
      .catch((error: unknown) => {
        // Another process of ours was quicker with the same record.
        if (isMeaning(error, 'exists-already')) return null
        throw error
      })
    const standing = await api.listTxt(zone, name)
    const others = standing.filter(({ content }) => decodeTxtContent(content) !== value)
    if (others.length === 0) return
    if (ours !== null) await remove(zone, ours)
    throw occupied(name)
  }

  async function withdraw(zone: string, name: string, value: string): Promise<void> {
    for (const record of await api.listTxt(zone, name)) {
      if (decodeTxtContent(record.content) === value) await remove(zone, record)
    }
  }

  async function remove(zone: string, { id }: ApiRecord): Promise<void> {
    await api.deleteRecord(zone, id).catch((error: unknown) => {
      if (!isMeaning(error, 'not-there')) throw error
    })
  }
}

/** Cloudflare would put the zone's name behind a name that is not below it, and publish there. */
function ownName(name: string, domain: string): string {
  try {
    if (isAtOrBelow(name, domain)) return canonicalName(name).replace(/\.$/, '')
  } catch (error) {
    if (!(error instanceof DnsWireError)) throw error
    throw new DnsZoneError('not-this-zone', `${name} is no domain name`, { cause: error })
  }
  throw new DnsZoneError('not-this-zone', `${name} is not in ${domain}`)
}

function occupied(name: string): DnsZoneError {
  return new DnsZoneError('conflict', `${name} holds something else`)
}

function isMeaning(error: unknown, meaning: ReturnType<typeof meaningOf>): boolean {
  return error instanceof CloudflareApiError && meaningOf(error.failure) === meaning
}

/** Changes of one name wait for each other; a queue that has ended is forgotten. */
function makeQueues(): (key: string, work: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>()
  return async (key, work) => {
    const before = last.get(key)
    const own = (async () => {
      await before?.catch(() => undefined)
      await work()
    })()
    last.set(key, own)
    try {
      await own
    } finally {
      if (last.get(key) === own) last.delete(key)
    }
  }
}
