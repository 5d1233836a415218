import { decideDomain } from '@holdfast/core/domains/domain-machine'
import type { DomainCommand, DomainState } from '@holdfast/core/domains/domain-states'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Device } from '../identity/testing/identity-world.ts'
import { jobContext } from '../names/testing/job-context.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type DomainsWorld, startDomainsWorld } from './testing/domains-world.ts'

const DAY_MS = 24 * 60 * 60_000
const database = withDatabase()
let world: DomainsWorld
let device: Device

beforeEach(async () => {
  world = await startDomainsWorld(database)
  device = world.newDevice()
})
afterEach(async () => {
  await world.stop()
  await database.queryAsOwner('truncate domain_claim cascade')
  await database.queryAsOwner('truncate name_registration, zone_reconciliation cascade')
})

const stateIs = (state: string, of = device) => world.until(async () => (await world.own(of)).state === state)
const troubleIs = (code: string, of = device) =>
  world.until(async () => (await world.own(of)).trouble?.code === code)
const aliasesAre = (aliases: string) => world.until(async () => (await world.own(device)).aliases === aliases)
const namesAreGone = () =>
  world.until(async () => !(await world.names.holdsNames('merchant.test', database.db)))

/** A claim and `checkNow` have one look each, and the first may already have found what the second looks for. */
const looksHaveEnded = () =>
  expect
    .poll(async () => {
      const { rows } = await sql`
        select task from job_outbox where task = 'domains:check' and coalesce(run_at, now()) <= now()
        union all
        select task_identifier from graphile_worker.jobs
        where task_identifier = 'domains:check' and (run_at <= now() or locked_at is not null)`.execute(
        database.db,
      )
      return rows
    })
    .toEqual([])

/** Claims the domain, shows the challenge and waits until it is seen. */
async function prove(of = device) {
  const claimed = (await world.claim(of)).json()
  world.prove(claimed)
  await world.checkNow(of)
  await stateIs('active', of)
  await looksHaveEnded()
  return claimed
}

describe('a domain of the server’s', () => {
  test('is open to everybody, and has no wildcard', async () => {
    expect(await world.domains.ownerOf('shop.test')).toBeNull()
    expect((await world.register(device, '*', 'shop.test')).json()).toMatchObject({
      code: 'WILDCARD_NOT_YOURS',
    })
    expect((await world.register(device, 'alice', 'shop.test')).statusCode).toBe(202)
  })

  test('that has an owner is for nobody else', async () => {
    world.owners.set('shop.test', device.owner)
    const stranger = world.newDevice()
    for (const user of ['alice', '*'])
      expect((await world.register(stranger, user, 'shop.test')).json()).toMatchObject({ code: 'FORBIDDEN' })
    expect((await world.register(device, '*', 'shop.test')).statusCode).toBe(202)
  })
})

