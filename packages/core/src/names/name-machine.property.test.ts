import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NameOffer, NameState } from './name-states.ts'
import { type Delivery, type Fault, NameWorld, type Wish, YEAR_MS } from './testing/name-world.ts'

const WISHES = [
  'release',
  'change-offer',
  'propose-transfer',
  'accept-transfer',
  'cancel-transfer',
  'suspend',
  'resume',
  'let a year pass',
] as const satisfies readonly (Wish['kind'] | 'let a year pass')[]

const wish = fc.record({
  kind: fc.constantFrom(...WISHES),
  brought: fc.boolean(),
  to: fc.constantFrom('bob', 'carol'),
})
const which = fc.nat(3)
const fault = fc.constantFrom<Fault>('none', 'none', 'none', 'before', 'answer-lost', 'refused')
const delivery = fc.constantFrom<Delivery>('now', 'now', 'late', 'late', 'lost', 'twice')
const move = fc.oneof(
  { weight: 8, arbitrary: fc.record({ move: fc.constant('begin'), which }) },
  { weight: 8, arbitrary: fc.record({ move: fc.constant('finish'), which, fault, delivery }) },
  { weight: 3, arbitrary: fc.record({ move: fc.constant('hear'), which, again: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('wait'), ms: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('wake') }) },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('watch'), look: fc.constant(true) }) },
  { weight: 3, arbitrary: fc.record({ move: fc.constant('ask'), wish }) },
)

type Wished = typeof wish extends fc.Arbitrary<infer T> ? T : never
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never

function ask(world: NameWorld, { kind, brought, to }: Wished): void {
  const by = world.state.owner
  const offer = brought ? { offer: world.bring() } : {}
  switch (kind) {
    case 'release':
    case 'cancel-transfer':
      return void world.ask({ kind, by })
    case 'change-offer':
      return void world.ask({ kind, by, ...offer })
    case 'propose-transfer':
      return void world.ask({ kind, by, to, until: world.now + 500 })
    case 'accept-transfer':
      return void world.ask({ kind, by: world.state.transfer?.to ?? to, ...offer })
    case 'suspend':
    case 'resume':
      return void world.ask({ kind, by: 'operator' })
    case 'let a year pass':
      world.now += YEAR_MS
  }
}

function carryOut(world: NameWorld, move: Move): void {
  if ('wish' in move) ask(world, move.wish)
  else if ('fault' in move) world.finish(move.which, move.fault, move.delivery)
  else if ('again' in move) {
    const index = move.which % (world.late.length || 1)
    const report = world.late[index]
    if (report === undefined) return
    if (!move.again) world.late.splice(index, 1)
    world.hear(report)
  } else if ('which' in move) world.begin(move.which)
  else if ('ms' in move) world.now += move.ms
  else if ('look' in move) world.watch()
  else world.hear({ kind: 'time-passed' })
}

function goesWell(world: NameWorld, steps: number): void {
  for (let step = 0; step < steps; step++) {
    world.beginEffect()
    world.finish(0, 'none', 'now')
  }
}

/** What there must be in the zone and at the nodes once the name has come to rest. */
function expectedIn(state: NameState): { record: string | null; enabled: string[] } {
  switch (state.phase) {
    case 'active':
      return { record: state.live.offer, enabled: offerOf(state.live) }
    case 'suspended':
      return { record: null, enabled: state.keep === null ? [] : offerOf(state.keep) }
    case 'freed':
      return { record: null, enabled: [] }
    default:
      throw new Error(`the name is still ${state.phase}`)
  }
}

/** A brought offer lives on its owner's device, and is not ours to disable. */
function offerOf(offer: NameOffer): string[] {
  return offer.source === 'node' ? [`${offer.owner} ${offer.no}`] : []
}

const story = fc.record({
  brought: fc.boolean(),
  expiring: fc.boolean(),
  /** So many effects go well before anything goes wrong. */
  smooth: fc.oneof(fc.constant(5), fc.nat(4)),
  /** Changes that go well before anything goes wrong. */
  before: fc.array(wish, { maxLength: 2 }),
  /** A change of which so many effects go well, and the next one does not. */
  broken: fc.option(fc.record({ wish, steps: fc.nat(4), fault, delivery })),
  /** The next effect is begun, and something is asked for before it has reached the world. */
  overtaken: fc.option(wish),
  moves: fc.array(move, { maxLength: 40 }),
  begunFirst: fc.boolean(),
})

test('whatever fails, repeats or comes late: the zone and the nodes hold what the name says, and nothing else', () => {
  fc.assert(
    fc.property(story, ({ brought, expiring, smooth, before, broken, overtaken, moves, begunFirst }) => {
      const world = new NameWorld({ brought, expiring })
      goesWell(world, smooth)
      for (const wish of before) {
        ask(world, wish)
        goesWell(world, 5)
      }
      if (broken) {
        ask(world, broken.wish)
        goesWell(world, broken.steps)
        world.beginEffect()
        world.finish(0, broken.fault, broken.delivery)
      }
      if (overtaken) {
        world.beginEffect()
        ask(world, overtaken)
      }
      for (const move of moves) carryOut(world, move)
      world.settle(begunFirst)

      const { state, record, enabled } = world
      expect(state).toMatchObject({ cleaning: null, retiring: [] })
      expect(state.job.outcome).not.toBe('running')
      expect({ record, enabled: [...enabled] }).toEqual(expectedIn(state))
      if (state.phase === 'active') expect(state.owner).toBe(state.live.owner)
    }),
    { numRuns: 10_000 },
  )
})

const meddling = fc.record({
  expiring: fc.boolean(),
  /** What the record of the live name becomes by somebody else's hand, again and again. */
  becomes: fc.array(fc.constantFrom(null, 'stranger', 'another stranger'), { minLength: 1, maxLength: 3 }),
  wish: fc.option(wish),
  moves: fc.array(move, { maxLength: 20 }),
})

test('whatever a stranger writes over the record of a live name, the watcher has it put back, and then says healthy', () => {
  fc.assert(
    fc.property(meddling, ({ expiring, becomes, wish, moves }) => {
      const world = new NameWorld({ brought: false, expiring })
      goesWell(world, 4)
      for (const record of becomes) {
        world.record = record
        world.watch()
        expect(world.state).toMatchObject({
          unhealthy: { reason: record === null ? 'not-found' : 'content-changed' },
        })
      }
      if (wish) ask(world, wish)
      for (const move of moves) carryOut(world, move)
      world.settle()
      world.watch()
      world.settle()
      world.watch()

      const { state, record, enabled } = world
      // A name that ends leaves what somebody else has put there.
      const stays = state.phase !== 'active' && record?.includes('stranger') ? record : null
      expect({ record, enabled: [...enabled] }).toEqual({
        ...expectedIn(state),
        ...(stays && { record: stays }),
      })
      if (state.phase === 'active') expect(state.unhealthy).toBeNull()
    }),
    { numRuns: 2_000 },
  )
})
