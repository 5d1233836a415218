import { LANES } from '@holdfast/core'
import { sql } from 'kysely'
import type { Log } from '../log.ts'
import { type Loop, loopOnWake } from '../loop-on-wake.ts'
import type { Transact, Transaction } from '../transaction.ts'
import { type JournalEntry, type Positions, readEntries, readHeads, START } from './read-entries.ts'
import type { WakeUps } from './wake-ups.ts'

export type DurableFollowerOptions = {
  /** Its position is kept under this name; of several processes with one name, one at a time works. */
  name: string
  /** Default: all. */
  lanes?: readonly number[]
  /** Where to begin when the name is new. Default `start`. */
  from?: 'start' | 'now'
  /**
   * Given what is next, in order per lane, in the transaction that also keeps the new position: what it writes or
   * enqueues through `tx` happens exactly once per entry. It must not wait for anything outside of the database.
   * When it throws, the same entries come again.
   */
  onEntries: (entries: readonly JournalEntry[], tx: Transaction) => Promise<void>
}

const BATCH = 100

export async function followDurably(
  environment: { transact: Transact; wakeUps: WakeUps; log: Log },
  options: DurableFollowerOptions,
): Promise<Loop> {
  const { transact, wakeUps, log } = environment
  const { name, onEntries, from = 'start' } = options
  const lanes = options.lanes ?? Array.from({ length: LANES }, (_, lane) => lane)
  await transact((tx) => register(tx, name, lanes, from))

  const step = () =>
    transact(async (tx) => {
      const after = await lockPositions(tx, name)
      // Another process holds them: it does the work, and we look again at the next wake-up.
      if (after === null) return 'done'
      const entries = await readEntries(tx.db, after, lanes, BATCH)
      if (entries.length === 0) return 'done'
      await onEntries(entries, tx)
      await keepPositions(tx, name, entries)
      return entries.length >= BATCH ? 'more' : 'done'
    })
  return loopOnWake({ wakeUps, log: log.child({ follower: name }), what: 'following the journal', step })
}

async function register(tx: Transaction, name: string, lanes: readonly number[], from: 'start' | 'now') {
  const positions = from === 'now' ? await readHeads(tx.db) : START
  await tx.db
    .insertInto('journal_follower')
    .values(lanes.map((lane) => ({ name, lane, position: positions[lane]! })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

async function lockPositions(tx: Transaction, name: string): Promise<Positions | null> {
  const { rows } = await sql<{ got: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${`journal_follower:${name}`}, 0)) as got`.execute(
    tx.db,
  )
  if (!rows[0]!.got) return null
  const kept = await tx.db.selectFrom('journal_follower').selectAll().where('name', '=', name).execute()
  const positions = [...START]
  for (const { lane, position } of kept) positions[lane] = position
  return positions
}

async function keepPositions(tx: Transaction, name: string, entries: readonly JournalEntry[]): Promise<void> {
  const last = new Map(entries.map(({ lane, position }) => [lane, position]))
  await sql`
    update journal_follower as f set position = n.position
    from unnest(${[...last.keys()]}::int[], ${[...last.values()].map(String)}::bigint[]) as n (lane, position)
    where f.name = ${name} and f.lane = n.lane`.execute(tx.db)
}