describe('a domain of one’s own', () => {
  test('is claimed, with instructions that say what to put into its DNS', async () => {
    const answer = await world.claim(device, 'Merchant.TEST.')
    expect(answer.statusCode).toBe(202)
    const { domain, state, instructions, expiresAt, createdAt } = answer.json()
    expect([domain, state, expiresAt - createdAt]).toEqual(['merchant.test', 'pending', 7 * DAY_MS])
    const [, label] =
      /^user\._bitcoin-payment\.(d[0-9a-f]{12})\.shop\.test$/.exec(instructions.allNames.value) ?? []
    expect(instructions).toMatchObject({
      challenge: {
        name: '_holdfast-challenge.merchant.test',
        type: 'TXT',
        value: expect.stringMatching(/^holdfast-challenge=[0-9a-f]{32}$/),
      },
      allNames: { name: 'user._bitcoin-payment.merchant.test', type: 'DNAME' },
      eachName: {
        name: '<user>.user._bitcoin-payment.merchant.test',
        type: 'CNAME',
        value: `<user>.user._bitcoin-payment.${label}.shop.test`,
      },
      web: [{ to: '/lnurlp/<user>@merchant.test' }, { to: '/nip05/merchant.test' }],
    })
    expect((await world.claim(device)).json().instructions).toEqual(instructions)
    await troubleIs('DOMAIN_NOT_VERIFIED')
  })

  test('is used only when its challenge is there, and then by its owner only', async () => {
    await world.claim(device)
    await troubleIs('DOMAIN_NOT_VERIFIED')
    expect((await world.register(device, 'alice')).json()).toMatchObject({ code: 'DOMAIN_UNKNOWN' })
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    expect((await world.register(world.newDevice(), 'alice')).json()).toMatchObject({ code: 'FORBIDDEN' })
    const job = await world.jobEnds((await world.register(device, 'alice')).json().id)
    expect(job).toMatchObject({ state: 'succeeded', name: 'alice@merchant.test' })
    expect(await world.names.findActive('alice', 'merchant.test')).toMatchObject({ owner: device.owner })
    expect(await world.domains.ownerOf('merchant.test')).toBe(device.owner)
    expect(await world.domains.ownerOf('shop.test')).toBeNull()
    expect((await world.get('/v1/domains', device)).json()).toEqual({ domains: ['shop.test'] })
  })

  test.each([
    ['is not signed', 'RESOLVE_UNSIGNED', () => void Object.assign(world.merchant, { signed: false })],
    ['does not answer', 'DNS_UNAVAILABLE', () => void Object.assign(world.merchant, { down: true })],
    [
      'shows another challenge',
      'DOMAIN_NOT_VERIFIED',
      () => void world.merchant.txt.set('_holdfast-challenge', ['holdfast-challenge=00']),
    ],
  ])('whose DNS %s is not proven: %s', async (_what, code, spoil) => {
    world.prove((await world.claim(device)).json())
    spoil()
    await world.checkNow(device)
    await troubleIs(code)
    expect((await world.own(device)).state).toBe('pending')
  })

  test('shows the challenge beside others of the same name', async () => {
    const { value } = (await world.claim(device)).json().instructions.challenge
    world.merchant.txt.set('_holdfast-challenge', ['holdfast-challenge=of-another', value])
    await world.checkNow(device)
    await stateIs('active')
  })

  test('leads all its names here by one alias, or each by its own', async () => {
    const { instructions } = await prove()
    expect((await world.own(device)).aliases).toBe('each-name')
    world.merchant.dname = instructions.allNames.value
    await world.checkNow(device)
    await aliasesAre('all-names')
    expect([...world.zone.records.keys()]).toEqual([])

    world.merchant.dname = null
    const lost = await world.jobEnds((await world.register(device, 'bob')).json().id)
    expect(lost).toMatchObject({ state: 'failed', error: { code: 'RESOLVE_NO_SUCH_NAME' } })
    world.merchant.cname.set(
      'bob.user._bitcoin-payment',
      instructions.eachName.value.replace('<user>', 'bob'),
    )
    const found = await world.jobEnds((await world.register(device, 'bob')).json().id)
    expect(found).toMatchObject({ state: 'succeeded' })
    expect([...world.zone.records.keys()]).toEqual([instructions.eachName.value.replace('<user>', 'bob')])
  })

  test('leads all its names here by a delegation, once that is signed', async () => {
    const { instructions } = await prove()
    expect(instructions.delegation).toMatchObject({
      name: 'user._bitcoin-payment.merchant.test',
      ns: ['ns1.shop.test'],
      ds: '/v1/zones/user._bitcoin-payment.merchant.test',
    })
    expect((await world.own(device)).aliases).toBe('each-name')
    // Without DS nothing in it can be proven, so it is not used.
    world.merchant.delegation = 'unsigned'
    const { nextCheckAt } = await world.own(device)
    await world.checkNow(device)
    await world.until(async () => (await world.own(device)).nextCheckAt > nextCheckAt)
    expect((await world.own(device)).aliases).toBe('each-name')

    world.merchant.delegation = 'signed'
    await world.checkNow(device)
    await aliasesAre('delegated')
    expect([...world.zone.records.keys(), ...world.namesZone.records.keys()]).toEqual([])
    const job = await world.jobEnds((await world.register(device, 'gina')).json().id)
    expect(job).toMatchObject({ state: 'succeeded', name: 'gina@merchant.test' })
    expect([...world.namesZone.records.keys()]).toEqual(['gina.user._bitcoin-payment.merchant.test'])
  })

  test.each([
    ['by one alias for all names', 'all-names'],
    ['by an alias for all that have none', 'each-name'],
    ['by a delegation', 'delegated'],
  ])('may have a wildcard, led here %s', async (_, how) => {
    const { instructions } = await prove()
    if (how === 'all-names') world.merchant.dname = instructions.allNames.value
    if (how === 'each-name')
      world.merchant.cname.set('*.user._bitcoin-payment', instructions.eachName.value.replace('<user>', '*'))
    if (how === 'delegated') world.merchant.delegation = 'signed'
    await world.checkNow(device)
    await aliasesAre(how)
    const stranger = world.newDevice()
    expect((await world.register(stranger, '*')).json()).toMatchObject({ code: 'FORBIDDEN' })
    const job = await world.jobEnds((await world.register(device, '*')).json().id)
    expect(job).toMatchObject({ state: 'succeeded', name: '*@merchant.test' })
    const { offer } = (await world.names.findActive('anybody', 'merchant.test')) ?? {}
    const found = await world.resolve('anybody.user._bitcoin-payment.merchant.test', 0)
    expect(found).toMatchObject({ status: 'secure' })
    const values = 'values' in found ? found.values.map((value) => new TextDecoder().decode(value)) : []
    expect(values).toEqual([`bitcoin:?lno=${offer}`])
    await world.send('DELETE', '/v1/names/*@merchant.test', device)
    await namesAreGone()
  })

  test('moves between aliases and a delegation without a name that is missing, and leaves nothing behind', async () => {
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    await world.checkNow(device)
    await aliasesAre('all-names')
    const job = await world.jobEnds((await world.register(device, 'hugo')).json().id)
    expect(job).toMatchObject({ state: 'succeeded' })
    // The delegation takes the place of the alias, before anybody here has looked.
    const before = await world.resolve('hugo.user._bitcoin-payment.merchant.test', 0)
    Object.assign(world.merchant, { delegation: 'signed', dname: null })
    const after = await world.resolve('hugo.user._bitcoin-payment.merchant.test', 0)
    expect([before.status, after.status]).toEqual(['secure', 'secure'])
    expect('values' in after && 'values' in before && after.values).toEqual(
      'values' in before && before.values,
    )
    await world.checkNow(device)
    await aliasesAre('delegated')
    const changed = await world.send('PUT', '/v1/names/hugo@merchant.test', device, {})
    expect(await world.jobEnds(changed.json().id)).toMatchObject({ state: 'succeeded' })
    expect([...world.zone.records.values()]).toEqual([...world.namesZone.records.values()])
    expect(await world.names.reconcileZones()).toMatchObject(
      Array.from({ length: 2 }, () => ({ live: 1, orphaned: { count: 0 }, missing: { count: 0 } })),
    )
    expect((await world.send('DELETE', '/v1/names/hugo@merchant.test', device)).statusCode).toBe(202)
    await namesAreGone()
    expect([...world.zone.records.keys(), ...world.namesZone.records.keys()]).toEqual([])
  })

  test('has its delegated zone compared with its names: one that is missing is put there, ours that is unwanted goes', async () => {
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    const [ida, jan] = await Promise.all(
      ['ida', 'jan'].map(async (user) => world.jobEnds((await world.register(device, user)).json().id)),
    )
    expect([ida, jan]).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }])
    const at = (user: string) => `${user}.user._bitcoin-payment.merchant.test`
    const [ofIda, ofJan] = [world.namesZone.records.get(at('ida')), world.namesZone.records.get(at('jan'))]
    await world.send('DELETE', '/v1/names/jan@merchant.test', device)
    await world.until(() => !world.namesZone.records.has(at('jan')))
    world.namesZone.records.delete(at('ida'))
    world.namesZone.records.set(at('jan'), ofJan ?? '')
    world.namesZone.records.set(at('foreign'), 'bitcoin:?lno=lno1theirs')
    const reports = await world.names.reconcileZones()
    expect(reports.find(({ domain }) => domain === world.namesZone.domain)).toMatchObject({
      missing: { names: ['ida@merchant.test'] },
      orphaned: { names: [at('jan')] },
      foreign: { names: [at('foreign')] },
    })
    await world.until(() => !world.namesZone.records.has(at('jan')) && world.namesZone.records.has(at('ida')))
    expect(world.namesZone.records.get(at('ida'))).toBe(ofIda)
    expect(world.namesZone.records.get(at('foreign'))).toBe('bitcoin:?lno=lno1theirs')
  })

  test('leaves nothing of its looks behind once its claim has ended; until then its next look takes it away', async () => {
    const { instructions } = (await world.claim(device)).json()
    const left = `_holdfast-0.${instructions.allNames.value}`
    world.zone.records.set(left, `${instructions.challenge.value} aliased`)
    const compared = async () => {
      await database.db
        .updateTable('zone_reconciliation')
        .set({ due_at: new Date(0) })
        .execute()
      const reports = await world.names.reconcileZones()
      return reports.find(({ domain }) => domain === 'shop.test')
    }
    expect(await compared()).toMatchObject({ orphaned: { count: 0 } })
    expect(world.zone.records.has(left)).toBe(true)
    await world.send('DELETE', '/v1/domains/mine/merchant.test', device)
    expect(await compared()).toMatchObject({ orphaned: { names: [left] } })
    expect(world.zone.records.has(left)).toBe(false)
  })

  test('leaves no record of its names behind once its claim has ended, in neither zone', async () => {
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    const { id } = (await world.register(device, 'erin')).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
    const [hosted, delegated] = [
      `erin.${instructions.allNames.value}`,
      'erin.user._bitcoin-payment.merchant.test',
    ]
    const value = world.zone.records.get(hosted) ?? ''
    await world.send('DELETE', '/v1/names/erin@merchant.test', device)
    await namesAreGone()
    await world.send('DELETE', '/v1/domains/mine/merchant.test', device)
    // As a write that comes late would.
    world.zone.records.set(hosted, value)
    world.namesZone.records.set(delegated, value)
    const foreign = hosted.replace('erin', 'foreign')
    world.zone.records.set(foreign, value)

    const reports = await world.names.reconcileZones()
    expect(reports.find(({ domain }) => domain === 'shop.test')).toMatchObject({
      orphaned: { names: [hosted] },
      foreign: { names: [foreign] },
    })
    expect(reports.find(({ domain }) => domain === world.namesZone.domain)).toMatchObject({
      orphaned: { names: [delegated] },
    })
    expect([...world.zone.records.keys(), ...world.namesZone.records.keys()]).toEqual([foreign])
  })

  describe('whose claim has ended', () => {
    /** Of a name that has ended with its domain: where its record stood, and a job that a crash had cut short. */
    async function nameOfTheEnded() {
      const { instructions } = await prove()
      world.merchant.dname = instructions.allNames.value
      const { id } = (await world.register(device, 'erin')).json()
      expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
      const hosted = `erin.${instructions.allNames.value}`
      const delegated = 'erin.user._bitcoin-payment.merchant.test'
      const value = world.zone.records.get(hosted) ?? ''
      await world.send('DELETE', '/v1/names/erin@merchant.test', device)
      await namesAreGone()
      await world.send('DELETE', '/v1/domains/mine/merchant.test', device)
      const offer = value.slice('bitcoin:?lno='.length)
      /** It has published; the process died before it could say so, and now the job runs again. */
      const comesLate = async () => {
        world.zone.records.set(hosted, value)
        world.namesZone.records.set(delegated, value)
        const publish = { id, serial: 1, offer, replaces: [] }
        await world.names.tasks['names:publish-record']!(publish, jobContext)
      }
      const records = () => [...world.zone.records.keys(), ...world.namesZone.records.keys()]
      return { comesLate, records, hosted }
    }

    test('has what comes late of its names withdrawn where they lived, and then nothing is tried any more', async () => {
      const { comesLate, records } = await nameOfTheEnded()
      await comesLate()
      await namesAreGone()
      expect(records()).toEqual([])
      expect(await world.names.reconcile()).toBe(0)
    })

    test('has it withdrawn as soon as that zone takes changes', async () => {
      const { comesLate, records, hosted } = await nameOfTheEnded()
      world.zone.broken = 'unavailable'
      await comesLate()
      await world.until(async () => (await world.names.holdsNames('merchant.test', database.db)) === true)
      expect(records()).toContain(hosted)
      world.zone.broken = null
      await namesAreGone()
      expect(records()).toEqual([])
    })

    test('and that is another’s now: what comes late goes, and nothing of the other’s', async () => {
      const { comesLate, records, hosted } = await nameOfTheEnded()
      const other = world.newDevice()
      const { instructions } = await prove(other)
      world.merchant.dname = instructions.allNames.value
      const { id } = (await world.register(other, 'ida')).json()
      expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
      const theirs = records()
      await comesLate()
      await world.until(() => !records().includes(hosted))
      await world.until(async () => (await world.names.reconcile()) === 0)
      expect(records()).toEqual(theirs)
    })
  })

  test('lapses when its challenge is gone for three days, and what it holds goes on', async () => {
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    const job = await world.jobEnds((await world.register(device, 'carol')).json().id)
    expect(job).toMatchObject({ state: 'succeeded' })
    world.merchant.txt.clear()
    world.time.shiftMs = 3 * DAY_MS
    await world.checkNow(device)
    await stateIs('lapsed')
    expect((await world.register(device, 'dave')).json()).toMatchObject({ code: 'DOMAIN_NOT_VERIFIED' })
    expect((await world.send('DELETE', '/v1/names/carol@merchant.test', device)).statusCode).toBe(202)
    await namesAreGone()
    expect([...world.zone.records.keys()]).toEqual([])
    world.prove({ instructions })
    await world.checkNow(device)
    await stateIs('active')
  })

  test('is one key’s at a time, and the other’s once the first has given it up', async () => {
    await prove()
    const other = world.newDevice()
    world.prove((await world.claim(other)).json())
    await world.checkNow(other)
    await troubleIs('DOMAIN_TAKEN', other)
    await looksHaveEnded()
    expect((await world.send('DELETE', '/v1/domains/mine/Merchant.test', device)).json()).toMatchObject({
      state: 'ended',
    })
    expect((await world.register(device, 'late')).json()).toMatchObject({ code: 'DOMAIN_UNKNOWN' })
    await world.checkNow(other)
    await stateIs('active', other)
    expect(await world.own(device)).toMatchObject({ code: 'DOMAIN_NOT_FOUND' })
  })

  test('that has changed hands goes to who proves it, once the first has lapsed and has no names in it', async () => {
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    const job = await world.jobEnds((await world.register(device, 'frank')).json().id)
    expect(job).toMatchObject({ state: 'succeeded' })
    const other = world.newDevice()
    world.prove((await world.claim(other)).json())
    world.time.shiftMs = 3 * DAY_MS
    await world.checkNow(device)
    await stateIs('lapsed')
    await world.checkNow(other)
    await troubleIs('DOMAIN_TAKEN', other)
    await looksHaveEnded()
    await world.send('DELETE', '/v1/names/frank@merchant.test', device)
    await namesAreGone()
    await world.checkNow(other)
    await stateIs('active', other)
    expect(await world.own(device)).toMatchObject({ code: 'DOMAIN_NOT_FOUND' })
  })

  test('is not given up while there are names in it', async () => {
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    const job = await world.jobEnds((await world.register(device, 'erin')).json().id)
    expect(job).toMatchObject({ state: 'succeeded' })
    const remove = () => world.send('DELETE', '/v1/domains/mine/merchant.test', device)
    expect((await remove()).json()).toMatchObject({ code: 'DOMAIN_IN_USE' })
    await world.send('DELETE', '/v1/names/erin@merchant.test', device)
    await namesAreGone()
    expect((await remove()).statusCode).toBe(202)
  })

  test('is not given up while the record of a name that has ended may still stand in it', async () => {
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    const { id } = (await world.register(device, 'erin')).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
    const value = world.zone.records.get(`erin.${instructions.allNames.value}`) ?? ''
    await world.send('DELETE', '/v1/names/erin@merchant.test', device)
    await namesAreGone()
    // A job that a crash has cut short runs again: whether it has published before, nobody knows.
    world.zone.broken = 'unavailable'
    const publish = { id, serial: 1, offer: value.slice('bitcoin:?lno='.length), replaces: [] }
    await world.names.tasks['names:publish-record']!(publish, jobContext)
    const remove = () => world.send('DELETE', '/v1/domains/mine/merchant.test', device)
    expect((await remove()).json()).toMatchObject({ code: 'DOMAIN_IN_USE' })
    world.zone.broken = null
    await namesAreGone()
    expect((await remove()).statusCode).toBe(202)
  })

  test('is not given up while a name is being registered in it', async () => {
    await prove()
    await database.transact(async (tx) => {
      expect(await world.domains.mayRegister('merchant.test', device.owner, tx.db)).toBeNull()
      const giveUp = sql`select from domain_claim for update nowait`.execute(database.db)
      await expect(giveUp).rejects.toThrow('could not obtain lock')
    })
  })

  test.each(['localhost', 'shop.test', 'eu.shop.test', 'no_such.test', 'ünicode.test', 'a..test', ''])(
    'cannot be %j',
    async (domain) => {
      expect((await world.claim(device, domain)).json()).toMatchObject({ code: 'DOMAIN_INVALID' })
    },
  )

  test('is one of as many as a key may have', async () => {
    await world.claim(device, 'one.test')
    await world.claim(device, 'two.test')
    expect((await world.claim(device, 'three.test')).json()).toMatchObject({ code: 'DOMAIN_LIMIT_REACHED' })
    const mine = (await world.get('/v1/domains/mine', device)).json()
    expect(mine.domains.map(({ domain }: { domain: string }) => domain)).toEqual(['one.test', 'two.test'])
  })

  test('belongs to whom it belongs: others see nothing of it', async () => {
    await world.claim(device)
    const other = world.newDevice()
    expect(await world.own(other)).toMatchObject({ code: 'DOMAIN_NOT_FOUND' })
    expect((await world.checkNow(other)).json()).toMatchObject({ code: 'DOMAIN_NOT_FOUND' })
    expect((await world.app.inject({ url: '/v1/domains/mine' })).json()).toMatchObject({
      code: 'AUTH_REQUIRED',
    })
  })
})

