import type { NameState } from '@holdfast/core/names/name-states'
import { pendingEffects } from '@holdfast/core/names/pending-effects'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Device, newDevice } from '../identity/testing/identity-world.ts'
import { enabledOffers, makeTestNode, type TestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { FAULTS, type Fault, FaultyCalls, spoilNode, spoilZone } from './testing/faulty-edge.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

/** The stories of one saga each; every call at an edge is made to fail in every way. */
const SAGAS = [
  'register',
  'rotate',
  'transfer',
  'suspend',
  'resume',
  'release',
  'republish',
  'give up a registration',
  'suspend a change',
] as const
type Saga = (typeof SAGAS)[number]

type Story = {
  readonly user: string
  readonly owner: { device: Device; node: TestNode }
  readonly heir: { device: Device; node: TestNode }
  readonly faulty: FaultyCalls
}

const SLOW_MS = 120_000
const DAY_MS = 24 * 60 * 60_000
const NONE = { count: 0, names: [] }

const database = withDatabase()
const operator = newDevice()
let world: SlicesWorld
let stories = 0

beforeAll(async () => {
  world = await startSlicesWorld(database, {
    operators: [operator.owner],
    concurrency: 64,
    rules: { quarantineMs: 0 },
  })
})
afterAll(() => world.stop())

function newStory(name: string): Story {
  const user = `${name.replaceAll(' ', '-')}${stories++}`
  const faulty = new FaultyCalls()
  spoilZone(world.zone, recordName({ user, domain: 'shop.test' }), faulty)
  const newUser = () => world.newUser(spoilNode(makeTestNode(), faulty))
  return { user, owner: newUser(), heir: newUser(), faulty }
}

function register({ owner, user }: Story, more: { offer?: string } = {}) {
  return world.insist('POST', '/v1/names', owner.device, { user, domain: 'shop.test', ...more })
}

/** The saga with this fault in it, until the job or the phase says that it has ended. */
async function play(story: Story, saga: Saga, fault: { call: number; fault: Fault } | null): Promise<void> {
  const { owner, heir, user, faulty } = story
  const url = `/v1/names/${user}@shop.test`
  const ends = async (answer: { json(): { id: string } }) => {
    for (;;) {
      const job = await world.jobEnds(answer.json().id)
      if (job.state !== 'running') return job
    }
  }
  if (saga !== 'register' && saga !== 'give up a registration') {
    expect(await ends(await register(story))).toMatchObject({ state: 'succeeded' })
  }
  if (saga === 'transfer')
    await world.insist('PUT', `${url}/transfer`, owner.device, { to: heir.device.owner })
  if (saga === 'resume') {
    await world.insist('POST', `${url}/suspend`, operator)
    await becomes(user, 'suspended')
  }
  faulty.arm(fault)
  switch (saga) {
    case 'register':
      return void (await ends(await register(story)))
    case 'rotate':
      return void (await ends(await world.insist('PUT', url, owner.device, {})))
    case 'transfer':
      return void (await ends(await world.insist('POST', `${url}/transfer/accept`, heir.device, {})))
    case 'resume':
      return void (await ends(await world.insist('POST', `${url}/resume`, operator)))
    case 'suspend':
      await world.insist('POST', `${url}/suspend`, operator)
      return becomes(user, 'suspended')
    case 'release':
      await world.insist('DELETE', url, owner.device)
      return becomes(user, 'freed')
    case 'give up a registration':
      await register(story)
      await reachesPublishing(faulty)
      await world.insist('DELETE', url, owner.device)
      return becomes(user, 'freed')
    case 'suspend a change':
      await world.insist('PUT', url, owner.device, {})
      await reachesPublishing(faulty)
      await world.insist('POST', `${url}/suspend`, operator)
      return becomes(user, 'suspended')
    case 'republish':
      // As a hand in the zone, or a secondary's old copy, may do it.
      world.zone.records.delete(recordName({ user, domain: 'shop.test' }))
      await compareNow()
  }
}

async function stateOf(user: string): Promise<NameState> {
  const row = await database.db
    .selectFrom('name_registration')
    .select('state')
    .where('user_part', '=', user)
    .executeTakeFirstOrThrow()
  return row.state
}

function liveOffer(state: NameState): string | null {
  return state.phase === 'active' ? state.live.offer : null
}

async function reachesPublishing(faulty: FaultyCalls): Promise<void> {
  await expect.poll(() => faulty.calls, { timeout: SLOW_MS, interval: 20 }).toContain('publish')
}

async function becomes(user: string, phase: NameState['phase']): Promise<void> {
  await expect.poll(async () => (await stateOf(user)).phase, { timeout: SLOW_MS, interval: 200 }).toBe(phase)
}

async function compareNow() {
  await database.db
    .updateTable('zone_reconciliation')
    .set({ due_at: new Date(0) })
    .execute()
  const [report] = await world.names.reconcileZones()
  return report
}

/** Time passes until nothing waits to be done any more. */
async function comeToRest(): Promise<void> {
  const waiting = async () => {
    const rows = await database.db.selectFrom('name_registration').select('state').execute()
    return rows.filter(({ state }) => pendingEffects(state).length > 0).map(({ state }) => state.user)
  }
  const passes = async () => {
    world.time.shiftMs += 130_000
    await world.names.sweep()
    return waiting()
  }
  await expect.poll(passes, { timeout: SLOW_MS, interval: 500 }).toEqual([])
}

/** What must stand in the zone, and which offers may be payable, is what the state says, and nothing else. */
async function expectNothingOrphaned({ user, owner, heir }: Story): Promise<void> {
  const state = await stateOf(user)
  const live = state.phase === 'active' ? state.live : null
  const kept = state.phase === 'suspended' ? state.keep : live
  expect(['active', 'suspended', 'freed'], user).toContain(state.phase)
  const name = recordName({ user, domain: 'shop.test' })
  expect(world.zone.records.get(name), user).toBe(live ? recordValue(live.offer) : undefined)
  expect([...enabledOffers(owner.node), ...enabledOffers(heir.node)], user).toEqual(kept ? [kept.offer] : [])
}

/** Names whose offers expire, and what the clock alone begins with them. */
const EXPIRING = [
  { saga: 'renewal', brought: false, afterMs: 25 * DAY_MS, becomes: 'active' },
  { saga: 'end', brought: true, afterMs: 31 * DAY_MS, becomes: 'freed' },
] as const
type Expiring = (typeof EXPIRING)[number]

async function registerExpiring({ saga, brought }: Expiring): Promise<Story> {
  const story = newStory(`expiry-${saga}`)
  const { owner, user } = story
  owner.node.offersExpireAt = Date.now() + 31 * DAY_MS
  const offerId = `brought by ${user}`
  const offer = brought ? await owner.node.offers?.create({ offerId }) : undefined
  const { id } = (await register(story, { ...offer })).json()
  if (offer) await owner.node.offers?.disable(offerId)
  expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
  owner.node.offersExpireAt = Date.now() + 90 * DAY_MS
  return story
}

describe('a fault at any call of any saga leaves nothing orphaned', () => {
  test.each(EXPIRING)(
    'also when the clock begins it: the $saga of an offer that expires',
    { timeout: 2 * SLOW_MS },
    async (expiring) => {
      const play = async (stories: readonly Story[]) => {
        world.time.shiftMs = expiring.afterMs
        await comeToRest()
        for (const story of stories) {
          await Promise.all(story.faulty.late)
          expect((await stateOf(story.user)).phase, story.user).toBe(expiring.becomes)
        }
        await compareNow()
        await comeToRest()
        expect(await compareNow()).toMatchObject({ orphaned: NONE, foreign: NONE, missing: NONE, busy: 0 })
        world.time.shiftMs = 0
        for (const story of stories) await expectNothingOrphaned(story)
      }
      const model = await registerExpiring(expiring)
      const offer = liveOffer(await stateOf(model.user))
      model.faulty.arm(null)
      await play([model])
      expect(liveOffer(await stateOf(model.user))).not.toBe(offer)
      expect(model.faulty.calls.length).toBeGreaterThan(0)

      const stories: Story[] = []
      for (const call of model.faulty.calls.keys())
        for (const fault of FAULTS) {
          const story = await registerExpiring(expiring)
          story.faulty.arm({ call, fault })
          stories.push(story)
        }
      await play(stories)
    },
  )

  test('in the zone or at a node, by the word of the reconciler, too', { timeout: 2 * SLOW_MS }, async () => {
    const played = await Promise.all(
      SAGAS.map(async (saga) => {
        const story = newStory(saga)
        await play(story, saga, null)
        return { saga, story }
      }),
    )
    await comeToRest()
    world.time.shiftMs = 0
    const cases = played.flatMap(({ saga, story: { faulty } }) => {
      expect(faulty.calls.length, saga).toBeGreaterThan(0)
      return faulty.calls.flatMap((_, call) => FAULTS.map((fault) => ({ saga, call, fault })))
    })
    // As many kinds of calls as the sagas make must have been among them.
    const kinds = new Set(played.flatMap(({ story: { faulty } }) => faulty.calls))
    expect([...kinds].sort()).toEqual(['authoritative', 'create', 'disable', 'publish', 'withdraw'])

    const all = cases.map((one) => ({ ...one, story: newStory(one.saga) }))
    await Promise.all(all.map(({ story, saga, ...fault }) => play(story, saga, fault)))
    await Promise.all(all.flatMap(({ story }) => story.faulty.late))
    await comeToRest()

    const first = await compareNow()
    expect(first).toMatchObject({ foreign: NONE, busy: 0 })
    await comeToRest()
    expect(await compareNow()).toMatchObject({ orphaned: NONE, foreign: NONE, missing: NONE, busy: 0 })
    for (const { story } of [...played, ...all]) await expectNothingOrphaned(story)
    // What is done when nobody waits for it any more is all that only the reconciler can see.
    const late = all.filter(({ fault }) => fault === 'late').map(({ story }) => story.user)
    const mended = [...(first?.orphaned.names ?? []), ...(first?.missing.names ?? [])]
    expect(
      mended.filter(
        (name) => !late.some((user) => name.startsWith(`${user}.`) || name.startsWith(`${user}@`)),
      ),
    ).toEqual([])
  })
})
