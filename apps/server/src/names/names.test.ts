import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { enabledOffers, makeTestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const database = withDatabase()
let world: SlicesWorld
const recordOf = (user: string) => world.zone.records.get(`${user}.user._bitcoin-payment.shop.test`)

beforeEach(async () => {
  world = await startSlicesWorld(database, {
    rules: { deadlineMs: 4_000, maxNamesPerOwner: 3, quarantineMs: 0 },
  })
})
afterEach(() => world.stop())

describe('a registration', () => {
  test('ends with a live name whose record carries the offer of the owner’s node', async () => {
    const { device, node } = world.newUser()
    const accepted = await world.register(device, 'Alice')
    expect(accepted.statusCode).toBe(202)
    expect(accepted.json()).toMatchObject({ kind: 'name.register', state: 'running', percent: 20 })
    expect(accepted.headers.location).toBe(`/v1/jobs/${accepted.json().id}`)

    const job = await world.jobEnds(accepted.json().id)
    expect(job).toMatchObject({ state: 'succeeded', percent: 100, step: 'done', name: 'alice@shop.test' })
    expect(job.stepsDone.map((done: { step: string }) => done.step)).toEqual([
      'name-claimed',
      'offer-ready',
      'record-published',
      'record-seen',
      'chain-validated',
    ])
    const [offer] = enabledOffers(node)
    expect(recordOf('alice')).toBe(`bitcoin:?lno=${offer}`)
    for (const spelling of ['alice@shop.test', '₿alice@shop.test', 'ALICE@SHOP.TEST']) {
      const found = await world.get(`/v1/names/${encodeURIComponent(spelling)}`)
      expect(found.json()).toMatchObject({
        name: 'alice@shop.test',
        state: 'active',
        owner: device.owner,
        offer,
        uri: `bitcoin:?lno=${offer}`,
      })
    }
    await world.send('DELETE', '/v1/names/alice@shop.test', device)
  })

  test('of a name that nobody has is one statement, which claims it and keeps all that follows', async () => {
    const { device } = world.newUser(null)
    const { offer } = await makeTestNode().offers!.create({ offerId: 'brought' })
    // A session’s first two requests ask who it is.
    for (const user of ['asks', 'asks-again']) await world.register(device, user, { offer })
    const query = vi.spyOn(pg.Client.prototype, 'query')
    const { id } = (await world.register(device, 'believed', { offer })).json()
    const statements = query.mock.calls.map(([asked]) => JSON.stringify(asked))
    query.mockRestore()
    expect(statements.filter((statement) => /claim_(name|request)/.test(statement))).toEqual([
      expect.stringMatching(/idempotency_key.*job_outbox.*append_to_journal_or_fail.*claim_name_or_fail/),
    ])
    expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
  })

  test('waits for a server that lags behind', async () => {
    const { device } = world.newUser()
    world.zone.lag = 4
    const { id } = (await world.register(device, 'lagging')).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
  })

  test('survives lost answers and a node that is away for a moment', async () => {
    const { device, node } = world.newUser()
    node.offline = true
    world.zone.failures = ['lost', 'unavailable']
    const { id } = (await world.register(device, 'patient')).json()
    setTimeout(() => {
      node.offline = false
    }, 200)
    expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
  })

  test('can bring an offer that was made on the owner’s device', async () => {
    const { device } = world.newUser(null)
    const { offer } = await makeTestNode().offers!.create({ offerId: 'elsewhere' })
    const { id } = (await world.register(device, 'bringer', { offer })).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
    expect(recordOf('bringer')).toBe(`bitcoin:?lno=${offer}`)
  })
})

describe('a registration that fails', () => {
  const undone = async (user: string, code: string, device: { owner: string }) => {
    expect(recordOf(user)).toBeUndefined()
    expect((await world.get(`/v1/names/${user}@shop.test`)).json()).toMatchObject({ code: 'NAME_NOT_FOUND' })
    const entries = await database.db
      .selectFrom('journal')
      .select('data')
      .where('stream', '=', 'name')
      .where('actor', '=', device.owner)
      .execute()
    expect(entries).toHaveLength(1)
    return code
  }

  test('because the zone stopped signing leaves nothing behind', async () => {
    const { device, node } = world.newUser()
    world.zone.signed = false
    const { id } = (await world.register(device, 'unsigned')).json()
    const job = await world.jobEnds(id)
    expect(job).toMatchObject({ state: 'failed', error: { code: 'RESOLVE_UNSIGNED' } })
    await undone('unsigned', 'RESOLVE_UNSIGNED', device)
    await expect.poll(() => enabledOffers(node)).toEqual([])
  })

  test('because one server is down leaves nothing behind', async () => {
    const { device, node } = world.newUser()
    world.zone.secondIsDown = true
    const { id } = (await world.register(device, 'halfdown')).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'failed', error: { code: 'DNS_UNAVAILABLE' } })
    await undone('halfdown', 'DNS_UNAVAILABLE', device)
    await expect.poll(() => enabledOffers(node)).toEqual([])
  })

  test('because the update key is wrong frees the name at once', async () => {
    const { device, node } = world.newUser()
    world.zone.broken = 'not-authorized'
    const { id } = (await world.register(device, 'wrongkey')).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'failed', error: { code: 'DNS_REFUSED' } })
    await expect.poll(() => enabledOffers(node)).toEqual([])
  })

  test('because another record stands there leaves that record alone', async () => {
    const { device } = world.newUser()
    world.zone.records.set('theirs.user._bitcoin-payment.shop.test', 'bitcoin:?lno=by-hand')
    const { id } = (await world.register(device, 'theirs')).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'failed', error: { code: 'RECORD_OCCUPIED' } })
    expect(recordOf('theirs')).toBe('bitcoin:?lno=by-hand')
  })

  test('because the node stays offline frees the name, and disables the offer when the node is back', async () => {
    const { device, node } = world.newUser()
    node.offline = true
    const { id } = (await world.register(device, 'nobody1')).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'failed', error: { code: 'NODE_OFFLINE' } })
    await undone('nobody1', 'NODE_OFFLINE', device)
    // What an interrupted attempt may have left at the node.
    node.offersMade.set(id, { offerId: id, offer: 'lno1left', enabled: true, createdAt: 0 })
    node.offline = false
    await expect.poll(() => enabledOffers(node), { timeout: 10_000 }).toEqual([])
  })
})