describe('what stands behind it', () => {
  test('another process takes over what was proven', async () => {
    await prove()
    const other = world.makeDomains()
    expect(other.zones.has('merchant.test')).toBe(false)
    await other.sweep()
    expect(other.zones.has('merchant.test')).toBe(true)
    expect(await other.mayRegister('merchant.test', device.owner, database.db)).toBeNull()
  })

  test('a claim whose job was lost is looked at again', async () => {
    await world.claim(device)
    await troubleIs('DOMAIN_NOT_VERIFIED')
    await database.queryAsOwner('delete from graphile_worker._private_jobs')
    world.prove((await world.claim(device)).json())
    world.time.shiftMs = 2 * 60_000
    expect(await world.domains.sweep()).toBe(1)
    await stateIs('active')
  })

  test('a zone of ours that takes no probe for a moment changes nothing of how the names are led here', async () => {
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    await world.checkNow(device)
    await aliasesAre('all-names')
    world.zone.broken = 'unavailable'
    const { verifiedAt } = await world.own(device)
    await world.checkNow(device)
    await world.until(async () => (await world.own(device)).verifiedAt > verifiedAt)
    expect((await world.own(device)).aliases).toBe('all-names')
    world.zone.broken = null
  })

  test('two checks at once do not take each other’s probe away', async () => {
    const { instructions } = await prove()
    world.merchant.dname = instructions.allNames.value
    await Promise.all([world.checkNow(device), world.checkNow(device)])
    await aliasesAre('all-names')
    await world.until(() => world.zone.records.size === 0)
  })

  test('the probe that a crash left behind is gone after the next check', async () => {
    const { instructions } = await prove()
    world.zone.failures = ['lost', 'unavailable']
    await world.checkNow(device)
    await world.until(() => world.zone.failures.length === 0)
    expect([...world.zone.records.keys()]).toHaveLength(1)
    world.merchant.dname = instructions.allNames.value
    await world.checkNow(device)
    await aliasesAre('all-names')
    expect([...world.zone.records.keys()]).toEqual([])
  })

  test('the journal gives the state again, and holds nothing but what happened', async () => {
    await prove()
    const row = await database.db
      .selectFrom('domain_claim')
      .selectAll()
      .where('owner', '=', device.owner)
      .executeTakeFirstOrThrow()
    const entries = await database.db
      .selectFrom('journal')
      .select(['data', 'at'])
      .where('entity_id', '=', row.id)
      .orderBy('seq')
      .execute()
    const replayed = entries.reduce<DomainState | null>((state, { data, at }) => {
      const { command } = data as unknown as { command: DomainCommand }
      const decided = decideDomain(state, command, at.getTime())
      return 'state' in decided ? decided.state : state
    }, null)
    expect(replayed).toEqual(row.state)
  })

  test('the database keeps the terms, and one proven owner a domain', async () => {
    await prove()
    const change = (sql: string) => database.queryAsOwner(sql)
    await expect(change(`update domain_claim set label = 'dother0000000'`)).rejects.toThrow(
      /may not change|check/,
    )
    await expect(
      change(`update domain_claim set phase = 'pending', state = jsonb_set(state, '{phase}', '"pending"')`),
    ).rejects.toThrow(/may not go from active to pending/)
  })
})
