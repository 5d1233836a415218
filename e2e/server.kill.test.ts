import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { expect, test } from 'vitest'
import { openUsers } from './support/devnet-user.ts'
import { openEmbeddedDatabase } from './support/embedded-database.ts'
import {
  type Balances,
  endsOf,
  expectedBalances,
  findJournalFaults,
  findLostOrDoubled,
  findUnproven,
  findZoneFaults,
  readBalances,
  readTruth,
  type Truth,
  unended,
} from './support/invariants.ts'
import { describePoint, type KillPoint } from './support/kill-plan.ts'
import { countedEnds, KillReport } from './support/kill-report.ts'
import { howToRepeat, killsAskedFor, ONLY, reseedFor, SEED } from './support/kill-wish.ts'
import { KillWorkload, type Shop } from './support/kill-workload.ts'
import { OPERATOR, RequestLedger, type Running } from './support/request-ledger.ts'
import { seededRandom } from './support/seeded-random.ts'
import { ServerProcess } from './support/server-process.ts'
import { SERVER_STEPS, type ServerStep, trapsOf } from './support/server-steps.ts'
import { installTraps, type StepTrap, setTrap } from './support/step-trap.ts'

const KILLS = killsAskedFor('HOLDFAST_TEST_KILLS', SERVER_STEPS)
/** The very first start makes the database, the chain and the channels: it has its own kills. */
const FIRST_START_KILLS = ONLY ? 0 : Math.ceil(KILLS.length / 20)
const CHECK_EVERY = 20
/** A payment that the node has never heard of is given up two minutes after it was asked for. */
const ENDS_WITHIN_MS = 150_000
const PER_KILL_MS = 180_000
const ENV = { HOLDFAST_RATE_LIMIT: '0', HOLDFAST_OPERATORS: OPERATOR.pubkey }

/** One life of the server, with all that reaches into it. */
type Life = Running & {
  readonly database: OpenDatabase
  readonly dns: { host: string; port: number }
  readonly startMs: number
  /** SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM. */
  stop(): Promise<void>
}

type Story = { ledger: RequestLedger; workload: KillWorkload; shops: readonly Shop[] }

test(
  `${KILLS.length} kills lose no entry and no request, pay nothing twice, and leave no saga unended (seed ${SEED})`,
  async () => {
    const random = seededRandom(SEED)
    const server = new ServerProcess(ENV)
    const ledger = new RequestLedger()
    const workload = new KillWorkload(random, ledger)
    const report = new KillReport(SERVER_STEPS)
    try {
      const first = await live(server)
      await installTraps(first.database)
      const shops = await workload.openShops(first)
      const before = await readBalances(first)
      await first.stop()

      let { startMs } = first
      for (const { number, point } of KILLS) {
        const began = performance.now()
        reseedFor(random, number)
        let entityId: string | null = null
        if (point.kind === 'starting') {
          server.begin()
          await sleep(point.fraction * startMs)
          await server.kill()
        } else {
          const life = await live(server)
          startMs = life.startMs
          entityId = await workAndDie(life, { ledger, workload, shops, point })
        }
        report.killed(number, point, entityId)
        const seconds = ((performance.now() - began) / 1000).toFixed(1)
        console.log(`  ${String(number).padStart(4)}  ${describePoint(point)} (${seconds} s)`)
        if (report.unchecked.length === CHECK_EVERY || report.count === KILLS.length)
          report.allIsWell(endsOf(await checkAll(server, ledger, before)))
      }
      await server.remove()
    } catch (error) {
      console.error(`${server.output}\n${await keepEvidence(server, report)}`)
      throw error
    } finally {
      console.log(`\n${report.table()}\n`)
    }
  },
  KILLS.length * PER_KILL_MS + 600_000,
)