describe('a request that is refused', () => {
  test.each([
    ['', 422, 'NAME_INVALID'],
    ['a'.repeat(64), 422, 'NAME_INVALID'],
    ['.alice', 422, 'NAME_INVALID'],
    ['al..ice', 422, 'NAME_INVALID'],
    ['al ice', 422, 'NAME_INVALID'],
    ['al\u0456ce', 422, 'NAME_INVALID'],
    ['xn--80ak6aa92e', 422, 'NAME_INVALID'],
    ['admin', 422, 'NAME_RESERVED'],
    ['r00t', 422, 'NAME_RESERVED'],
  ])('the name %j is refused', async (user, status, code) => {
    const answer = await world.register(world.newUser().device, user)
    expect(answer.json()).toMatchObject({ status, code })
  })

  test.each([
    [{ domain: 'other.test' }, 422, 'DOMAIN_UNKNOWN'],
    [{ offer: 'lno1qqqq' }, 422, 'OFFER_INVALID'],
    [{ extra: 1 }, 400, 'REQUEST_INVALID'],
    [{ user: 5 }, 400, 'REQUEST_INVALID'],
  ])('with %j', async (more, status, code) => {
    const answer = await world.register(world.newUser().device, 'fine', more)
    expect(answer.json()).toMatchObject({ status, code })
  })

  test('without a node, or with one that makes no offers', async () => {
    const none = await world.register(world.newUser(null).device, 'nodeless')
    expect(none.json()).toMatchObject({ status: 409, code: 'NODE_NOT_CONNECTED' })
    const { offers: _offers, ...mute } = makeTestNode()
    const cannot = await world.register(world.newUser(mute).device, 'nodeless')
    expect(cannot.json()).toMatchObject({ status: 422, code: 'NODE_CANNOT' })
  })

  test('of 50 claims at once exactly one wins', async () => {
    const users = Array.from({ length: 50 }, () => world.newUser())
    const answers = await Promise.all(users.map(({ device }) => world.register(device, 'wanted')))
    const codes = answers.map((answer) => answer.statusCode)
    expect(codes.filter((code) => code === 202)).toHaveLength(1)
    expect(codes.filter((code) => code === 409)).toHaveLength(49)
    expect(answers.find((answer) => answer.statusCode === 409)!.json()).toMatchObject({ code: 'NAME_TAKEN' })
    const winner = answers.find((answer) => answer.statusCode === 202)!.json()
    await world.jobEnds(winner.id)
  })

  test('a name that looks like a live one is taken', async () => {
    const { id } = (await world.register(world.newUser().device, 'modem1')).json()
    await world.jobEnds(id)
    const twin = await world.register(world.newUser().device, 'modeml')
    expect(twin.json()).toMatchObject({ code: 'NAME_TAKEN' })
  })

  test('beyond the limit of names, also when asked at once', async () => {
    const { device } = world.newUser()
    const answers = await Promise.all(
      ['one-a', 'one-b', 'one-c', 'one-d', 'one-e'].map((user) => world.register(device, user)),
    )
    expect(answers.map((answer) => answer.statusCode).sort()).toEqual([202, 202, 202, 409, 409])
    expect(answers.find((answer) => answer.statusCode === 409)!.json().code).toBe('NAME_LIMIT_REACHED')
  })

  test('jobs, names and pages that are not there', async () => {
    const missing = '00000000-0000-4000-8000-000000000000'
    expect((await world.get(`/v1/jobs/${missing}`)).json()).toMatchObject({ code: 'JOB_NOT_FOUND' })
    expect((await world.get('/v1/jobs/none')).json()).toMatchObject({ code: 'JOB_NOT_FOUND' })
    for (const name of ['nobody@shop.test', 'no@body@shop.test', '..', 'alice']) {
      const answer = await world.get(`/v1/names/${encodeURIComponent(name)}`)
      expect(answer.json()).toMatchObject({ status: 404 })
    }
    const { device } = world.newUser()
    expect((await world.get('/v1/names?owner=me&after=x', device)).json()).toMatchObject({
      code: 'REQUEST_INVALID',
    })
    expect((await world.get('/v1/names?owner=me')).json()).toMatchObject({ code: 'AUTH_REQUIRED' })
  })
})

