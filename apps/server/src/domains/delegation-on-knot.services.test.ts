import type { DnsZone } from '@holdfast/core/dns-zone'
import { encodeIpv4 } from '@holdfast/protocols/dns/address'
import { CLASS, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, type ResourceRecord } from '@holdfast/protocols/dns/message'
import { isAtOrBelow, nameToWire } from '@holdfast/protocols/dns/names'
import { decodeDnskey, encodeDs } from '@holdfast/protocols/dns/rdata'
import type { TrustAnchor } from '@holdfast/protocols/dnssec'
import { makeDs } from '@holdfast/protocols/dnssec/keys'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { exchangeTcp } from '../dns/dns-exchange.ts'
import { type DnsQuery, makeQuery } from '../dns/dns-transport.ts'
import { makeAskResolvers } from '../dns/resolvers/ask-resolvers.ts'
import { parseResolverEndpoint } from '../dns/resolvers/resolver-endpoint.ts'
import { startUnbound } from '../dns/resolvers/testing/unbound.ts'
import { makeRfc2136Zone } from '../dns/rfc2136-zone.ts'
import { parseServerAddress } from '../dns/server-address.ts'
import { type RunningKnot, startKnotZone } from '../dns/testing/knot.ts'
import { signRequest } from '../dns/tsig.ts'
import { addTxt, encodeUpdate } from '../dns/update-message.ts'
import { makeResolveTxt } from '../edges.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type DomainsWorld, startDomainsWorld } from './testing/domains-world.ts'

const [SHOP, MERCHANT] = ['shop.test', 'merchant.test'] as const
const NAMES = `user._bitcoin-payment.${MERCHANT}` as const
const ALICE = `alice.${NAMES}`
const TTL = 1
const SHA256 = 2

const database = withDatabase()
let knots: Record<typeof SHOP | typeof MERCHANT | typeof NAMES, RunningKnot>
let world: DomainsWorld
let anchors: TrustAnchor[]
let resolveTxt: ReturnType<typeof makeResolveTxt>
let isDelegated = false

beforeEach(async () => {
  const start = (domain: string) => startKnotZone(domain, 'hmac-sha256', TTL)
  const [shop, merchant, names] = await Promise.all([start(SHOP), start(MERCHANT), start(NAMES)])
  knots = { [SHOP]: shop, [MERCHANT]: merchant, [NAMES]: names }
  anchors = (await Promise.all([SHOP, MERCHANT].map(anchorsOf))).flat()
  resolveTxt = makeResolveTxt(walk, anchors)
  world = await startDomainsWorld(database, { zone: zoneOn(SHOP), namesZone: zoneOn(NAMES), resolveTxt })
})
afterEach(async () => {
  await world?.stop()
  for (const knot of Object.values(knots ?? {})) await knot.stop()
})

test('a merchant moves from a DNAME to a delegation with DS, on three Knots: each name is paid before and after', async () => {
  const device = world.newDevice()
  const { instructions } = (await world.claim(device)).json()
  await change(MERCHANT, [addTxt(instructions.challenge.name, instructions.challenge.value, TTL)])
  await change(MERCHANT, [add(NAMES, TYPE.DNAME, nameToWire(`${instructions.allNames.value}.`))])
  await world.checkNow(device)
  await aliasesAre('all-names')
  expect(await registered('alice')).toMatchObject({ state: 'succeeded' })
  const byAlias = await resolved()

  // One update: the DNAME goes, NS and DS come.
  const [key] = await keysOf(NAMES)
  const ds = makeDs(`${NAMES}.`, decodeDnskey(key!.rdata), SHA256)
  await change(MERCHANT, [
    { ...add(NAMES, TYPE.DNAME, new Uint8Array(0)), class: CLASS.ANY, ttl: 0 },
    add(NAMES, TYPE.NS, nameToWire(`ns1.${NAMES}.`)),
    add(`ns1.${NAMES}`, TYPE.A, encodeIpv4('127.0.0.1')),
    add(NAMES, TYPE.DS, encodeDs(ds)),
  ])
  isDelegated = true
  expect(await resolved()).toEqual(byAlias)
  await world.checkNow(device)
  await aliasesAre('delegated')

  expect(await registered('bob')).toMatchObject({ state: 'succeeded' })
  expect(await listed(zoneOn(NAMES))).toEqual([ALICE, `bob.${NAMES}`])
  expect(await world.names.reconcileZones()).toMatchObject(
    Array.from({ length: 2 }, () => ({ live: 2, orphaned: { count: 0 }, missing: { count: 0 } })),
  )
  await expectUnboundToConfirm(byAlias)

  for (const user of ['alice', 'bob']) await world.send('DELETE', `/v1/names/${user}@${MERCHANT}`, device)
  await world.until(async () => !(await world.names.holdsNames(MERCHANT, database.db)))
  expect([...(await listed(zoneOn(NAMES))), ...(await listed(zoneOn(SHOP)))]).toEqual([])

  async function aliasesAre(aliases: string) {
    await world.until(async () => (await world.own(device)).aliases === aliases)
  }
  async function registered(user: string) {
    return world.jobEnds((await world.register(device, user)).json().id)
  }
}, 120_000)

