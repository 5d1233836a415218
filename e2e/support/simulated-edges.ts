import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { refuse } from '@holdfast/core'
import { DnsZoneError, type TxtRecord } from '@holdfast/core/dns-zone'
import { RECORD_TTL_MS } from '@holdfast/core/names/name-delays'
import { parseName, recordName, recordValue } from '@holdfast/protocols/bip353'
import { parseOffer } from '@holdfast/protocols/bolt12'
import { makeTestZone } from '@holdfast/server/names/testing/test-zone'
import { enabledOffers, makeTestNode } from '@holdfast/server/nodes/testing/test-node'

const DAY_MS = 24 * 3_600_000
/** Of every offer that the node makes: long enough to be published; it is to be renewed after 29 days. */
const OFFER_LIVES_MS = 36 * DAY_MS
/** Of an offer that somebody brings: weeks may pass before it is used. */
const BROUGHT_LIVES_MS = 90 * DAY_MS

/** A record that stood in the zone; `until` is null while it stands. */
type Stood = { readonly name: string; readonly value: string; until: number | null }

/** A simulated zone and node, which outlive the worker that asks them over HTTP, and merchants' simulated DNS. */
export type SimulatedEdges = Awaited<ReturnType<typeof startSimulatedEdges>>

export async function startSimulatedEdges(domain: string) {
  const zone = makeTestZone(domain)
  const node = makeTestNode()
  const device = makeTestNode()
  const stood: Stood[] = []
  /** When the node was told to disable an offer. */
  const disabledAt = new Map<string, number>()
  /** What merchants' DNS shows, by name. */
  const shown = new Map<string, Set<string>>()
  /** Users of names that nobody can resolve. */
  const unresolvable = new Set<string>()

  const noteRecord = (name: string, at: number) => {
    if (isProbe(name)) return
    const value = zone.records.get(name)
    const last = stood.findLast((record) => record.name === name && record.until === null)
    if (last?.value === value) return
    if (last) last.until = at
    if (value !== undefined) stood.push({ name, value, until: null })
  }
  const answerTo = async (call: string, { at, ...said }: Said): Promise<object> => {
    switch (call) {
      case 'publish':
        await zone.publish(said, said.replaces === undefined ? {} : { replaces: said.replaces })
        noteRecord(said.name, at)
        return {}
      case 'withdraw':
        await zone.withdraw(said)
        noteRecord(said.name, at)
        return {}
      case 'authoritative':
        return zone.authoritative(said.name)
      case 'create':
        node.offersExpireAt = at + OFFER_LIVES_MS
        return node.offers!.create({ offerId: said.offerId })
      case 'disable': {
        const known = node.offersMade.get(said.offerId)
        if (known?.enabled) disabledAt.set(known.offer, at)
        await node.offers!.disable(said.offerId)
        return {}
      }
      case 'resolve':
        return { values: [zone.records.get(said.name) ?? [], ...(shown.get(said.name) ?? [])].flat() }
      case 'resolve-name': {
        const name = parseName(said.name)
        const uri = unresolvable.has(name.user) ? undefined : zone.records.get(recordName(name))
        return uri === undefined ? refuse('RESOLVE_NO_SUCH_NAME') : { uri }
      }
      default:
        throw new Error(`Nobody can ${call} here.`)
    }
  }
  const server = createServer(async (request, response) => {
    const [status, answer] = await answerTo(request.url!.slice(1), (await json(request)) as Said).then(
      (answer) => [200, answer],
      (error: unknown) => [500, error instanceof DnsZoneError ? error.code : String(error)],
    )
    response.writeHead(status as number).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shown,
    unresolvable,
    /** An offer from somebody's own device that expires after 90 days. */
    async bring(user: string, now: number): Promise<string> {
      device.offersExpireAt = now + BROUGHT_LIVES_MS
      return (await device.offers!.create({ offerId: user })).offer
    },
    /** Takes the record of a name away, as no one of ours does. */
    lose: (name: { user: string; domain: string }) => void zone.records.delete(recordName(name)),
    /** The records of names, by the name of the record. */
    records: () => new Map([...zone.records].filter(([name]) => !isProbe(name))),
    /** What the node still answers for. */
    enabled: () => enabledOffers(node).sort(),
    /** Records that were, or still could be, in a cache when their offer had expired or was disabled already. */
    outlived(now: number): string[] {
      const ends = new Map(
        [...node.offersMade.values(), ...device.offersMade.values()].map(({ offer }) => {
          const expiresAt = Number(parseOffer(offer).absoluteExpirySeconds) * 1000
          return [recordValue(offer), Math.min(expiresAt, disabledAt.get(offer) ?? expiresAt)]
        }),
      )
      return stood
        .filter(({ value, until }) => (until ?? now) + RECORD_TTL_MS > (ends.get(value) ?? 0))
        .map(({ name, value, until }) => `${name} showed until ${until} what ended at ${ends.get(value)}`)
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What a look at a merchant's domain publishes for a moment; it carries no offer. */
function isProbe(name: string): boolean {
  return name.startsWith('_')
}

type Said = TxtRecord & { readonly at: number; readonly replaces?: string; readonly offerId: string }
