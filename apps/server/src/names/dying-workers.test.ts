import type { JsonObject } from '@holdfast/core'
import type { NameState } from '@holdfast/core/names/name-states'
import { pendingEffects } from '@holdfast/core/names/pending-effects'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDevice } from '../identity/testing/identity-world.ts'
import { enabledOffers, type TestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { makeNameTasks } from './name-effects.ts'
import { findName } from './name-store.ts'
import { jobContext } from './testing/job-context.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const database = withDatabase()
const operator = newDevice()
let world: SlicesWorld
let counter = 0

// No worker: the test itself runs each job, and lets the process die when the effect has happened.
beforeAll(async () => {
  world = await startSlicesWorld(database, { worker: false, operators: [operator.owner] })
})
afterAll(() => world.stop())

const DAY_MS = 24 * 60 * 60_000

class Died extends Error {}

/** A name, those who have to do with it, and what they do with it in this story. */
class Story {
  readonly #user: string
  readonly #owner = world.newUser()
  readonly #heir = world.newUser()
  readonly #nodes = new Map<string, TestNode>(
    [this.#owner, this.#heir].map(({ device, node }) => [device.owner, node]),
  )
  #id = ''

  constructor() {
    // Letters only: digits would look alike.
    this.#user = `n${[...`${++counter}`].map((digit) => 'abcdefghij'[Number(digit)]).join('')}x`
  }

  async register({ brought = false } = {}): Promise<void> {
    const { device, node } = this.#owner
    const offer = brought ? await node.offers?.create({ offerId: `brought by ${this.#user}` }) : undefined
    this.#id = (await world.register(device, this.#user, { ...offer })).json().id
    if (offer) await node.offers?.disable(`brought by ${this.#user}`)
  }

  /** The offers of the owner's node live as long as the rules ask for, and a day more. */
  offersExpire(): void {
    this.#owner.node.offersExpireAt = Date.now() + 31 * DAY_MS
  }

  async ask(what: 'rotate' | 'transfer' | 'suspend' | 'resume' | 'release'): Promise<void> {
    const path = `/v1/names/${this.#user}@shop.test`
    const { device } = this.#owner
    switch (what) {
      case 'rotate':
        return void (await world.send('PUT', path, device, {}))
      case 'transfer':
        await world.send('PUT', `${path}/transfer`, device, { to: this.#heir.device.owner })
        return void (await world.send('POST', `${path}/transfer/accept`, this.#heir.device, {}))
      case 'suspend':
      case 'resume':
        return void (await world.send('POST', `${path}/${what}`, operator))
      case 'release':
        return void (await world.send('DELETE', path, device))
    }
  }

  /** The name is woken when so much time has passed. */
  async pass(ms: number): Promise<void> {
    world.time.shiftMs = ms
    await world.tasks['names:wake']!({ id: this.#id }, jobContext)
    world.time.shiftMs = 0
  }

  /** It is asked when so much time has passed. */
  async askAfter(ms: number, what: Parameters<Story['ask']>[0]): Promise<void> {
    world.time.shiftMs = ms
    await this.ask(what)
    world.time.shiftMs = 0
  }

  async state(): Promise<NameState> {
    return (await findName(database.db, this.#id))!
  }

  /** The job of the first effect that the name waits for; null: it waits for none. */
  async nextJob(): Promise<[kind: string, job: JsonObject] | null> {
    const [effect] = pendingEffects(await this.state())
    return effect ? [effect.kind, { id: this.#id, ...effect } as JsonObject] : null
  }

  /** Runs jobs one after another; answers how many. */
  async run(most = 50): Promise<number> {
    for (let count = 0; count < most; count++) {
      const next = await this.nextJob()
      if (next === null) return count
      await this.runAgain(next)
    }
    return most
  }

  runAgain([kind, job]: [string, JsonObject]): Promise<void> {
    return world.tasks[`names:${kind}`]!(job, jobContext)
  }

  /** The effect happens, and the process dies before it has said so. */
  async runAndDie([kind, job]: [string, JsonObject]): Promise<void> {
    const tasks = makeNameTasks({
      database: database.database,
      zones: new Map([['shop.test', world.zone]]),
      nodes: { nodeOf: async (owner) => this.#nodes.get(owner) ?? null },
      resolveFresh: world.resolver.resolveFresh,
      clock: Date.now,
      tell: () => Promise.reject(new Died()),
    })
    await expect(tasks[`names:${kind}`]!(job, jobContext)).rejects.toThrow(Died)
  }

  /** The zone and the nodes hold what the name says, and nothing else. */
  async expectNothingLeft(): Promise<void> {
    const state = await this.state()
    expect(pendingEffects(state)).toEqual([])
    const live = state.phase === 'active' ? state.live : null
    const kept = state.phase === 'suspended' ? state.keep : live
    expect(['active', 'suspended', 'freed']).toContain(state.phase)
    expect(world.zone.records.get(recordName(state))).toBe(live ? recordValue(live.offer) : undefined)
    const enabled = [...this.#nodes].flatMap(([owner, node]) =>
      enabledOffers(node).map((offer) => [owner, offer]),
    )
    expect(enabled).toEqual(kept ? [[kept.owner, kept.offer]] : [])
    expect(state.job.outcome).not.toBe('running')
  }
}

type Saga = { title: string; steps: number; begin(story: Story): Promise<void> }

/** All that is asked for before comes to its end; the last is what the worker dies in. */
const after =
  (...asked: Parameters<Story['ask']>[0][]) =>
  async (story: Story) => {
    await story.register()
    for (const what of asked) {
      await story.run()
      await story.ask(what)
    }
  }

const SAGAS: Saga[] = [
  { title: 'a registration', steps: 4, begin: after() },
  { title: 'another offer', steps: 5, begin: after('rotate') },
  {
    title: 'another offer that is undone half way',
    steps: 2,
    async begin(story) {
      await after('rotate')(story)
      await story.run(2)
      await story.pass(11 * 60_000)
    },
  },
  { title: 'a transfer', steps: 5, begin: after('transfer') },
  {
    title: 'a renewal',
    steps: 5,
    async begin(story) {
      story.offersExpire()
      await after()(story)
      await story.run()
      await story.pass(25 * DAY_MS)
    },
  },
  {
    title: 'the end of an offer that expires',
    steps: 1,
    async begin(story) {
      story.offersExpire()
      await story.register({ brought: true })
      await story.run()
      await story.pass(31 * DAY_MS)
    },
  },
  { title: 'a suspension', steps: 1, begin: after('suspend') },
  { title: 'a resumption', steps: 3, begin: after('suspend', 'resume') },
  {
    title: 'a resumption with another offer',
    steps: 5,
    async begin(story) {
      story.offersExpire()
      await after('suspend')(story)
      await story.run()
      await story.askAfter(40 * DAY_MS, 'resume')
    },
  },
  { title: 'a release', steps: 2, begin: after('release') },
]

const cases = SAGAS.flatMap((saga) =>
  Array.from({ length: saga.steps }, (_, step) => [saga.title, step, saga] as const),
)

test.each(cases)('%s whose worker dies after effect %i leaves nothing behind', async (_, step, saga) => {
  const story = new Story()
  await saga.begin(story)
  expect(await story.run(step)).toBe(step)
  const job = (await story.nextJob())!
  await story.runAndDie(job)
  await story.runAgain(job)
  await story.run()
  await story.expectNothingLeft()
})

test.each(cases)(
  '%s whose worker dies after effect %i, released before that is run again',
  async (_, step, saga) => {
    const story = new Story()
    await saga.begin(story)
    await story.run(step)
    const job = (await story.nextJob())!
    await story.runAndDie(job)
    await story.ask('release')
    await story.run()
    // Only now is the job of the dead worker taken over.
    await story.runAgain(job)
    await story.run()
    await story.expectNothingLeft()
  },
)
