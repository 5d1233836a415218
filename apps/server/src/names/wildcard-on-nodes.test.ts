import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChain } from '@holdfast/devnet/chain/chain-server'
import { type SignedDns, startSignedDns } from '@holdfast/devnet/dns/signed-dns'
import { type LdkWorld, makeLdkWorld } from '@holdfast/devnet/nodes/ldk-world'
import { startInProcess } from '@holdfast/lightning/ldk/testing/in-process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeQuery } from '../dns/dns-transport.ts'
import { embeddedZone } from '../dns/embedded-zone.ts'
import { makeResolveTxt, readTrustAnchors } from '../edges.ts'
import type { Device } from '../identity/testing/identity-world.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

/** One offer for all names of a domain: a really signed zone, our validator, and real LDK nodes. */

const DOMAIN = 'shop.test'
const WITHIN_MS = 120_000

const database = withDatabase()
const folder = mkdtempSync(join(tmpdir(), 'holdfast-wildcard-'))
let dns: SignedDns
let nodes: LdkWorld
let world: SlicesWorld
let merchant: Device
let customer: Device

beforeAll(async () => {
  dns = await startSignedDns({ folder, zones: [DOMAIN], host: '127.0.0.1', port: 0 })
  nodes = await makeLdkWorld({ startChain: (at) => startChain({ folder: at }), startLink: startInProcess })
  const query = makeQuery({ servers: [dns.address], timeoutMs: 2_000 })
  world = await startSlicesWorld(database, {
    dns: {
      zone: embeddedZone(dns.zone(DOMAIN)),
      resolveTxt: makeResolveTxt(query, await readTrustAnchors(dns.anchorFile)),
    },
    soleOwnerOf: async () => merchant.owner,
  })
  merchant = world.newUser(null).device
  customer = world.newUser(null).device
  world.connect(merchant.owner, nodes.payee)
  world.connect(customer.owner, nodes.payer)
  await register('old')
  await register('*')
}, WITHIN_MS)
afterAll(async () => {
  await world?.stop()
  await nodes?.stop()
  await dns?.stop()
  rmSync(folder, { recursive: true, force: true })
}, WITHIN_MS)

async function register(user: string): Promise<void> {
  const accepted = await world.register(merchant, user)
  expect(accepted.statusCode, accepted.body).toBe(202)
  expect(await world.jobEnds(accepted.json().id)).toMatchObject({ state: 'succeeded' })
}

async function pay(to: string) {
  const body = { to, amountMsat: '21000', note: 'for the oranges' }
  const { id } = (await world.send('POST', '/v1/payments', customer, body)).json()
  return (await world.get(`/v1/payments/${id}?wait=20`, customer)).json()
}

async function received(paymentHash: string) {
  const events = await nodes.payee.events.since(0)
  return events.find((event) => event.kind === 'payment-received' && event.paymentHash === paymentHash)
}

test('payments to names that were never registered are told apart by the node that has them', async () => {
  const offers: unknown[] = []
  for (const user of ['alice', 'bob_2', 'carol.x']) {
    const payment = await pay(`₿${user}@${DOMAIN}`)
    expect(payment).toMatchObject({ state: 'succeeded' })
    const event = await received(payment.paymentHash)
    expect(event).toMatchObject({ amountMsat: 21_000n, payee: `${user}@${DOMAIN}` })
    offers.push(event && 'offerId' in event && event.offerId)
  }
  expect(new Set(offers).size).toBe(1)
}, 60_000)

test('the zone holds nothing of them: who walks through it finds the wildcard and the one older name', async () => {
  const names: string[] = []
  for await (const { name } of dns.zone(DOMAIN).list()) names.push(name)
  expect(names.sort()).toEqual([`*.user._bitcoin-payment.${DOMAIN}`, `old.user._bitcoin-payment.${DOMAIN}`])
})

test('a name with a record of its own is paid by that, wildcard or not', async () => {
  const [resolved, other] = await Promise.all(
    ['old', 'anybody'].map(async (user) => (await world.get(`/v1/resolve/${user}@${DOMAIN}`)).json()),
  )
  expect(resolved.offer).not.toBe(other.offer)
  const payment = await pay(`old@${DOMAIN}`)
  expect(payment).toMatchObject({ state: 'succeeded' })
  expect(await received(payment.paymentHash)).toMatchObject({ payee: `old@${DOMAIN}` })
}, 60_000)

test('whose wallet does not say whom it pays gets no invoice, and loses nothing', async () => {
  const { offer } = (await world.get(`/v1/resolve/dave@${DOMAIN}`)).json()
  expect(await pay(offer)).toMatchObject({ state: 'failed', error: { code: 'PAYMENT_REJECTED' } })
}, 60_000)