/** Asks the server of the zone that holds the name, as an iterative resolver would; a DS stands above its zone. */
const walk: DnsQuery = (name, type) => {
  const zones = [...(isDelegated ? [NAMES] : []), MERCHANT, SHOP] as const
  const zone = zones.find((apex) => isAtOrBelow(name, apex) && !(type === TYPE.DS && isAtOrBelow(apex, name)))
  return queryOn(knots[zone ?? MERCHANT])(name, type)
}

function queryOn({ server }: RunningKnot): DnsQuery {
  return makeQuery({ servers: [server], timeoutMs: 3_000 })
}

function zoneOn(domain: keyof typeof knots): DnsZone {
  const { server, key } = knots[domain]
  return makeRfc2136Zone({
    domain,
    primary: server,
    key,
    authoritativeServers: async () => [server],
    now: Date.now,
  })
}

async function keysOf(domain: keyof typeof knots): Promise<ResourceRecord[]> {
  const { answer } = decodeMessage(await queryOn(knots[domain])(domain, TYPE.DNSKEY))
  const isKsk = ({ rdata }: ResourceRecord) => (decodeDnskey(rdata).flags & 1) === 1
  return answer.filter((record) => record.type === TYPE.DNSKEY && isKsk(record))
}

async function anchorsOf(domain: keyof typeof knots): Promise<TrustAnchor[]> {
  const keys = await keysOf(domain)
  return keys.map(({ rdata }) => ({ zone: `${domain}.`, kind: 'dnskey', key: decodeDnskey(rdata) }))
}

function add(name: string, type: number, rdata: Uint8Array): ResourceRecord {
  return { name, type, class: CLASS.IN, ttl: TTL, rdata }
}

/** What the merchant does by hand. */
async function change(domain: keyof typeof knots, updates: readonly ResourceRecord[]): Promise<void> {
  const { server, key } = knots[domain]
  const { wire } = signRequest(encodeUpdate(domain, { updates }), key, Date.now())
  const limits = { timeoutMs: 5_000, maxResponseBytes: 65_535 }
  const answer = await exchangeTcp(parseServerAddress(server), wire, limits)
  expect(answer[3]! & 0x0f).toBe(RCODE.NOERROR)
}

async function resolved(): Promise<string> {
  const found = await resolveTxt(ALICE, Math.floor(Date.now() / 1000))
  if (found.status !== 'secure') throw new Error(JSON.stringify(found))
  return found.values.map((value) => new TextDecoder().decode(value)).join()
}

async function listed(zone: DnsZone): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of zone.list()) names.push(name)
  return names.sort()
}

async function expectUnboundToConfirm(value: string): Promise<void> {
  const stubs = ([NAMES, MERCHANT, SHOP] as const).map((zone) => ({ zone, server: knots[zone].server }))
  const unbound = await startUnbound({ anchors, stubs }, { validates: true })
  const resolvers = [parseResolverEndpoint(unbound.server)]
  const { ask, close } = makeAskResolvers({ resolvers, quorum: 1, timeoutMs: 20_000 })
  try {
    expect(await ask({ name: ALICE, value })).toMatchObject({ decision: 'confirmed' })
  } finally {
    close()
    await unbound.stop()
  }
}
