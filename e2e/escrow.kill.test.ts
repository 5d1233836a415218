import { setTimeout as sleep } from 'node:timers/promises'
import type {} from '@holdfast/server/platform/testing/global-setup'
import { expect, inject, test } from 'vitest'
import {
  type EscrowNodes,
  expectedSpendable,
  findAuditFaults,
  findDeadLetters,
  findForgotten,
  findKeptPreimages,
  findWrongEnds,
  readEscrows,
  readSpendable,
  type Spendable,
} from './support/escrow-invariants.ts'
import {
  type EscrowKillWorld,
  type EscrowLifeOfServer,
  makeEscrowKillWorld,
} from './support/escrow-kill-world.ts'
import { ESCROW_STEPS, type EscrowStep, STORIES, type StoryKind, trapsOf } from './support/escrow-steps.ts'
import { EscrowStory } from './support/escrow-story.ts'
import { describePoint, type KillPoint, killsToDo } from './support/kill-plan.ts'
import { countedEnds, KillReport } from './support/kill-report.ts'
import { type Random, seededRandom } from './support/seeded-random.ts'
import { setTrap } from './support/step-trap.ts'

const SEED = Number(process.env.HOLDFAST_TEST_SEED ?? 1)
const ONLY = process.env.HOLDFAST_TEST_ONLY
/** Half as many again as of the other kill tests: 300 when all are done. */
const KILLS = killsToDo(
  { kills: Math.ceil(Number(process.env.HOLDFAST_TEST_KILLS ?? '20') * 1.5), only: ONLY, seed: SEED },
  ESCROW_STEPS,
)
const CHECK_EVERY = 25
/** A payout that the node refused is tried again ten seconds later, and a job of a dead worker some seconds later. */
const ENDS_WITHIN_MS = 150_000
const PER_KILL_MS = 60_000

type Tale = {
  readonly world: EscrowKillWorld
  readonly random: Random
  /** Every escrow that was ever asked for. */
  readonly stories: EscrowStory[]
}

test(
  `${KILLS.length} kills lose no escrow and no msat, pay nothing twice and forget no HTLC (seed ${SEED})`,
  async () => {
    const random = seededRandom(SEED)
    const report = new KillReport(ESCROW_STEPS)
    const world = await makeEscrowKillWorld(inject('testRunFolder'))
    const tale: Tale = { world, random, stories: [] }
    try {
      const before = await asSeenByNodes(world, readSpendable)
      let startMs = 2_000
      for (const { number, point } of KILLS) {
        const began = performance.now()
        // Each kill has choices of its own, so that it can be done again without those before it.
        random.reseed(SEED * 1_000_003 + number)
        let entityId: string | null = null
        if (point.kind === 'starting') {
          world.server.begin()
          await sleep(point.fraction * startMs)
          await world.server.kill()
        } else {
          const killed = await liveAndDie(tale, number, point)
          entityId = killed.entityId
          startMs = killed.startMs
        }
        report.killed(number, point, entityId)
        const seconds = ((performance.now() - began) / 1000).toFixed(1)
        console.log(`  ${String(number).padStart(4)}  ${describePoint(point)} (${seconds} s)`)
        if (report.unchecked.length === CHECK_EVERY || report.count === KILLS.length)
          report.allIsWell(await checkAll(tale, before))
      }
    } catch (error) {
      console.error(`${world.server.output}\n${howToRepeat(report)}`)
      throw error
    } finally {
      console.log(`\n${report.table()}\n`)
      await world.stop()
    }
  },
  KILLS.length * PER_KILL_MS + 600_000,
)