test.runIf(FIRST_START_KILLS > 0)(
  `a server that was killed ${FIRST_START_KILLS} times during its first start starts at last (seed ${SEED})`,
  async () => {
    const random = seededRandom(SEED)
    const server = new ServerProcess(ENV)
    try {
      // How long a first start takes on this machine.
      const model = new ServerProcess(ENV)
      const { startMs, stop } = await live(model)
      await stop().finally(() => model.remove())
      for (let kill = 0; kill < FIRST_START_KILLS; kill++) {
        const fraction = random.fraction()
        server.begin()
        await sleep(fraction * startMs)
        await server.kill()
        console.log(`  killed at ${Math.round(fraction * 100)} % of a first start`)
      }
      const ledger = new RequestLedger()
      const life = await live(server)
      const before = await readBalances(life)
      await new KillWorkload(random, ledger).openShops(life)
      await life.stop()
      await checkAll(server, ledger, before)
    } catch (error) {
      console.error(server.output)
      throw error
    } finally {
      await server.remove()
    }
  },
  FIRST_START_KILLS * PER_KILL_MS + 600_000,
)

/** Starts the server's next life. */
async function live(server: ServerProcess): Promise<Life> {
  const began = performance.now()
  const { url, dns } = await server.start()
  if (dns === null) throw new Error('The server runs without its devnet.')
  const startMs = performance.now() - began
  const died = new AbortController()
  const users = await openUsers(server.dataDir, url)
  const database = openEmbeddedDatabase(server.dataDir)
  return {
    url,
    dns,
    users,
    died: died.signal,
    database,
    startMs,
    async kill() {
      await server.kill()
      died.abort()
    },
    async stop() {
      await database.close()
      expect(await server.stop()).toBe(0)
      died.abort()
    },
  }
}

async function workAndDie(
  life: Life,
  { ledger, workload, shops, point }: Story & { point: Exclude<KillPoint<ServerStep>, { kind: 'starting' }> },
): Promise<string | null> {
  let trap: StepTrap | null = null
  try {
    await ledger.repeatUnanswered(life)
    const release = await workload.prepare(life, point)
    if (point.kind === 'step') trap = await setTrap(life.database, trapsOf(point.step), point.moment)
    workload.begin(life, shops, point, release)
    if (point.kind === 'working') await sleep(point.afterMs)
    return (await trap?.sprung()) ?? null
  } finally {
    await life.kill()
    await trap?.release()
    await life.database.close()
  }
}

/** Lets everything end that was begun, and compares what there is with what was asked for. */
async function checkAll(server: ServerProcess, ledger: RequestLedger, before: Balances): Promise<Truth> {
  const life = await live(server)
  const { database, dns } = life
  await ledger.repeatUnanswered(life)
  expect(ledger.unanswered).toEqual([])
  await expect
    .poll(async () => unended(await readTruth(database)), { timeout: ENDS_WITHIN_MS, interval: 100 })
    .toEqual([])

  const recent = ledger.all.slice(-5 * CHECK_EVERY)
  expect(await ledger.repeatAnswered(life, recent)).toEqual([])
  const truth = await readTruth(database)
  expect(findLostOrDoubled(life, ledger.all, truth)).toEqual([])
  expect(await findJournalFaults(database, truth)).toEqual([])
  // A job whose worker was killed after its effect tells so when it runs again, up to 20 s later: then it is undone.
  await expect
    .poll(async () => findZoneFaults(dns, await readTruth(database)), {
      timeout: ENDS_WITHIN_MS,
      interval: 100,
    })
    .toEqual([])
  expect(await findUnproven(life, truth.payments)).toEqual([])
  const expected = expectedBalances(before, life, ledger.all, truth)
  await expect.poll(() => readBalances(life), { timeout: ENDS_WITHIN_MS, interval: 100 }).toEqual(expected)
  console.log(
    `        all is well: ${ledger.all.length} requests, ${countedEnds([...endsOf(truth).values()])}`,
  )
  await life.stop()
  return truth
}

/** Stops what runs, keeps the data, and says how to look at them and how to do the kills again. */
async function keepEvidence(server: ServerProcess, report: KillReport): Promise<string> {
  const code = await server.stop()
  return [
    `The data are kept: HOLDFAST_DATA_DIR=${server.dataDir} npm start (the server ended with ${code})`,
    howToRepeat('e2e/server', KILLS, report),
  ].join('\n')
}
