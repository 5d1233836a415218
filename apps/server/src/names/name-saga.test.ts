import type { JsonObject } from '@holdfast/core'
import type { NameCommand } from '@holdfast/core/names/name-commands'
import { replayName } from '@holdfast/core/names/name-machine'
import { pendingEffects } from '@holdfast/core/names/pending-effects'
import { encodeOffer } from '@holdfast/protocols/bolt12'
import { chainHashOf } from '@holdfast/protocols/network'
import { publicKey } from '@holdfast/protocols/testing/points'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { enabledOffers } from '../nodes/testing/test-node.ts'
import { readEntity } from '../platform/journal/read-entries.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { findName } from './name-store.ts'
import { jobContext } from './testing/job-context.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const database = withDatabase()
const DAY_MS = 86_400_000
let world: SlicesWorld

// No worker: each test runs the jobs itself, in the order that it wants to prove.
beforeAll(async () => {
  world = await startSlicesWorld(database, { worker: false })
})
afterAll(() => world.stop())

/** The job of the effect that the name waits for now. */
async function jobFor(kind: string, id: string): Promise<JsonObject> {
  const effect = pendingEffects((await findName(database.db, id))!).find((each) => each.kind === kind)
  if (!effect) throw new Error(`${id} waits for no ${kind}`)
  return { id, ...effect } as JsonObject
}
const runJob = (kind: string, job: JsonObject) => world.tasks[`names:${kind}`]!(job, jobContext)
const run = async (kind: string, id: string) => {
  const job = await jobFor(kind, id)
  await runJob(kind, job)
  return job
}
const phaseOf = async (id: string) => (await findName(database.db, id))!.phase
const FORWARD = ['make-offer', 'publish-record', 'check-authoritative', 'validate-chain']

async function claim(user: string, more: JsonObject = {}) {
  const owner = world.newUser()
  const { id } = (await world.register(owner.device, user, more)).json()
  return { ...owner, id, record: `${user}.user._bitcoin-payment.shop.test` }
}

const release = (owner: Awaited<ReturnType<typeof claim>>, user: string) =>
  world.send('DELETE', `/v1/names/${user}@shop.test`, owner.device)

/** The tasks of the jobs with this key, whether the worker has them yet or not. */
async function jobsOf(key: string): Promise<string[]> {
  const { rows } = await sql<{ task: string }>`
    select task from job_outbox where key = ${key}
    union all select task_identifier from graphile_worker.jobs where key = ${key}`.execute(database.db)
  return rows.map(({ task }) => task)
}

async function loseJob(key: string): Promise<void> {
  await sql`delete from job_outbox where key = ${key}`.execute(database.db)
  await sql`select graphile_worker.remove_job(${key})`.execute(database.db)
}

test('a name is rebuilt from its journal', async () => {
  const owner = await claim('rebuilt')
  for (const effect of FORWARD) await run(effect, owner.id)
  await release(owner, 'rebuilt')
  await run('settle-record', owner.id)
  await run('disable-offer', owner.id)
  const entries = await database.db
    .selectFrom('journal')
    .select(['data', 'at', 'kind'])
    .where('stream', '=', 'name')
    .where('entity_id', '=', owner.id)
    .orderBy('seq')
    .execute()
  expect(entries.map(({ kind }) => kind)).toEqual([
    'name.register',
    'name.offer-made',
    'name.record-published',
    'name.record-seen',
    'name.chain-validated',
    'name.release',
    'name.record-settled',
    'name.offer-disabled',
  ])
  const history = entries.map(({ data, at }) => ({
    command: data.command as unknown as NameCommand,
    at: at.getTime(),
  }))
  expect(replayName(history)).toEqual(await findName(database.db, owner.id))
})

