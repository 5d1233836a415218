import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type pg from 'pg'
import type { OpenDatabase } from './database.ts'
import { keepConnection } from './lasting-connection.ts'
import type { Log } from './log.ts'
import { pause } from './pause.ts'

/** First key of the advisory locks by which worker pools show that they live; the second comes from the pool's id. */
const WORKER_LOCK = 0x776c // "wl"

const SWEEP_EVERY_MS = 20_000
const FIRST_SWEEPS_MS = [0, 1_000, 3_000]
/** A pool announces itself when it looks for its first jobs, not before. */
const ANNOUNCED_WITHIN = '2 seconds'
/** A pool that cannot be shown, because the connection is being made again, is shown so soon after that. */
const SHOW_AGAIN_MS = 100

export type WorkerLiveness = {
  /**
   * Resolves once the pool's lock is held, however long the connection is away; a pool that was not announced counts as
   * dead. Rejects when it is withdrawn before.
   */
  announce(poolId: string): Promise<void>
  /** From now on the pool counts as dead: the jobs that it still holds are taken over. */
  withdraw(poolId: string): Promise<void>
  stop(): Promise<void>
}

/**
 * Takes over the jobs of crashed workers within a minute, without comparing clocks: every worker pool holds a session
 * advisory lock, which Postgres releases when the connection ends for whatever reason, and jobs that were locked a
 * while ago by a pool whose lock is free are unlocked. (graphile-worker alone waits four hours.)
 *
 * When this connection breaks while the process lives, its running jobs may be taken over and run twice; tasks are
 * idempotent.
 */
export async function keepWorkerAlive(options: {
  database: OpenDatabase
  log: Log
}): Promise<WorkerLiveness> {
  const { database, log } = options
  /** Of each pool when its lock was first held; its workers announce it all at once. */
  const announced = new Map<string, Promise<void>>()
  /** A session that took a lock twice would have to give it back twice. */
  const shownOn = new Map<string, pg.Client>()
  const stopping = new AbortController()
  const connection = await keepConnection({
    database,
    name: 'worker liveness',
    async prepare(client) {
      // A host that vanished without closing its connection is noticed after 10 + 3 * 5 seconds.
      await client.query(
        'set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3; set statement_timeout = 0',
      )
      for (const poolId of announced.keys()) await show(client, poolId)
    },
    cannot: 'the worker cannot show that it lives',
    log,
  })

  async function show(client: pg.Client, poolId: string): Promise<void> {
    if (shownOn.get(poolId) === client) return
    await lock(client, poolId)
    if (announced.has(poolId)) shownOn.set(poolId, client)
    // It was withdrawn meanwhile.
    else await unlock(client, poolId)
  }

  async function showSometime(poolId: string): Promise<void> {
    do {
      try {
        return await show(connection.client, poolId)
      } catch (error) {
        log.debug({ err: error }, 'a worker pool cannot be announced yet')
        await pause(SHOW_AGAIN_MS, stopping.signal)
      }
    } while (announced.has(poolId) && !stopping.signal.aborted)
    throw new Error(`The worker pool ${poolId} was withdrawn before it was announced.`)
  }

  const sweeping = sweepUntil(stopping.signal, database, log)
  return {
    announce(poolId) {
      const known = announced.get(poolId)
      if (known) return known
      const shown = showSometime(poolId)
      announced.set(poolId, shown)
      return shown
    },
    async withdraw(poolId) {
      if (!announced.delete(poolId)) return
      const client = shownOn.get(poolId)
      shownOn.delete(poolId)
      if (client === undefined) return
      // With its connection the lock is lost as well.
      await unlock(client, poolId).catch((error) =>
        log.debug({ err: error }, 'a worker pool could not be withdrawn'),
      )
    },
    async stop() {
      stopping.abort()
      await Promise.all([connection.stop(), sweeping])
    },
  }
}

/** Unlocks the jobs of dead worker pools; returns how many. The attempt that the crash cut short is given back. */
export async function unlockJobsOfDeadWorkers(database: OpenDatabase): Promise<number> {
  const holders = await sql<{ id: string }>`
    select distinct locked_by as id from graphile_worker._private_jobs
    where locked_at < now() - ${ANNOUNCED_WITHIN}::interval`.execute(database.db)
  if (holders.rows.length === 0) return 0
  const locks = await sql<{ key: string }>`
    select objid::text as key from pg_locks
    where locktype = 'advisory' and classid = ${WORKER_LOCK} and objsubid = 2 and granted
      and database = (select oid from pg_database where datname = current_database())`.execute(database.db)
  const living = new Set(locks.rows.map(({ key }) => Number(key)))
  const dead = holders.rows.map(({ id }) => id).filter((id) => !living.has(lockKey(id) >>> 0))
  if (dead.length === 0) return 0
  const unlocked = await sql<{ count: number }>`
    with unlocked as (
      update graphile_worker._private_jobs
      set locked_at = null, locked_by = null, attempts = greatest(attempts - 1, 0), updated_at = now()
      where locked_by = any(${dead}::text[]) returning 1
    )
    select count(*)::int as count, pg_notify('jobs:insert', json_build_object('count', count(*))::text)
    from unlocked`.execute(database.db)
  return unlocked.rows[0]?.count ?? 0
}

async function sweepUntil(signal: AbortSignal, database: OpenDatabase, log: Log): Promise<void> {
  for (const delay of delays()) {
    await pause(delay, signal)
    if (signal.aborted) return
    try {
      const unlocked = await unlockJobsOfDeadWorkers(database)
      if (unlocked > 0) log.warn({ unlocked }, 'took over the jobs of a worker that has crashed')
    } catch (error) {
      log.warn({ err: error }, 'cannot look for crashed workers; trying again')
    }
  }
}

function* delays(): Generator<number> {
  yield* FIRST_SWEEPS_MS
  while (true) yield SWEEP_EVERY_MS
}

async function lock(client: pg.Client, poolId: string): Promise<void> {
  await client.query('select pg_advisory_lock($1, $2)', [WORKER_LOCK, lockKey(poolId)])
}

async function unlock(client: pg.Client, poolId: string): Promise<void> {
  await client.query('select pg_advisory_unlock($1, $2)', [WORKER_LOCK, lockKey(poolId)])
}

function lockKey(poolId: string): number {
  return createHash('sha256').update(poolId).digest().readInt32BE(0)
}
