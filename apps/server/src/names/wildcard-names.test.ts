import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Device } from '../identity/testing/identity-world.ts'
import { enabledOffers, makeTestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const database = withDatabase()
let world: SlicesWorld
let sole: string | null
/** Each test has a domain of its own. */
let domain = 'shop-0.test'

beforeEach(async () => {
  sole = null
  domain = `shop-${Number(/\d+/.exec(domain)) + 1}.test`
  world = await startSlicesWorld(database, {
    rules: { deadlineMs: 4_000, quarantineMs: 60_000 },
    domain,
    soleOwnerOf: async () => sole,
  })
})
afterEach(() => world.stop())

const tellsPayees = () =>
  makeTestNode({ capabilities: new Set(['offers', 'payees', 'pay', 'funds'] as const) })
const recordOf = (user: string) => world.zone.records.get(`${user}.user._bitcoin-payment.${domain}`)
const getName = async (name: string) => world.get(`/v1/names/${encodeURIComponent(name)}`)

async function registered(device: Device, user: string) {
  const accepted = await world.register(device, user)
  expect(accepted.statusCode, accepted.body).toBe(202)
  expect(await world.jobEnds(accepted.json().id)).toMatchObject({ state: 'succeeded' })
}

async function wildcardOf() {
  const owner = world.newUser(tellsPayees())
  sole = owner.device.owner
  await registered(owner.device, '*')
  return owner
}

async function refused(answer: Promise<{ json(): unknown }>, code: string) {
  expect((await answer).json()).toMatchObject({ code })
}

describe('the wildcard of a domain', () => {
  test('is one record with one offer, which asks each payer whom they pay', async () => {
    const { node } = await wildcardOf()
    const [offer] = enabledOffers(node)
    expect([...world.zone.records]).toEqual([[`*.user._bitcoin-payment.${domain}`, `bitcoin:?lno=${offer}`]])
    expect(node.requested.map(({ payeeDomain }) => payeeDomain)).toEqual([domain])
  })

  test('answers for every name that keeps the rules, without anything being registered', async () => {
    const { device } = await wildcardOf()
    for (const user of ['alice', 'anyone-1.x', '*']) {
      expect((await getName(`${user}@${domain}`)).json()).toMatchObject({
        name: `*@${domain}`,
        owner: device.owner,
        state: 'active',
      })
    }
    expect(await world.names.findActive('alice', domain)).toMatchObject({
      user: 'alice',
      domain,
      owner: device.owner,
    })
    for (const user of ['-alice', 'a..b', 'xn--bcher-kva', 'a b'])
      expect(await world.names.findActive(user, domain)).toBeNull()
    await refused(getName('alice@other.test'), 'NAME_NOT_FOUND')
  })

  test('covers every new name, which is then not published', async () => {
    const { device } = await wildcardOf()
    await refused(world.register(device, 'alice'), 'NAME_COVERED')
    // Nor for anybody else, when the domain is open to everybody later.
    sole = null
    await refused(world.register(world.newUser().device, 'alice'), 'NAME_COVERED')
    expect(world.zone.records.size).toBe(1)
  })

  test('leaves a name that was there before its own record and its own offer', async () => {
    const owner = world.newUser(tellsPayees())
    sole = owner.device.owner
    await registered(owner.device, 'alice')
    const record = recordOf('alice')
    await registered(owner.device, '*')
    expect(recordOf('alice')).toBe(record)
    expect((await getName(`alice@${domain}`)).json()).toMatchObject({ name: `alice@${domain}` })
    expect(await world.names.findActive('alice', domain)).toMatchObject({
      offer: record?.slice('bitcoin:?lno='.length),
    })
    await world.send('POST', `/v1/names/alice@${domain}/suspend`, owner.device)
  })

  test('is the domain’s only owner’s, and nobody else’s', async () => {
    const { device } = world.newUser(tellsPayees())
    await refused(world.register(device, '*'), 'WILDCARD_NOT_YOURS')
    sole = 'ab'.repeat(32)
    await refused(world.register(device, '*'), 'WILDCARD_NOT_YOURS')
    expect(world.zone.records.size).toBe(0)
  })

  test('is not registered where others have names, or had until a short time ago', async () => {
    const other = world.newUser()
    await registered(other.device, 'alice')
    const { device } = world.newUser(tellsPayees())
    sole = device.owner
    await refused(world.register(device, '*'), 'DOMAIN_SHARED')
    await world.send('DELETE', `/v1/names/alice@${domain}`, other.device)
    await expect.poll(() => recordOf('alice')).toBeUndefined()
    await refused(world.register(device, '*'), 'DOMAIN_SHARED')
    world.time.shiftMs = 61_000
    await registered(device, '*')
  })

  test('needs a node that tells its payers’ words, or an offer from such a one', async () => {
    const { device, node } = world.newUser()
    sole = device.owner
    await refused(world.register(device, '*'), 'NODE_CANNOT')
    const { offer } = (await node.offers?.create({ offerId: 'brought', description: 'x' })) ?? { offer: '' }
    const { id } = (await world.register(device, '*', { offer })).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
    expect(recordOf('*')).toBe(`bitcoin:?lno=${offer}`)
    await refused(world.send('PUT', `/v1/names/*@${domain}`, device, {}), 'NODE_CANNOT')
  })

  test('gets another offer like every name', async () => {
    const { device, node } = await wildcardOf()
    const before = recordOf('*')
    const { id } = (await world.send('PUT', `/v1/names/*@${domain}`, device, {})).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
    expect(recordOf('*')).not.toBe(before)
    expect(node.requested.every(({ payeeDomain }) => payeeDomain === domain)).toBe(true)
  })

  test('cannot be given away, nor can what it would be paid for', async () => {
    const owner = world.newUser(tellsPayees())
    const heir = world.newUser(tellsPayees())
    sole = owner.device.owner
    await registered(owner.device, 'alice')
    const to = { to: heir.device.owner }
    const propose = (name: string) =>
      world.send('PUT', `/v1/names/${name}@${domain}/transfer`, owner.device, to)
    expect((await propose('alice')).statusCode).toBe(202)
    await registered(owner.device, '*')
    await refused(propose('alice'), 'WILDCARD_NOT_YOURS')
    await refused(propose('*'), 'WILDCARD_NOT_YOURS')
    const accept = world.send('POST', `/v1/names/alice@${domain}/transfer/accept`, heir.device, {})
    await refused(accept, 'WILDCARD_NOT_YOURS')
  })

  test('is released like every name, and with it all that it answered for', async () => {
    const { device, node } = await wildcardOf()
    expect((await world.send('DELETE', `/v1/names/*@${domain}`, device)).statusCode).toBe(202)
    await expect.poll(() => recordOf('*')).toBeUndefined()
    await expect.poll(() => enabledOffers(node)).toEqual([])
    await refused(getName(`alice@${domain}`), 'NAME_NOT_FOUND')
    await registered(device, 'alice')
  })

  test('is watched by names that nobody asked for before', async () => {
    const { device } = await wildcardOf()
    const look = async () => {
      const { db } = database.database
      const due = (at: Date) => db.updateTable('name_registration').set({ watch_at: at })
      await due(new Date('2100-01-01')).execute()
      await due(new Date(0)).where('domain', '=', domain).execute()
      return world.names.watch()
    }
    expect(await look()).toEqual({ healthy: 1, unhealthy: 0, unknown: 0 })
    world.zone.records.clear()
    expect(await look()).toEqual({ healthy: 0, unhealthy: 1, unknown: 0 })
    expect(await look()).toEqual({ healthy: 0, unhealthy: 1, unknown: 0 })
    await expect.poll(() => recordOf('*')).toMatch(/^bitcoin:/)
    await world.send('DELETE', `/v1/names/*@${domain}`, device)
  })
})

test('no other star is a name', async () => {
  const { device } = world.newUser(tellsPayees())
  sole = device.owner
  for (const user of ['**', '*.a', 'a.*', '*a']) await refused(world.register(device, user), 'NAME_INVALID')
})
