import { CLASS, OPCODE, TYPE } from '../../dns/codes.ts'
import { decodeMessage, encodeMessage, type Message, NO_FLAGS } from '../../dns/message.ts'
import { isAtOrBelow, labelCount, type Name, nameToWire, sameName } from '../../dns/names.ts'
import { encodeDnskey, encodeDs, encodeSoa, encodeTxt } from '../../dns/rdata.ts'
import type { TrustAnchor } from '../anchors.ts'
import type { DnsQuery } from '../answer-source.ts'
import { makeDs } from '../keys.ts'
import { answerQuestion } from '../signing/authoritative-answer.ts'
import type { ZoneKey } from '../signing/sign-rrset.ts'
import { type Nsec3Settings, SignedZone, type SigningPolicy } from '../signing/signed-zone.ts'
import { testKey } from './test-keys.ts'

/** The real time, because `delv`, which judges the same worlds, knows no other. */
export const NOW = Math.floor(Date.now() / 1000)
export const DAY = 86_400

export type WorldZone = {
  apex: Name
  keys?: ZoneKey[]
  /** Signs with these instead of the published ones. */
  signWith?: readonly ZoneKey[]
  denial?: 'nsec' | Nsec3Settings
  inception?: number
  expiration?: number
  /** Digest type of the DS in the parent; null for an unsigned delegation. */
  ds?: number | null
  /** Adds data: `add('alice', TYPE.TXT, text('bitcoin:'))`. */
  data?: (add: AddRecord) => void
}

/** `owner` is relative to the apex; '' is the apex. */
export type AddRecord = (owner: string, type: number, ...rdatas: Uint8Array[]) => void

/** `query` sends what `answer` says, unless a case breaks the transport itself. */
export type World = {
  anchors: TrustAnchor[]
  answer: (name: Name, type: number) => Message
  query: DnsQuery
}

export function text(...strings: string[]): Uint8Array {
  return encodeTxt(strings.map((string) => new TextEncoder().encode(string)))
}

/** Zones that delegate to each other, signed as told, answered for by one server. */
export function makeWorld(settings: readonly WorldZone[]): World {
  const zones = settings.map((one) => makeZone(one))
  for (const [index, child] of settings.entries()) {
    const [parent] = zones
      .filter((zone) => isAtOrBelow(child.apex, zone.apex) && !sameName(child.apex, zone.apex))
      .sort((a, b) => labelCount(b.apex) - labelCount(a.apex))
    if (parent) delegate(parent, child, zones[index]!)
  }
  const root = settings.find(({ apex }) => apex === '.')
  const anchors = keysOf(root ?? { apex: '.' }).map(
    ({ dnskey }): TrustAnchor => ({ zone: '.', kind: 'ds', ds: makeDs('.', dnskey, 2) }),
  )
  return worldOf(anchors, (name, type) => respond(zones, name, type))
}

/** The same world with every response changed on its way. */
export function tampered(world: World, change: (response: Message, name: Name, type: number) => void): World {
  return worldOf(world.anchors, (name, type) => {
    const response = decodeMessage(encodeMessage(world.answer(name, type)))
    change(response, name, type)
    return response
  })
}

function worldOf(anchors: TrustAnchor[], answer: World['answer']): World {
  return { anchors, answer, query: async (name, type) => encodeMessage(answer(name, type)) }
}

/** `.` → `test.` → `shop.test.`, the last as told. */
export function shopWorld(shop: Omit<WorldZone, 'apex'>, test: Omit<WorldZone, 'apex'> = {}): World {
  return makeWorld([{ apex: '.' }, { apex: 'test.', ...test }, { apex: 'shop.test.', ...shop }])
}

function keysOf({ apex, keys }: WorldZone): ZoneKey[] {
  return keys ?? [testKey('p256', apex)]
}

function respond(zones: readonly SignedZone[], name: Name, type: number): Message {
  const question = { name, type, class: CLASS.IN }
  const { rcode, authoritative, answer, authority, additional } = answerQuestion(zones, question, true)
  const flags = { ...NO_FLAGS, response: true, authoritative }
  return { id: 0, opcode: OPCODE.QUERY, rcode, flags, question: [question], answer, authority, additional }
}

function makeZone(settings: WorldZone): SignedZone {
  const { apex, data, denial = 'nsec', inception = NOW - DAY, expiration = NOW + 13 * DAY } = settings
  const keys = keysOf(settings)
  const policy: SigningPolicy = {
    id: 'fixed',
    inception,
    expiration,
    keysFor: () => settings.signWith ?? keys,
  }
  const zone = new SignedZone({ apex, denial, policy: () => policy })
  const below = (owner: string) => (owner === '' ? apex : `${owner}.${apex === '.' ? '' : apex}`)
  const soa = {
    primary: below('ns'),
    mailbox: below('hostmaster'),
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 604_800,
  }
  zone.set(apex, TYPE.SOA, 300, [encodeSoa({ ...soa, minimum: 60 })])
  zone.set(apex, TYPE.NS, 3600, [nameToWire(below('ns'))])
  zone.set(below('ns'), TYPE.A, 3600, [Uint8Array.of(127, 0, 0, 1)])
  zone.set(
    apex,
    TYPE.DNSKEY,
    3600,
    keys.map(({ dnskey }) => encodeDnskey(dnskey)),
  )
  data?.((owner, type, ...rdatas) => zone.set(below(owner), type, 120, rdatas))
  return zone
}

function delegate(parent: SignedZone, child: WorldZone, zone: SignedZone): void {
  parent.set(
    child.apex,
    TYPE.NS,
    3600,
    zone.records(child.apex, TYPE.NS).map(({ rdata }) => rdata),
  )
  const digestType = child.ds === undefined ? 2 : child.ds
  if (digestType === null) return
  const ds = keysOf(child).map(({ dnskey }) => encodeDs(makeDs(child.apex, dnskey, digestType)))
  parent.set(child.apex, TYPE.DS, 1800, ds)
}
