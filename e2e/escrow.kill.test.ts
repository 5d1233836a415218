import { setTimeout as sleep } from 'node:timers/promises'
import { stringifyEscrow } from '@holdfast/server/escrow/escrow-codec'
import type {} from '@holdfast/server/platform/testing/global-setup'
import { expect, inject, test } from 'vitest'
import {
  type EscrowNodes,
  expectedSpendable,
  findAuditFaults,
  findDeadLetters,
  findForgotten,
  findKeptPreimages,
  findOpenClaims,
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
import {
  type Deed,
  ESCROW_STEPS,
  type EscrowStep,
  STORIES,
  type StoryKind,
  trapsOf,
} from './support/escrow-steps.ts'
import { EscrowStory } from './support/escrow-story.ts'
import { describePoint, type KillPoint, type Moment } from './support/kill-plan.ts'
import { countedEnds, KillReport } from './support/kill-report.ts'
import { howToRepeat, killsAskedFor, reseedFor, SEED } from './support/kill-wish.ts'
import { type Random, seededRandom } from './support/seeded-random.ts'
import { type StepTrap, setTrap } from './support/step-trap.ts'

const KILLS = killsAskedFor('HOLDFAST_TEST_ESCROW_KILLS', ESCROW_STEPS)
const CHECK_EVERY = 25
/** A payout that the node refused is tried again ten seconds later, and a job of a dead worker some seconds later. */
const ENDS_WITHIN_MS = 300_000
/** For what hangs: a quiet machine needs three seconds. */
const PER_KILL_MS = 180_000

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
      // In peace: it leaves its compiled code for all who come after it, and tells how long a start takes.
      const first = await world.live()
      let { startMs } = first
      expect(await first.stop()).toBe(0)
      for (const { number, point } of KILLS) {
        const began = performance.now()
        reseedFor(random, number)
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
        console.log(
          `  ${String(number).padStart(4)}  ${describePoint(point)} (${seconds} s, start ${(startMs / 1000).toFixed(1)} s)`,
        )
        if (report.unchecked.length === CHECK_EVERY || report.count === KILLS.length)
          report.allIsWell(await checkAll(tale, before))
      }
    } catch (error) {
      console.error(`${world.server.output}\n${howToRepeat('e2e/escrow', KILLS, report)}`)
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
  const heard = Promise.withResolvers<null>()
  const awaited = deedAwaited(point)
  const life = await world.live((deed, title) => {
    if (deed === awaited && title === story.title) heard.resolve(null)
  })
  let trap: StepTrap | null = null
  let parties: Promise<unknown> = Promise.resolve()
  try {
    if (point.kind === 'step' && awaited === null) trap = await setTrapFor(world, story, life, point)
    parties = act(stories, life)
    const killAt = async () => {
      if (point.kind === 'working') await sleep(point.afterMs)
      else if (awaited !== null) await within(heard.promise, `${story.title}: ${awaited}`)
      return (await trap?.sprung()) ?? null
    }
    // When a party fails, that is what went wrong.
    const entityId = await Promise.race([killAt(), parties.then(() => killAt())])
    return { entityId, startMs: life.startMs }
  } finally {
    await life.kill()
    await trap?.release()
    await parties
  }
}

/** For which deed of the story's parties the kill waits, instead of for something in the database. */
function deedAwaited(point: KillPoint<EscrowStep>): Deed | null {
  if (point.kind !== 'step' || point.moment !== 'before-effect') return null
  const { effect } = point.step
  return effect !== null && 'deed' in effect ? effect.deed : null
}

/** Waits for a moment of a step of the story's own escrow, which is created first where creating is not the step. */
async function setTrapFor(
  { database }: EscrowKillWorld,
  story: EscrowStory,
  life: EscrowLifeOfServer,
  { step, moment }: { step: EscrowStep; moment: Moment },
): Promise<StepTrap> {
  const traps = trapsOf(step)
  if (step.commands.some(({ kind }) => kind === 'create')) return setTrap(database, traps, moment)
  const created = await story.create(life)
  if (created === null || 'refused' in created) throw new Error(`${story.title} was not created`)
  return setTrap(database, { ...traps, entityId: created.taskId }, moment)
}

async function within(promise: Promise<unknown>, what: string): Promise<unknown> {
  const tooLate = sleep(PER_KILL_MS, null, { ref: false }).then(() => {
    throw new Error(`Waited in vain for ${what}`)
  })
  return Promise.race([promise, tooLate])
}

function act(stories: readonly EscrowStory[], life: EscrowLifeOfServer): Promise<unknown> {
  return Promise.all(stories.map((story) => story.live(life)))
}

/** Lets every escrow end, and compares what there is with what the parties wanted. */
async function checkAll(tale: Tale, before: Spendable): Promise<Map<string, string>> {
  const { world, stories } = tale
  const { database } = world
  const life = await world.live()
  await Promise.race([
    act(stories, life),
    sleep(ENDS_WITHIN_MS, null, { ref: false }).then(async () => {
      const open = (await readEscrows(database)).filter((escrow) => !('endedAt' in escrow))
      throw new Error(`Not ended in time: ${open.map(stringifyEscrow).join('\n')}`)
    }),
  ])
  const again = await Promise.all(stories.slice(-2 * CHECK_EVERY).map((story) => story.create(life)))
  expect(again.filter((answer) => answer === null || !('replayed' in answer) || !answer.replayed)).toEqual([])
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
    const openClaims = () => findOpenClaims(nodes, escrows)
    await expect.poll(openClaims, { timeout: 30_000, interval: 50 }).toEqual([])
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
