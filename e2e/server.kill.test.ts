import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { expect, test } from 'vitest'
import { openUsers } from './support/devnet-user.ts'
import { openEmbeddedDatabase } from './support/embedded-database.ts'
import {
  type Balances,
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
import { describePoint, type KillPoint, killTable, planKills } from './support/kill-plan.ts'
import { KillWorkload, type Shop } from './support/kill-workload.ts'
import { RequestLedger, type Running } from './support/request-ledger.ts'
import { seededRandom } from './support/seeded-random.ts'
import { ServerProcess } from './support/server-process.ts'
import { installTraps, type StepTrap, setTrap } from './support/step-trap.ts'

const KILLS = Number(process.env.HOLDFAST_TEST_KILLS ?? 20)
const SEED = Number(process.env.HOLDFAST_TEST_SEED ?? 1)
/** The very first start makes the database, the chain and the channels: it has its own kills. */
const FIRST_START_KILLS = Math.ceil(KILLS / 20)
const CHECK_EVERY = 20
/** A payment that the node has never heard of is given up two minutes after it was asked for. */
const ENDS_WITHIN_MS = 150_000
const PER_KILL_MS = 60_000
const ENV = { HOLDFAST_RATE_LIMIT: '0' }

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
  `${KILLS} kills lose no entry and no request, pay nothing twice, and leave no saga unended (seed ${SEED})`,
  async () => {
    const random = seededRandom(SEED)
    const server = new ServerProcess(ENV)
    const ledger = new RequestLedger()
    const workload = new KillWorkload(random, ledger)
    try {
      const first = await live(server)
      await installTraps(first.database)
      const shops = await workload.openShops(first)
      const before = await readBalances(first)
      await first.stop()

      const done: KillPoint[] = []
      let { startMs } = first
      for (const point of planKills(KILLS, random)) {
        const began = performance.now()
        if (point.kind === 'starting') {
          server.begin()
          await sleep(point.fraction * startMs)
          await server.kill()
        } else {
          const life = await live(server)
          startMs = life.startMs
          await workAndDie(life, { ledger, workload, shops, point })
        }
        done.push(point)
        const seconds = ((performance.now() - began) / 1000).toFixed(1)
        console.log(`  ${String(done.length).padStart(4)}  ${describePoint(point)} (${seconds} s)`)
        if (done.length % CHECK_EVERY === 0 || done.length === KILLS) await checkAll(server, ledger, before)
      }
      console.log(`\n${killTable(done)}\n`)
    } catch (error) {
      console.error(server.output)
      throw error
    } finally {
      await server.remove()
    }
  },
  KILLS * PER_KILL_MS + 600_000,
)

test(
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
  { ledger, workload, shops, point }: Story & { point: Exclude<KillPoint, { kind: 'starting' }> },
): Promise<void> {
  let trap: StepTrap | null = null
  try {
    await ledger.repeatUnanswered(life)
    const release = await workload.prepare(life, point)
    if (point.kind === 'step') trap = await setTrap(life.database, point)
    workload.begin(life, shops, point, release)
    if (point.kind === 'working') await sleep(point.afterMs)
    await trap?.sprung()
  } finally {
    await life.kill()
    await trap?.release()
    await life.database.close()
  }
}

/** Lets everything end that was begun, and compares what there is with what was asked for. */
async function checkAll(server: ServerProcess, ledger: RequestLedger, before: Balances): Promise<void> {
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
  expect(findLostOrDoubled(ledger.all, truth)).toEqual([])
  expect(await findJournalFaults(database, truth)).toEqual([])
  expect(await findZoneFaults(dns, truth)).toEqual([])
  expect(await findUnproven(life, truth.payments)).toEqual([])
  const expected = expectedBalances(before, life, ledger.all, truth)
  await expect.poll(() => readBalances(life), { timeout: ENDS_WITHIN_MS, interval: 100 }).toEqual(expected)
  console.log(`        all is well: ${ledger.all.length} requests, ${describeEnds(truth)}`)
  await life.stop()
}

/** How many names and payments ended how. */
function describeEnds({ names, payments }: Truth): string {
  const ends = [
    ...names.map(({ phase }) => `names ${phase}`),
    ...payments.map((payment) =>
      payment.phase === 'failed' ? `payments ${payment.cause}` : `payments ${payment.phase}`,
    ),
  ]
  return [...Map.groupBy(ends, (end) => end)].map(([end, { length }]) => `${length} ${end}`).join(', ')
}
