import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { refuse } from '@holdfast/core'
import { DnsZoneError, type TxtRecord } from '@holdfast/core/dns-zone'
import { RECORD_TTL_MS } from '@holdfast/core/names/name-delays'
import { NodeError } from '@holdfast/lightning'
import { parseName, recordName, recordValue } from '@holdfast/protocols/bip353'
import { parseOffer } from '@holdfast/protocols/bolt12'
import { makeTestZone } from '@holdfast/server/names/testing/test-zone'
import { enabledOffers, makeTestNode } from '@holdfast/server/nodes/testing/test-node'

const DAY_MS = 24 * 3_600_000
/** Of every offer that the node makes: long enough to be published; it is to be renewed after 29 days. */
const OFFER_LIVES_MS = 36 * DAY_MS
/** Of an offer that somebody brings: weeks may pass before it is used. */
const BROUGHT_LIVES_MS = 90 * DAY_MS

/** What somebody who does not know us has published at a name of ours. */
const STRANGER = 'bitcoin:?lno=theirs'

/** What can be carried out for a name and never be answered; `resolve-name` finds nothing. */
export type Ignorable = 'create' | 'disable' | 'publish' | 'withdraw' | 'authoritative' | 'resolve-name'

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
  /** `call user`: what is not answered. */
  const ignored = new Set<string>()
  /** Whose offers these are, by the offer's id. */
  const namesOf = new Map<string, string>()

  const noteRecord = (name: string, at: number) => {
    if (isProbe(name)) return
    const value = zone.records.get(name)
    const last = stood.findLast((record) => record.name === name && record.until === null)
    if (last?.value === value) return
    if (last) last.until = at
    if (value !== undefined && value !== STRANGER) stood.push({ name, value, until: null })
  }
  /** Nobody's: an offer that was never made. */
  const userOf = ({ offerId, name }: Partial<Said>) =>
    (offerId === undefined ? name : namesOf.get(offerId))?.split(/[.@]/)[0]
  const answerTo = async (call: string, said: Said): Promise<object> => {
    if (call === 'create') namesOf.set(said.offerId, said.description)
    const answer = await carryOut(call, said)
    if (!ignored.has(`${call} ${userOf(said)}`)) return answer
    if (call === 'resolve-name') return refuse('RESOLVE_NO_SUCH_NAME')
    throw call === 'create' || call === 'disable'
      ? new NodeError('offline', 'the answer got lost')
      : new DnsZoneError('unavailable', 'the answer got lost')
  }
  const carryOut = async (call: string, { at, ...said }: Said): Promise<object> => {
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
      case 'list':
        return Array.from(zone.records, ([name, value]) => ({ name, value }))
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
        const uri = zone.records.get(recordName(parseName(said.name)))
        return uri === undefined ? refuse('RESOLVE_NO_SUCH_NAME') : { uri }
      }
      default:
        throw new Error(`Nobody can ${call} here.`)
    }
  }
  const server = createServer(async (request, response) => {
    const [status, answer] = await answerTo(request.url!.slice(1), (await json(request)) as Said).then(
      (answer) => [200, answer],
      (error: unknown) =>
        error instanceof NodeError
          ? [503, error.code]
          : [500, error instanceof DnsZoneError ? error.code : String(error)],
    )
    response.writeHead(status as number).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    domain,
    shown,
    /** From now on nobody hears what becomes of this call for the name; it is carried out. */
    ignore: (call: Ignorable, user: string) => void ignored.add(`${call} ${user}`),
    answerAll: () => ignored.clear(),
    /** An offer from somebody's own device that expires after 90 days. */
    async bring(user: string, now: number): Promise<string> {
      device.offersExpireAt = now + BROUGHT_LIVES_MS
      return (await device.offers!.create({ offerId: user })).offer
    },
    /** Takes the record of a name away, as no one of ours does. */
    lose: (name: { user: string; domain: string }) => void zone.records.delete(recordName(name)),
    /** Somebody else's record takes the place of the name's. */
    occupy: (name: { user: string; domain: string }) => void zone.records.set(recordName(name), STRANGER),
    leaveStrangersOut() {
      for (const [name, value] of zone.records) if (value === STRANGER) zone.records.delete(name)
    },
    /** Puts a record where it was withdrawn. */
    place: (name: string, value: string) => void zone.records.set(name, value),
    /** The records of names, by the name of the record. */
    records: () => new Map([...zone.records].filter(([name]) => !isProbe(name))),
    /** What the node still answers for. */
    enabled: () => enabledOffers(node).sort(),
    /**
     * Records that were, or still could be, in a cache when their offer had expired or was disabled already. Who gives up
     * a name gives up its offer, too, as soon as the record is withdrawn.
     */
    outlived(now: number, isGivenUp: (name: string) => boolean): string[] {
      const offers = [...node.offersMade.values(), ...device.offersMade.values()]
      const offerOf = new Map(offers.map(({ offer }) => [recordValue(offer), offer]))
      return stood.flatMap(({ name, value, until }) => {
        const offer = offerOf.get(value)!
        const expiresAt = Number(parseOffer(offer).absoluteExpirySeconds) * 1000
        const disabled = disabledAt.get(offer) ?? Number.POSITIVE_INFINITY
        const shown = until ?? now
        const endsInTime =
          shown + RECORD_TTL_MS <= expiresAt && shown + (isGivenUp(name) ? 0 : RECORD_TTL_MS) <= disabled
        return endsInTime ? [] : [`${name} showed until ${until} what ended at ${expiresAt}, ${disabled}`]
      })
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

type Said = TxtRecord & {
  readonly at: number
  readonly replaces?: string
  readonly offerId: string
  readonly description: string
}
