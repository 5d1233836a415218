import type { Edges } from './edges.ts'
import { watchEscrows } from './escrow/watch-escrows.ts'
import type { Identity } from './identity/identity.ts'
import { isNoteworthy } from './names/reconciliation.ts'
import type { AtOnce } from './platform/at-once.ts'
import type { OpenDatabase } from './platform/database.ts'
import { startWorker, type Task, type WorkerOptions } from './platform/jobs.ts'
import type { Log } from './platform/log.ts'
import { repeat } from './platform/repeat.ts'
import type { RightOfWay } from './platform/right-of-way.ts'
import type { Shutdown } from './platform/shutdown.ts'
import type { Slices } from './slices.ts'

const JOBS_AT_ONCE = 10
const LOOKS_AT_ONCE = 2
const SWEEP_EVERY_MS = 60_000

/** Starts all that the server does by itself: workers, what a crash left open, sweepers and watchers. */
export async function startWork(
  slices: Slices,
  options: {
    edges: Edges
    identity: Identity
    database: OpenDatabase
    rightOfWay: RightOfWay
    atOnce: AtOnce
    log: Log
    shutdown: Shutdown
  },
): Promise<void> {
  const { names, domains, zones, payments, lightningAddress, escrow, delegatedZones } = slices
  const { edges, identity, database, rightOfWay, atOnce, log, shutdown } = options
  type Manner = Partial<Pick<WorkerOptions, 'rightOfWay' | 'atOnce' | 'concurrency' | 'unhurried'>>
  const work = async (tasks: Record<string, Task>, more: Manner = {}) => {
    const worker = await startWorker({ database, tasks, concurrency: JOBS_AT_ONCE, log, ...more })
    shutdown.add('worker', () => worker.stop())
  }
  // For a payment somebody waits, and it waits for nodes: names are not in its way, nor it in theirs.
  await work({ ...payments.tasks, ...escrow?.tasks }, { atOnce, concurrency: 2 * JOBS_AT_ONCE })
  // Strangers cause these, so they wait for nodes by themselves.
  await work(lightningAddress.tasks, { concurrency: LOOKS_AT_ONCE, unhurried: true })
  // Names of merchants' domains are published only by who knows those domains.
  await domains.sweep()
  await work({ ...names.tasks, ...zones.tasks }, { rightOfWay })
  // Anybody may claim any domain, and its DNS decides how long a look takes.
  await work(domains.tasks, { concurrency: LOOKS_AT_ONCE, unhurried: true })
  await zones.adopt(edges.zones.keys())
  // Unsigned it is of no use; the DS that a merchant's DNS has to show is told by its plan.
  await zones.adopt(delegatedZones.keys(), { andSign: true })
  await payments.reconcile().catch((error) => log.error({ err: error }, 'payments are asked about later'))
  await names.reconcile().catch((error) => log.error({ err: error }, 'some names are tried again later'))
  if (escrow) {
    await escrow.reconcile().catch((error) => log.error({ err: error }, 'escrows are looked at later'))
    const watch = watchEscrows(escrow, log)
    shutdown.add('escrow watch', () => watch.stop())
  }
  const sweeper = repeat(SWEEP_EVERY_MS, log, {
    names: names.sweep,
    domains: domains.sweep,
    zones: zones.sweep,
    payments: payments.sweep,
    ...(escrow && { escrows: escrow.sweep }),
    lightningAddress: lightningAddress.sweep,
    identity: identity.sweep,
  })
  shutdown.add('sweeper', () => sweeper.stop())
  // Looking at names takes as long as the DNS takes: the sweeper does not wait for it.
  const watcher = repeat(SWEEP_EVERY_MS, log, {
    watch: names.watch,
    reconciler: async () => {
      for (const report of await names.reconcileZones()) {
        const level = isNoteworthy(report) ? 'warn' : 'info'
        log[level]({ reconciliation: report }, 'a zone was compared with the database')
      }
    },
  })
  shutdown.add('watcher', () => watcher.stop())
}