describe('a job that runs again', () => {
  test('after it was reported changes nothing', async () => {
    const owner = await claim('twice')
    const jobs: [string, JsonObject][] = []
    for (const effect of FORWARD) {
      const job = await run(effect, owner.id)
      jobs.push([effect, job])
      await runJob(effect, job)
    }
    expect(await phaseOf(owner.id)).toBe('active')
    for (const [effect, job] of jobs) await runJob(effect, job)
    await runJob('disable-offer', { id: owner.id, serial: 77, no: 0, owner: owner.device.owner })
    expect(await phaseOf(owner.id)).toBe('active')
    expect([enabledOffers(owner.node).length, world.zone.records.has(owner.record)]).toEqual([1, true])
  })

  test('for a registration that is not there, or of an earlier version, does nothing', async () => {
    const id = '00000000-0000-4000-8000-000000000000'
    const before = new Map(world.zone.records)
    await runJob('validate-chain', { id, serial: 0, offer: 'lno1' })
    await runJob('publish-record', { id, attempt: 0 })
    await runJob('wake', { id })
    expect(await readEntity(database.db, 'name', id)).toEqual([])
    expect(world.zone.records).toEqual(before)
  })
})

describe('a record that was published while it was withdrawn', () => {
  test('is withdrawn once more before the name is free', async () => {
    const owner = await claim('overtaken')
    await run('make-offer', owner.id)
    const publishing = await jobFor('publish-record', owner.id)
    await release(owner, 'overtaken')
    const withdrawing = await jobFor('settle-record', owner.id)
    // The interrupted run of the publication reaches the zone only now, and its job is run again.
    world.zone.records.set(owner.record, `bitcoin:?lno=${publishing.offer}`)
    await runJob('publish-record', publishing)
    await runJob('settle-record', withdrawing)
    expect(await phaseOf(owner.id)).toBe('withdrawing')
    await run('settle-record', owner.id)
    expect(await phaseOf(owner.id)).toBe('freed')
    expect(world.zone.records.has(owner.record)).toBe(false)
  })

  test('even after the name was freed, is withdrawn; the next claimant’s record is not', async () => {
    const owner = await claim('handover')
    await run('make-offer', owner.id)
    const publishing = await jobFor('publish-record', owner.id)
    await release(owner, 'handover')
    await run('settle-record', owner.id)
    await run('disable-offer', owner.id)
    expect(await phaseOf(owner.id)).toBe('freed')

    world.zone.records.set(owner.record, `bitcoin:?lno=${publishing.offer}`)
    await runJob('publish-record', publishing)
    expect(await jobsOf(`name:${owner.id}:settle-record`)).toHaveLength(1)
    const withdrawing = await run('settle-record', owner.id)
    expect(world.zone.records.has(owner.record)).toBe(false)

    const next = await claim('handover')
    for (const effect of FORWARD) await run(effect, next.id)
    expect(await phaseOf(next.id)).toBe('active')
    await runJob('settle-record', withdrawing)
    expect(world.zone.records.has(next.record)).toBe(true)
  })

  test('of an offer that the next claim brings again, stays', async () => {
    const { offer } = await world.newUser().node.offers!.create({ offerId: 'elsewhere' })
    const owner = await claim('again', { offer })
    const publishing = await jobFor('publish-record', owner.id)
    await release(owner, 'again')
    await run('settle-record', owner.id)
    const again = (await world.register(owner.device, 'again', { offer })).json()
    for (const effect of FORWARD.slice(1)) await run(effect, again.id)
    await runJob('publish-record', publishing)
    await run('settle-record', owner.id)
    expect(world.zone.records.has(owner.record)).toBe(true)
  })
})

test('the sweeper goes on with a registration whose job was lost', async () => {
  const owner = await claim('forgotten')
  expect(await world.names.sweep()).toBe(0)
  world.time.shiftMs = 120_000
  await loseJob(`name:${owner.id}:make-offer`)
  expect(await world.names.sweep()).toBeGreaterThan(0)
  await loseJob(`name:${owner.id}:make-offer`)
  expect(await world.names.sweep()).toBe(0)
  world.time.shiftMs = 240_000
  expect(await world.names.sweep()).toBeGreaterThan(0)
  expect(await jobsOf(`name:${owner.id}:make-offer`)).toEqual(['names:make-offer'])

  world.time.shiftMs = 11 * 60_000
  await world.tasks['names:wake']!({ id: owner.id }, jobContext)
  expect((await world.get(`/v1/jobs/${owner.id}`)).json()).toMatchObject({
    state: 'failed',
    error: { code: 'NAME_TIMED_OUT' },
  })
  world.time.shiftMs = 0
})

