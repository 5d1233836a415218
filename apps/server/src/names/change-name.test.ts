import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Device } from '../identity/testing/identity-world.ts'
import { newDevice } from '../identity/testing/identity-world.ts'
import { enabledOffers, makeTestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { findInTrouble, findName } from './name-store.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const database = withDatabase()
const operator = newDevice()
const DAY_MS = 86_400_000
let world: SlicesWorld

beforeEach(async () => {
  world = await startSlicesWorld(database, {
    operators: [operator.owner],
    rules: { deadlineMs: 3_000, maxNamesPerOwner: 3, reservedWords: ['Brand'] },
  })
})
afterEach(() => world.stop())

const recordOf = (user: string) => world.zone.records.get(`${user}.user._bitcoin-payment.shop.test`)
const look = async (user: string) => (await world.get(`/v1/names/${user}@shop.test`)).json()
const send = (method: 'POST' | 'PUT' | 'DELETE', path: string, device: Device, body?: object) =>
  world.send(method, `/v1/names/${path}`, device, body as never)
const brought = async (offerId: string) => makeTestNode().offers!.create({ offerId })

async function activeName(user: string) {
  const owner = world.newUser()
  const { id } = (await world.register(owner.device, user)).json()
  expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded', kind: 'name.register' })
  return { ...owner, id, name: `${user}@shop.test`, offer: (await look(user)).offer as string }
}

/** Waits for the job that was answered. */
async function ended(answer: { statusCode: number; json(): { id: string } }) {
  expect(answer.statusCode).toBe(202)
  return world.jobEnds(answer.json().id)
}

describe('another offer', () => {
  test('takes the place of the old one, which is disabled once caches have forgotten it', async () => {
    const { device, node, id, name, offer } = await activeName('rotating')
    const job = await ended(await send('PUT', name, device, {}))
    expect(job).toMatchObject({ kind: 'name.rotate', state: 'succeeded', percent: 100, name })
    const now = await look('rotating')
    expect(now).toMatchObject({ state: 'active', jobId: id })
    expect(now.offer).not.toBe(offer)
    expect(recordOf('rotating')).toBe(`bitcoin:?lno=${now.offer}`)
    expect(enabledOffers(node)).toEqual([offer, now.offer])
    expect((await world.get(`/v1/jobs/${id}`)).json()).toMatchObject({
      kind: 'name.register',
      state: 'succeeded',
    })

    const disabling = async () => {
      const { rows } = await sql<{ payload: never; waits: boolean }>`
        select payload, run_at > now() + interval '50 s' as waits from graphile_worker._private_jobs as job
        where key = ${`name:${id}:disable-offer:0`}`.execute(database.db)
      return rows
    }
    await expect.poll(disabling).toMatchObject([{ waits: true }])
    await world.tasks['names:disable-offer']!((await disabling())[0]!.payload, {} as never)
    expect(enabledOffers(node)).toEqual([now.offer])
    expect((await findName(database.db, id))!.retiring).toEqual([])
  })

  test('that was made on the owner’s device, twice', async () => {
    const { device, name, node } = await activeName('bringing')
    for (const offerId of ['one', 'two']) {
      const { offer } = await brought(offerId)
      expect(await ended(await send('PUT', name, device, { offer }))).toMatchObject({ state: 'succeeded' })
      expect(recordOf('bringing')).toBe(`bitcoin:?lno=${offer}`)
      expect((await send('PUT', name, device, { offer })).json()).toMatchObject({ code: 'OFFER_USED' })
    }
    expect(enabledOffers(node)).toHaveLength(1)
  })

  test('that cannot be validated leaves the old one live, and says why', async () => {
    const { device, name, node, offer } = await activeName('faithful')
    world.zone.signed = false
    const answer = await send('PUT', name, device, {})
    expect(await look('faithful')).toMatchObject({ state: 'active', offer, changeJobId: answer.json().id })
    expect(await ended(answer)).toMatchObject({
      state: 'failed',
      step: 'undone',
      error: { code: 'RESOLVE_UNSIGNED' },
    })
    expect(recordOf('faithful')).toBe(`bitcoin:?lno=${offer}`)
    expect(await look('faithful')).toMatchObject({ state: 'active', offer })
    expect(enabledOffers(node)).toContain(offer)
    expect(await world.names.findActive('faithful', 'shop.test')).toMatchObject({
      owner: device.owner,
      offer,
    })
  })

  test('is refused to strangers, for names that are not there, and while another change runs', async () => {
    const { device, name } = await activeName('guarded')
    const stranger = world.newUser()
    expect((await send('PUT', name, stranger.device, {})).json()).toMatchObject({ code: 'FORBIDDEN' })
    expect((await send('PUT', 'nobody@shop.test', device, {})).json()).toMatchObject({
      code: 'NAME_NOT_FOUND',
    })
    expect((await send('PUT', name, device, { offer: 'lno1qqqq' })).json()).toMatchObject({
      code: 'OFFER_INVALID',
    })
    world.zone.secondIsDown = true
    const both = await Promise.all([send('PUT', name, device, {}), send('PUT', name, device, {})])
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([202, 409])
    world.zone.secondIsDown = false
    await ended(both.find(({ statusCode }) => statusCode === 202)!)
    world.disconnect(device.owner)
    expect((await send('PUT', name, device, {})).json()).toMatchObject({ code: 'NODE_NOT_CONNECTED' })
  })
})

describe('a transfer', () => {
  test('is proposed by one key and accepted by the other, whose offer is live when the name is theirs', async () => {
    const { device, node, name, offer } = await activeName('moving')
    const heir = world.newUser()
    const to = heir.device.owner
    expect((await send('POST', `${name}/transfer/accept`, heir.device, {})).json()).toMatchObject({
      code: 'TRANSFER_NOT_PROPOSED',
    })
    const proposed = await send('PUT', `${name}/transfer`, device, { to })
    expect(proposed.json()).toMatchObject({ state: 'active', owner: device.owner, transfer: { to } })
    const job = await ended(await send('POST', `${name}/transfer/accept`, heir.device, {}))
    expect(job).toMatchObject({ kind: 'name.transfer', state: 'succeeded' })

    expect(await look('moving')).toMatchObject({ owner: to, offer: enabledOffers(heir.node)[0] })
    expect(await look('moving')).not.toHaveProperty('transfer')
    expect(enabledOffers(node)).toEqual([offer])
    expect((await send('DELETE', name, device)).json()).toMatchObject({ code: 'FORBIDDEN' })
    const mine = (await world.get('/v1/names?owner=me', heir.device)).json()
    expect(mine.names).toMatchObject([{ name }])
    const actors = await sql<{ kind: string; actor: string }>`
      select kind, actor from journal where data ->> 'name' = ${name} and actor in (${device.owner}, ${to})
      order by seq`.execute(database.db)
    expect(actors.rows).toEqual([
      { kind: 'name.register', actor: device.owner },
      { kind: 'name.propose-transfer', actor: device.owner },
      { kind: 'name.accept-transfer', actor: to },
    ])
  })

  test('can be taken back, and counts against the heir’s limit', async () => {
    const { device, name } = await activeName('staying')
    const heir = world.newUser()
    const propose = () => send('PUT', `${name}/transfer`, device, { to: heir.device.owner })
    const accept = async () => (await send('POST', `${name}/transfer/accept`, heir.device, {})).json()
    expect((await send('DELETE', `${name}/transfer`, device)).json()).toMatchObject({
      code: 'TRANSFER_NOT_PROPOSED',
    })
    await propose()
    expect((await send('DELETE', `${name}/transfer`, device)).statusCode).toBe(202)
    expect(await accept()).toMatchObject({ code: 'TRANSFER_NOT_PROPOSED' })
    await propose()
    const jobs = await Promise.all(['a1', 'a2', 'a3'].map((user) => world.register(heir.device, user)))
    expect(await accept()).toMatchObject({ code: 'NAME_LIMIT_REACHED' })
    await Promise.all(jobs.map((job) => ended(job)))
    expect((await send('PUT', `${name}/transfer`, device, { to: device.owner })).json()).toMatchObject({
      code: 'TRANSFER_TO_OWNER',
    })
  })
})

describe('a suspension', () => {
  test('is the operator’s alone: the record goes, the name stays its owner’s, and comes back', async () => {
    const { device, name, node, offer } = await activeName('naughty')
    expect((await send('POST', `${name}/suspend`, device)).json()).toMatchObject({ code: 'FORBIDDEN' })
    expect((await send('POST', `${name}/resume`, operator)).json()).toMatchObject({
      code: 'NAME_NOT_SUSPENDED',
    })
    expect((await send('POST', `${name}/suspend`, operator)).statusCode).toBe(202)
    await expect.poll(() => recordOf('naughty')).toBeUndefined()
    await expect.poll(async () => (await look('naughty')).state).toBe('suspended')
    expect(await world.names.findActive('naughty', 'shop.test')).toBeNull()
    expect(enabledOffers(node)).toEqual([offer])
    expect((await send('PUT', name, device, {})).json()).toMatchObject({ code: 'NAME_SUSPENDED' })
    expect((await world.register(world.newUser().device, 'naughty')).json()).toMatchObject({
      code: 'NAME_TAKEN',
    })
    expect((await send('POST', `${name}/resume`, device)).json()).toMatchObject({ code: 'FORBIDDEN' })
    expect(await ended(await send('POST', `${name}/resume`, operator))).toMatchObject({
      kind: 'name.resume',
      state: 'succeeded',
    })
    expect(recordOf('naughty')).toBe(`bitcoin:?lno=${offer}`)
  })

  /** Suspended for so long that its offer has expired. */
  async function outlived(user: string, bring = false) {
    const { device, node } = world.newUser()
    node.offersExpireAt = Date.now() + 31 * DAY_MS
    const more = bring ? await node.offers!.create({ offerId: 'mine' }) : {}
    const { id } = await ended(await world.register(device, user, more))
    const name = `${user}@shop.test`
    await send('POST', `${name}/suspend`, operator)
    await expect.poll(async () => (await look(user)).state).toBe('suspended')
    world.time.shiftMs = 40 * DAY_MS
    node.offersExpireAt = null
    return { device, node, name, id, resume: () => send('POST', `${name}/resume`, operator) }
  }

  test('that outlives its offer ends with another, which the owner’s node makes', async () => {
    const { node, resume } = await outlived('sleeper')
    const [old] = enabledOffers(node)
    expect(await ended(await resume())).toMatchObject({ kind: 'name.resume', state: 'succeeded' })
    const { state, offer } = await look('sleeper')
    expect(state).toBe('active')
    expect(offer).not.toBe(old)
    expect(recordOf('sleeper')).toBe(`bitcoin:?lno=${offer}`)
    await expect.poll(() => enabledOffers(node)).toEqual([offer])
  })

  test('goes on when that node makes none, and ends once it does', async () => {
    const { device, node, name, id, resume } = await outlived('absent')
    world.disconnect(device.owner)
    const resumption = await resume()
    await expect
      .poll(() => findName(database.db, id))
      .toMatchObject({ phase: 'requested', wait: { lastFailure: 'NODE_NOT_CONNECTED' } })
    world.time.shiftMs += 3_000
    await world.tasks['names:wake']!({ id }, {} as never)
    expect(await ended(resumption)).toMatchObject({
      state: 'failed',
      step: 'undone',
      error: { code: 'NODE_NOT_CONNECTED' },
    })
    expect(await look('absent')).toMatchObject({ state: 'suspended', owner: device.owner })
    expect(recordOf('absent')).toBeUndefined()

    const again = await resume()
    expect(await look('absent')).toMatchObject({ state: 'registering', changeJobId: again.json().id })
    expect((await send('POST', `${name}/suspend`, operator)).json()).toMatchObject({ state: 'suspended' })
    expect(await ended(again)).toMatchObject({ state: 'failed', error: { code: 'NAME_SUSPENDED' } })

    world.connect(device.owner, node)
    expect(await ended(await resume())).toMatchObject({ state: 'succeeded' })
    const { offer } = await look('absent')
    expect(recordOf('absent')).toBe(`bitcoin:?lno=${offer}`)
    await world.names.reconcile()
    await expect.poll(() => enabledOffers(node)).toEqual([offer])
  })

  test('that outlives a brought offer can only end with the name, and says so', async () => {
    const { device, name, resume } = await outlived('visitor', true)
    const refused = await resume()
    expect(refused.json()).toMatchObject({
      code: 'OFFER_EXPIRED',
      detail: expect.stringContaining('released'),
    })
    expect((await send('DELETE', name, device)).statusCode).toBe(202)
  })
})

test('a suspended name that is released comes back to nobody while its quarantine lasts', async () => {
  const { device, name } = await activeName('caught')
  await send('POST', `${name}/suspend`, operator)
  await expect.poll(async () => (await look('caught')).state).toBe('suspended')
  await send('DELETE', name, device)
  await expect.poll(async () => (await look('caught')).code).toBe('NAME_NOT_FOUND')
  for (const by of [device, world.newUser().device])
    expect((await world.register(by, 'caught')).json()).toMatchObject({ code: 'NAME_QUARANTINED' })
})

test('nor does one that is released while its record is still being withdrawn', async () => {
  const { device, name } = await activeName('slippery')
  world.zone.failures = ['unavailable', 'unavailable']
  await send('POST', `${name}/suspend`, operator)
  await send('DELETE', name, device)
  await expect.poll(async () => (await look('slippery')).code).toBe('NAME_NOT_FOUND')
  expect((await world.register(device, 'slippery')).json()).toMatchObject({ code: 'NAME_QUARANTINED' })
})

describe('a released name', () => {
  test('is held for its last owner; another, or one that looks like it, is told until when', async () => {
    const { device, name } = await activeName('modem')
    await send('DELETE', name, device)
    await expect.poll(async () => (await look('modem')).code).toBe('NAME_NOT_FOUND')
    const stranger = world.newUser()
    for (const user of ['modem', 'modern']) {
      const refused = (await world.register(stranger.device, user)).json()
      expect(refused).toMatchObject({ status: 409, code: 'NAME_QUARANTINED' })
      expect(refused.until).toBeGreaterThan(Date.now() + 29 * DAY_MS)
    }
    expect(await ended(await world.register(device, 'modem'))).toMatchObject({ state: 'succeeded' })
  })

  test('is never won by those who wait for it, however the requests fall', async () => {
    const { device, name } = await activeName('coveted')
    const strangers = Array.from({ length: 8 }, () => world.newUser())
    const answers: string[] = []
    let released = false
    const waiting = strangers.map(async (stranger) => {
      do {
        const answer = await world.register(stranger.device, 'coveted')
        answers.push(answer.statusCode === 202 ? 'won' : answer.json().code)
      } while (!released)
    })
    await send('DELETE', name, device)
    await expect.poll(async () => (await look('coveted')).code).toBe('NAME_NOT_FOUND')
    released = true
    await Promise.all(waiting)
    expect(answers).toContain('NAME_TAKEN')
    expect(answers.filter((answer) => answer !== 'NAME_TAKEN' && answer !== 'NAME_QUARANTINED')).toEqual([])
    expect((await world.register(device, 'coveted')).statusCode).toBe(202)
  })

  test('that was transferred is held for whom it was transferred to', async () => {
    const { device, name } = await activeName('passedon')
    const heir = world.newUser()
    await send('DELETE', name, device)
    await expect.poll(async () => (await look('passedon')).code).toBe('NAME_NOT_FOUND')
    await ended(await world.register(device, 'passedon'))
    await send('PUT', `${name}/transfer`, device, { to: heir.device.owner })
    await ended(await send('POST', `${name}/transfer/accept`, heir.device, {}))
    await send('DELETE', name, heir.device)
    await expect.poll(async () => (await look('passedon')).code).toBe('NAME_NOT_FOUND')
    expect((await world.register(device, 'passedon')).json()).toMatchObject({ code: 'NAME_QUARANTINED' })
    expect(await ended(await world.register(heir.device, 'passedon'))).toMatchObject({ state: 'succeeded' })
  })

  test('whose zone refuses the withdrawal says what somebody must do, and is not tried every minute', async () => {
    const { device, name, id } = await activeName('stuck')
    world.zone.broken = 'not-authorized'
    await send('DELETE', name, device)
    await expect
      .poll(async () => look('stuck'))
      .toMatchObject({ state: 'withdrawing', trouble: { code: 'DNS_REFUSED' } })
    const before = await findName(database.db, id)
    expect(before!.cleaning!.wait!.dueAt).toBeGreaterThan(Date.now() + 30_000)
    world.time.shiftMs = 30_000
    await world.names.sweep()
    expect(await findName(database.db, id)).toEqual(before)
    world.time.shiftMs = 0
    world.zone.broken = null
    expect(await world.names.reconcile()).toBeGreaterThan(0)
    await expect.poll(async () => (await look('stuck')).code).toBe('NAME_NOT_FOUND')
    const inTrouble = async () =>
      (await findInTrouble(database.db, { limit: 100, after: null })).map((row) => row.id)
    await expect.poll(inTrouble).not.toContain(id)
  })
})

test('words that the operator reserves cannot be registered', async () => {
  const { device } = world.newUser()
  for (const user of ['brand', 'BRAND', 'b-rand']) {
    expect((await world.register(device, user)).json()).toMatchObject({ code: 'NAME_RESERVED' })
  }
})
