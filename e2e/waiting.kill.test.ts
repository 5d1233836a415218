import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRefusal } from '@holdfast/core'
import { decideDomain } from '@holdfast/core/domains/domain-machine'
import type { DomainCommand, DomainState } from '@holdfast/core/domains/domain-states'
import type { NameCommand } from '@holdfast/core/names/name-commands'
import { replayName } from '@holdfast/core/names/name-machine'
import { pendingEffects } from '@holdfast/core/names/pending-effects'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import type {} from '@holdfast/server/platform/testing/global-setup'
import { sql } from 'kysely'
import { expect, inject, test } from 'vitest'
import { readJournal } from './support/journal-faults.ts'
import { type KillDatabase, makeKillDatabase } from './support/kill-database.ts'
import { describePoint, type KillPoint } from './support/kill-plan.ts'
import { KillReport } from './support/kill-report.ts'
import { killsAskedFor, reseedFor, SEED } from './support/kill-wish.ts'
import { killWorker, startKillWorker, untilReady } from './support/kill-worker.ts'
import { type ReseededRandom, seededRandom } from './support/seeded-random.ts'
import { type SimulatedEdges, startSimulatedEdges } from './support/simulated-edges.ts'
import { type StepTrap, setTrap } from './support/step-trap.ts'
import { nextDue, readStates, type WaitingLife } from './support/waiting-life.ts'
import { isShop, openShops } from './support/waiting-names.ts'
import { WAITING_STEPS, type WaitingStep } from './support/waiting-steps.ts'
import { endStories, prepareStory } from './support/waiting-stories.ts'
import type { Order, WaitingWorkerWorld } from './support/waiting-worker.ts'

const KILLS = killsAskedFor('HOLDFAST_TEST_WAITING_KILLS', WAITING_STEPS, 1 / 2)
const DOMAIN = 'shop.test'
const LONGEST_START_MS = 2_000
const ENDS_WITHIN_MS = 120_000
/** What is due sooner is waited for; what should be done by then is asked for again, as by the sweeper a minute later. */
const WAITED_FOR_MS = 5_000
const STANDS_STILL_MS = 500
const SWEPT_AFTER_MS = 60_001
const LOOK_EVERY_MS = 20

type World = KillDatabase & {
  readonly edges: SimulatedEdges
  readonly random: ReseededRandom
  /** How far the clock of names and domains is ahead of the real one. */
  aheadMs: number
}

test(
  `${KILLS.length} kills while time passes: names are renewed, changed, suspended and resumed, records end before their offers, domains are proven and lapse (seed ${SEED})`,
  async () => {
    const random = seededRandom(SEED)
    const report = new KillReport(WAITING_STEPS)
    const kept = await makeKillDatabase(inject('testRunFolder'))
    const edges = await startSimulatedEdges(DOMAIN)
    const world: World = { ...kept, edges, random, aheadMs: 0 }
    try {
      await live(world, openShops)
      for (const { number, point } of KILLS) {
        reseedFor(random, number)
        const began = performance.now()
        report.killed(number, point, await liveAndDie(world, number, point))
        const seconds = ((performance.now() - began) / 1000).toFixed(1)
        console.log(`  ${String(number).padStart(4)}  ${describePoint(point)} (${seconds} s)`)
      }
      report.allIsWell(await checkAll(world))
    } finally {
      console.log(`\n${report.table()}\n`)
      await edges.stop()
      await kept.drop()
    }
  },
  KILLS.length * 90_000 + 300_000,
)

/** Tells a story to the worker until it is killed at `point`. */
async function liveAndDie(
  world: World,
  number: number,
  point: KillPoint<WaitingStep>,
): Promise<string | null> {
  const { database, random } = world
  if (point.kind === 'starting') {
    const worker = startWorker(world)
    await sleep(point.fraction * LONGEST_START_MS)
    await killWorker(worker)
    return null
  }
  let trap: StepTrap | null = null
  const letters = [...number.toString(8)].map((digit) => 'abcdefgh'[Number(digit)]).join('')
  try {
    return await live(world, async (life) => {
      const { story } = point.kind === 'step' ? point.step : random.pick(WAITING_STEPS)
      const { entityId, begin } = await prepareStory(life, story, letters)
      if (point.kind === 'step')
        trap = await setTrap(database, { ...point.step, ...(entityId && { entityId }) }, point.moment)
      begin()
      life.clock.stands = false
      if (point.kind === 'working') await sleep(point.afterMs)
      return (await trap?.sprung()) ?? null
    })
  } finally {
    await (trap as StepTrap | null)?.release()
  }
}

/** The worker's next life, which ends by SIGKILL when `work` has ended. */
async function live<T>(world: World, work: (life: WaitingLife) => Promise<T>): Promise<T> {
  const { database, edges } = world
  const worker = startWorker(world)
  const orders = { given: 0, done: 0 }
  const order = (order: Order) => {
    orders.given++
    worker.stdin!.write(`${JSON.stringify(order)}\n`)
  }
  const never = Number.POSITIVE_INFINITY
  const now = () => Date.now() + world.aheadMs
  const clock = { stands: false, awaitedAt: never, longestMs: never, now }
  const life: WaitingLife = {
    ...{ database, edges, order, clock },
    async standStill() {
      clock.stands = true
      await expect.poll(() => orders.given - orders.done, { timeout: ENDS_WITHIN_MS, interval: 5 }).toBe(0)
    },
  }
  const died = new AbortController()
  await untilReady(worker)
  // One that is being killed hears no order any more (EPIPE).
  worker.stdin!.on('error', () => undefined)
  worker.stdout!.on('data', (said) => {
    orders.done += String(said).split('\n').length - 1
  })
  const passing = letTimePass(world, life, { died: died.signal, orders })
  try {
    await endStories(life)
    return await work(life)
  } finally {
    await killWorker(worker)
    died.abort()
    await passing
  }
}