describe('an owner', () => {
  test('releases a name: the record goes, the offer is disabled, another may have it', async () => {
    const { device, node } = world.newUser()
    const { id } = (await world.register(device, 'passing')).json()
    await world.jobEnds(id)
    const stranger = world.newUser()
    const theft = await world.send('DELETE', '/v1/names/passing@shop.test', stranger.device)
    expect(theft.json()).toMatchObject({ status: 403, code: 'FORBIDDEN' })

    const released = await world.send('DELETE', '/v1/names/passing@shop.test', device)
    expect(released.statusCode).toBe(202)
    await expect.poll(() => recordOf('passing')).toBeUndefined()
    await expect.poll(() => enabledOffers(node)).toEqual([])
    await expect
      .poll(async () => (await world.register(stranger.device, 'passing')).statusCode, { timeout: 5_000 })
      .toBe(202)
    expect((await world.get(`/v1/jobs/${id}`)).json()).toMatchObject({ state: 'succeeded' })
  })

  test('lists names by pages', async () => {
    const { device } = world.newUser()
    const jobs = []
    for (const user of ['first', 'second', 'third']) jobs.push((await world.register(device, user)).json().id)
    await Promise.all(jobs.map(world.jobEnds))
    const one = (await world.get('/v1/names?owner=me&limit=2', device)).json()
    const two = (await world.get(`/v1/names?owner=me&limit=2&after=${one.next}`, device)).json()
    expect([...one.names, ...two.names].map(({ name }) => name)).toEqual([
      'third@shop.test',
      'second@shop.test',
      'first@shop.test',
    ])
    expect(two.next).toBeNull()
  })

  test.each([
    ['/register-dns', 'oldway'],
    ['/register-username', 'olderway'],
  ])('finds the addresses of before: %s', async (url, user) => {
    const { device } = world.newUser()
    const answer = await world.send('POST', url, device, { user, domain: 'shop.test' })
    expect(answer.statusCode).toBe(202)
    await world.jobEnds(answer.json().id)
    expect((await world.get(`/status/${answer.json().id}`)).json()).toMatchObject({ state: 'succeeded' })
    expect((await world.get('/v1/domains')).json()).toEqual({ domains: ['shop.test'] })
  })
})
