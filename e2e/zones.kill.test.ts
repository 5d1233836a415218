import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRefusal } from '@holdfast/core'
import { decideZone } from '@holdfast/core/zones/zone-plan'
import type { ZoneCommand, ZoneState } from '@holdfast/core/zones/zone-states'
import { startDispatch } from '@holdfast/server/platform/dispatch'
import { makeLog } from '@holdfast/server/platform/log'
import type {} from '@holdfast/server/platform/testing/global-setup'
import { makeTransact, type Transact } from '@holdfast/server/platform/transaction'
import { adoptZone, requestZone } from '@holdfast/server/zones/zone-saga'
import { listZones } from '@holdfast/server/zones/zone-store'
import { expect, inject, test } from 'vitest'
import { type FastTime, fastNow, inFastTime } from './support/fast-time.ts'
import { readJournal } from './support/journal-faults.ts'
import { type KillDatabase, makeKillDatabase } from './support/kill-database.ts'
import { describePoint, type KillPoint } from './support/kill-plan.ts'
import { KillReport } from './support/kill-report.ts'
import { killsAskedFor, reseedFor, SEED } from './support/kill-wish.ts'
import { killWorker, startKillWorker, untilReady } from './support/kill-worker.ts'
import { type ReseededRandom, seededRandom } from './support/seeded-random.ts'
import { type SimulatedZones, startSimulatedZones } from './support/simulated-zones.ts'
import { setTrap } from './support/step-trap.ts'
import { ZONE_STEPS, type ZoneStep } from './support/zone-steps.ts'
import type { ZoneWorkerWorld } from './support/zone-worker.ts'

/** A third of the others' kills: a plan waits most of its time. */
const KILLS = killsAskedFor('HOLDFAST_TEST_KILLS', ZONE_STEPS, 1 / 3)
const DOMAINS = Array.from({ length: 6 }, (_, index) => `zone-${index}.test`)
const OPERATOR = '0b'.repeat(32)
/** The memory of resolvers, ten minutes, passes in a second and a half. */
const SPEED = 400
const LONGEST_START_MS = 2_000
const ENDS_WITHIN_MS = 120_000

type World = KillDatabase & {
  readonly time: FastTime
  readonly zones: SimulatedZones
  readonly random: ReseededRandom
  readonly transact: Transact
}

test(
  `${KILLS.length} kills leave no zone on its way, and never one that a resolver must refuse (seed ${SEED})`,
  async () => {
    const time = { since: Date.now(), speed: SPEED }
    const random = seededRandom(SEED)
    const report = new KillReport(ZONE_STEPS)
    const kept = await makeKillDatabase(inject('testRunFolder'))
    const zones = await startSimulatedZones(DOMAINS, time, random)
    const dispatch = startDispatch({ database: kept.database, log: makeLog({ level: 'silent' }) })
    const transact = inFastTime(makeTransact({ database: kept.database, dispatch }), time)
    const world = { ...kept, time, zones, random, transact }
    try {
      for (const domain of DOMAINS)
        await transact((tx) => adoptZone(tx, { kind: 'adopt', domain, ...zones.ttls }, fastNow(time)))
      for (const { number, point } of KILLS) {
        reseedFor(random, number)
        report.killed(number, point, await liveAndDie(world, point))
        console.log(`  ${String(number).padStart(4)}  ${describePoint(point)}`)
      }
      const ends = await checkAll(world)
      report.allIsWell(ends)
    } finally {
      console.log(`\n${report.table()}\n`)
      await dispatch.stop()
      await zones.stop()
      await kept.drop()
    }
  },
  KILLS.length * 90_000 + 300_000,
)

/** Zones are asked into DNSSEC, through rollovers and out of it until the worker is killed at `point`. */
async function liveAndDie(world: World, point: KillPoint<ZoneStep>): Promise<string | null> {
  const { database, random, zones } = world
  const worker = startZoneWorker(world)
  if (point.kind === 'starting') {
    await sleep(point.fraction * LONGEST_START_MS)
    await killWorker(worker)
    return null
  }
  const isActing = point.kind === 'step' && point.step.acted && point.moment === 'before-commit'
  const trap = point.kind === 'step' && !isActing ? await setTrap(database, point.step, point.moment) : null
  const died = new AbortController()
  const operators = operate(world, died.signal, () => random.chance(0.5))
  try {
    await untilReady(worker)
    if (isActing) return await zones.nextAct()
    if (trap) return await trap.sprung()
    await sleep(point.kind === 'working' ? point.afterMs : 0)
    return null
  } finally {
    await killWorker(worker)
    died.abort()
    // Before the operators: their requests may wait for the lane in which the trap holds a transaction.
    await trap?.release()
    await operators
  }
}

/** Asks each zone that is at rest for what brings it to another place. */
async function operate({ database, transact, time }: World, died: AbortSignal, rolls: () => boolean) {
  while (!died.aborted) {
    for (const { domain, phase } of await listZones(database.db)) {
      const kind = phase === 'unsigned' ? 'sign' : phase === 'signed' ? (rolls() ? 'roll' : 'unsign') : null
      if (kind === null) continue
      await transact((tx) => requestZone(tx, { domain, command: { kind }, by: OPERATOR, now: fastNow(time) }))
    }
    await sleep(100)
  }
}

/** Every zone comes to rest; no resolver ever had to refuse one; the journal gives what stands in the table. */
async function checkAll(world: World): Promise<Map<string, string>> {
  const { database, zones } = world
  const worker = startZoneWorker(world)
  const atRest = async () =>
    (await listZones(database.db)).map(({ phase }) => phase).filter((phase) => !/^(un)?signed$/.test(phase))
  await expect.poll(atRest, { timeout: ENDS_WITHIN_MS, interval: 100 }).toEqual([])
  await killWorker(worker)
  expect(zones.refusals()).toEqual([])
  const { chains, faults } = await readJournal(database)
  expect(faults).toEqual([])
  const states = await listZones(database.db)
  for (const state of states) {
    const entries = chains.get(`zone ${state.domain}`) ?? []
    const replayed = entries.reduce<ZoneState | null>((before, { data, at }) => {
      const decision = decideZone(before, data.command as unknown as ZoneCommand, at)
      return isRefusal(decision) ? before : decision.state
    }, null)
    expect(replayed).toEqual(state)
  }
  return new Map(states.map(({ domain, phase }) => [domain, phase]))
}

function startZoneWorker({ connectionString, zones, time }: World): ChildProcess {
  const world: ZoneWorkerWorld = { connectionString, zonesUrl: zones.url, time }
  return startKillWorker('e2e/support/zone-worker.ts', world)
}