/** The parties of all that has not ended, and of one escrow more, act until the server is killed at `point`. */
async function liveAndDie(
  { world, random, stories }: Tale,
  number: number,
  point: Exclude<KillPoint<EscrowStep>, { kind: 'starting' }>,
): Promise<{ entityId: string | null; startMs: number }> {
  const kind = point.kind === 'step' ? point.step.story : random.pick(Object.keys(STORIES) as StoryKind[])
  const story = new EscrowStory(kind, `escrow ${SEED}.${number}`)
  stories.push(story)
  let life: EscrowLifeOfServer | null = null
  let trap: Awaited<ReturnType<typeof setKillTrap>> | null = null
  let parties: Promise<unknown> = Promise.resolve()
  try {
    trap = point.kind === 'step' ? await setKillTrap(world, point) : null
    life = await world.live(trap?.done)
    parties = act(stories, life)
    const end = trap === null ? sleep(point.kind === 'working' ? point.afterMs : 0, null) : trap.sprung()
    const entityId = await Promise.race([end, parties.then(() => end)])
    return { entityId, startMs: life.startMs }
  } finally {
    await (life ? life.kill() : world.server.kill())
    await trap?.release()
    await parties
  }
}

/** Waits for a moment of a step: in the database, or, `before-effect`, for what a party does. */
async function setKillTrap(
  { database }: EscrowKillWorld,
  { step, moment }: Extract<KillPoint<EscrowStep>, { kind: 'step' }>,
) {
  const { effect } = step
  if (moment !== 'before-effect' || effect === null || 'task' in effect) {
    const trap = await setTrap(database, trapsOf(step), moment)
    return { ...trap, done: () => undefined }
  }
  const deed = Promise.withResolvers<null>()
  return {
    done: (done: string) => {
      if (done === effect.deed) deed.resolve(null)
    },
    sprung: () => deed.promise,
    release: async () => undefined,
  }
}

function act(stories: readonly EscrowStory[], life: EscrowLifeOfServer): Promise<unknown> {
  return Promise.all(stories.map((story) => story.live(life)))
}

/** Lets every escrow end, and compares what there is with what the parties wanted. */
async function checkAll(tale: Tale, before: Spendable): Promise<Map<string, string>> {
  const { world, stories } = tale
  const { database } = world
  const life = await world.live()
  const stopped = new AbortController()
  await Promise.race([
    act(stories, life),
    sleep(ENDS_WITHIN_MS, null, { signal: stopped.signal }).then(async () => {
      const open = (await readEscrows(database)).filter((escrow) => !('endedAt' in escrow))
      throw new Error(
        `Not ended in time: ${JSON.stringify(open, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`,
      )
    }),
  ])
  stopped.abort()
  for (const story of stories.slice(-2 * CHECK_EVERY)) {
    const again = await story.create(life)
    expect(again).toEqual({ taskId: (await life.find(story.title))?.id, replayed: true })
  }
  expect(await life.stop()).toBe(0)
  const escrows = await readEscrows(database)
  expect(findWrongEnds(stories, escrows)).toEqual([])
  expect(await findAuditFaults(database, escrows)).toEqual([])
  expect(await findKeptPreimages(database, stories)).toEqual([])
  expect(await findDeadLetters(database)).toEqual([])
  await asSeenByNodes(world, async (nodes) => {
    const expected = expectedSpendable(before, escrows)
    await expect.poll(() => readSpendable(nodes), { timeout: 30_000, interval: 50 }).toEqual(expected)
    expect(await findForgotten(nodes, stories, escrows)).toEqual([])
  })
  const ends = new Map(escrows.map(({ id, milestones }) => [id, milestones[0]!.phase as string]))
  console.log(`        all is well: ${countedEnds([...ends.values()])}`)
  return ends
}

/** Opens the operator's node while the server is down: it says itself what it holds and has. */
async function asSeenByNodes<T>(
  { ldk }: EscrowKillWorld,
  look: (nodes: EscrowNodes) => Promise<T>,
): Promise<T> {
  const operator = await ldk.open('hub')
  try {
    await ldk.usable()
    return await look({ buyer: ldk.payer, operator, worker: ldk.payee })
  } finally {
    await operator.stop()
  }
}

function howToRepeat(report: KillReport): string {
  const numbers = report.unchecked.map(({ number }) => number)
  const [from = report.count + KILLS[0]!.number, to = from] = [numbers[0], numbers.at(-1)]
  return [
    'It was one of these kills, or the one after them, which can be done again:',
    `  npm run test:kill -- e2e/escrow --seed ${SEED} --only ${from}-${to + 1}`,
  ].join('\n')
}