/** Whenever everything only waits, the clock goes on to when the next is due; never past what was only just ordered. */
async function letTimePass(
  world: World,
  life: WaitingLife,
  { died, orders }: { died: AbortSignal; orders: { readonly given: number; readonly done: number } },
): Promise<void> {
  let [awaited, since] = [Number.POSITIVE_INFINITY, 0]
  for (; !died.aborted; await sleep(LOOK_EVERY_MS)) {
    const { given, done } = orders
    if (life.clock.stands || done < given) continue
    const due = Math.min(nextDue(await readStates(life.database)), life.clock.awaitedAt)
    if (due !== awaited) [awaited, since] = [due, performance.now()]
    if (!Number.isFinite(due) || orders.given > given || life.clock.stands) continue
    const now = life.clock.now()
    if (due < now + WAITED_FOR_MS && performance.now() < since + STANDS_STILL_MS) continue
    world.aheadMs += Math.min(Math.max(due - now, 0) + SWEPT_AFTER_MS, life.clock.longestMs)
    awaited = Number.POSITIVE_INFINITY
    if (!died.aborted) life.order({ kind: 'clock', aheadMs: world.aheadMs })
  }
}

/**
 * Names and domains that have something to do, other than to wait for a day to come; and jobs. One whose worker was
 * killed after its effect runs again up to 20 s later: only then is it known that there may be something to undo.
 */
async function unended({ database, edges }: World): Promise<string[]> {
  const { rows: jobs } = await sql<{ task: string }>`
    select task from job_outbox where coalesce(run_at, now()) <= now()
    union all
    select identifier from graphile_worker._private_jobs as job
      join graphile_worker._private_tasks as task on task.id = job.task_id
      where job.locked_at is not null or (job.is_available and job.run_at <= now())`.execute(database.db)
  const { names, domains } = await readStates(database)
  const records = edges.records()
  return [
    ...jobs.map(({ task }) => `${task} is to be done`),
    ...names
      .filter((name) => name.phase === 'active' && !records.has(recordName(name)))
      .map(({ user }) => `${user} has lost its record`),
    ...names
      .filter((name) => name.phase === 'suspended' && records.has(recordName(name)))
      .map(({ user }) => `${user} is suspended, and has a record`),
    ...names
      .filter((name) => !/^(active|suspended|freed)$/.test(name.phase) || pendingEffects(name).length > 0)
      .map(({ user, phase }) => `${user} is ${phase}`),
    ...domains.filter(({ phase }) => phase !== 'ended').map(({ domain, phase }) => `${domain} is ${phase}`),
  ]
}

/** Everything ends; the zone and the node hold what the names say; no cache ever had a record longer than its offer. */
async function checkAll(world: World): Promise<Map<string, string>> {
  const { database, edges } = world
  await live(world, async (life) => {
    // The next renewal may have begun since: when nothing is left to do, the clock has to stand still, too.
    do {
      life.clock.stands = false
      await expect.poll(() => unended(world), { timeout: ENDS_WITHIN_MS, interval: 50 }).toEqual([])
      life.clock.stands = true
      await sleep(10 * LOOK_EVERY_MS)
    } while ((await unended(world)).length > 0)
  })
  const { names, domains } = await readStates(database)
  const active = names.filter((name) => name.phase === 'active')
  const lost = names.filter((name) => name.phase === 'freed' && isShop(name))
  expect(lost).toEqual([])
  expect(edges.records()).toEqual(
    new Map(active.map((name) => [recordName(name), recordValue(name.live.offer)])),
  )
  const kept = names.flatMap((name) => (name.phase === 'suspended' && name.keep) || [])
  const ofTheNode = [...active.map(({ live }) => live), ...kept].filter(({ source }) => source === 'node')
  expect(edges.enabled()).toEqual(ofTheNode.map(({ offer }) => offer).sort())
  const freed = new Set(names.filter(({ phase }) => phase === 'freed').map(recordName))
  expect(edges.outlived(Date.now() + world.aheadMs, (name) => freed.has(name))).toEqual([])

  const { chains, faults } = await readJournal(database)
  expect(faults).toEqual([])
  for (const name of names) {
    const entries = chains.get(`name ${name.id}`) ?? []
    const commands = entries.map(({ data, at }) => ({ command: data.command as unknown as NameCommand, at }))
    expect(replayName(commands)).toEqual(name)
  }
  for (const state of domains) {
    const entries = chains.get(`domain ${state.id}`) ?? []
    const replayed = entries.reduce<DomainState | null>((before, { data, at }) => {
      const decision = decideDomain(before, data.command as unknown as DomainCommand, at)
      return isRefusal(decision) ? before : decision.state
    }, null)
    expect(replayed).toEqual(state)
  }
  const ends = new Map<string, string>([...names, ...domains].map(({ id, phase }) => [id, phase]))
  return ends.set(DOMAIN, 'compared')
}

function startWorker({ connectionString, edges, aheadMs }: World): ChildProcess {
  const world: WaitingWorkerWorld = { connectionString, edgesUrl: edges.url, domain: DOMAIN, aheadMs }
  return startKillWorker('e2e/support/waiting-worker.ts', world)
}