test('one that cannot be looked at keeps nobody else waiting, and is told of', async () => {
  const [broken, fine] = [await claim('unreadable'), await claim('readable')]
  await sql`update name_registration set state = state - 'retiring', look_at = now() - interval '1 day'
    where id = ${broken.id}`.execute(database.db)
  await loseJob(`name:${fine.id}:make-offer`)
  world.time.shiftMs = 400_000
  await expect(world.names.sweep()).rejects.toThrow(/1 of \d+ names were passed over/)
  expect(await jobsOf(`name:${fine.id}:make-offer`)).toHaveLength(1)
  await sql`delete from name_registration where id = ${broken.id}`.execute(database.db)
  world.time.shiftMs = 0
})

test('an offer that expires is made anew by its node in time; who knows the name notices nothing', async () => {
  const owner = await claim('renewing')
  const expiresAt = world.time.shiftMs + Date.now() + 60 * DAY_MS
  // A node that makes offers of 60 days.
  const create = owner.node.offers!.create
  owner.node.offers!.create = async ({ offerId }) => {
    const offer = encodeOffer({
      chains: [chainHashOf('regtest')],
      issuerId: publicKey(7),
      metadata: Buffer.from(offerId).toString('hex'),
      absoluteExpirySeconds: BigInt(Math.ceil(expiresAt / 1000)),
    }).text
    owner.node.offersMade.set(offerId, { offerId, offer, enabled: true, createdAt: 0 })
    return { offer }
  }
  for (const effect of FORWARD) await run(effect, owner.id)
  const first = world.zone.records.get(owner.record)
  owner.node.offers!.create = create

  world.time.shiftMs = 52 * DAY_MS
  await runJob('wake', { id: owner.id })
  expect(await phaseOf(owner.id)).toBe('active')
  world.time.shiftMs = 53.5 * DAY_MS
  await runJob('wake', { id: owner.id })
  for (const effect of FORWARD) {
    expect((await world.get('/v1/names/renewing@shop.test')).json()).toMatchObject({ state: 'active' })
    await run(effect, owner.id)
  }
  await run('disable-offer', owner.id)
  world.time.shiftMs = 0
  const [offer] = enabledOffers(owner.node)
  expect(world.zone.records.get(owner.record)).toBe(`bitcoin:?lno=${offer}`)
  expect(world.zone.records.get(owner.record)).not.toBe(first)
  expect((await world.get(`/v1/jobs/${owner.id}`)).json()).toMatchObject({ state: 'succeeded' })
  const { rows } = await sql<{ actor: string; command: string }>`
    select actor, data ->> 'phase' as command from journal
    where entity_id = ${owner.id} and kind = 'name.time-passed'`.execute(database.db)
  expect(rows).toEqual([{ actor: 'system', command: 'requested' }])
})

describe('the table guards, too', () => {
  const change = (id: string, set: ReturnType<typeof sql>) =>
    sql`update name_registration set ${set} where id = ${id}`.execute(database.db)

  test('a phase does not go backwards or skip', async () => {
    const { id } = await claim('guarded')
    for (const phase of ['published', 'seen', 'restoring', 'suspended']) {
      const set = sql`phase = ${phase}, state = jsonb_set(state, '{phase}', to_jsonb(${phase}::text))`
      await expect(change(id, set)).rejects.toThrow(/may not go from requested/)
    }
  })

  test('terms do not change, and state and columns say the same', async () => {
    const { id } = await claim('fixed')
    const other = 'cc'.repeat(32)
    const set = sql`owner = ${other}, state = jsonb_set(state, '{owner}', to_jsonb(${other}::text))`
    await expect(change(id, set)).rejects.toThrow(/terms/)
    await expect(change(id, sql`phase = 'offer-ready'`)).rejects.toThrow(/check constraint/)
  })
})
