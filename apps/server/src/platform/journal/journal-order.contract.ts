import { setTimeout as sleep } from 'node:timers/promises'
import { isRefusal, verifyChain } from '@holdfast/core'
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { makeLog } from '../log.ts'
import type { TestDatabase } from '../testing/with-database.ts'
import { appendEntries } from './append-entries.ts'
import { startJournal } from './journal.ts'
import { type JournalEntry, readHeads } from './read-entries.ts'

/** One transaction: to which entities it appends, how long it dawdles before and after, and whether it commits. */
type Plan = { entities: number[]; beforeMs: number; beforeCommitMs: number; rollsBack: boolean }

const plan: fc.Arbitrary<Plan> = fc.record({
  entities: fc.array(fc.nat({ max: 19 }), { minLength: 1, maxLength: 4 }),
  beforeMs: fc.nat({ max: 4 }),
  beforeCommitMs: fc.nat({ max: 8 }),
  rollsBack: fc.boolean(),
})
const WRITERS = 8
const plans = fc.array(fc.array(plan, { minLength: 5, maxLength: 12 }), {
  minLength: WRITERS,
  maxLength: WRITERS,
})

const quiet = makeLog({ level: 'silent' })

/**
 * With real concurrency (many connections, random delays between insert and commit, rollbacks): followers see every
 * committed entry exactly once, in the order of its lane, and nothing that was rolled back; every chain verifies.
 */
export function journalOrderProperty(database: TestDatabase): void {
  test('a follower never skips an entry, whatever order transactions commit in', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(plans, async (writers) => {
        const name = `run-${++run}`
        const heads = await readHeads(database.db)
        const { transact } = database
        const journal = await startJournal({ database: database.database, transact, log: quiet })
        const durable: JournalEntry[] = []
        const live: JournalEntry[] = []
        try {
          await journal.follow({
            name,
            from: 'now',
            async onEntries(entries) {
              durable.push(...entries)
            },
          })
          const follower = await journal.followLive({
            from: 'now',
            onEntries: (entries) => void live.push(...entries),
          })
          expect(isRefusal(follower)).toBe(false)

          const committed = await Promise.all(
            writers.map((own, writer) => write(database, `${name}/${writer}`, own)),
          )
          const expected = committed.flat().sort()
          for (const seen of [durable, live]) {
            await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(expected.length)
            expect(seen.map(({ data }) => data.id).sort()).toEqual(expected)
            expectGapless(seen, heads)
          }
          const entities = new Set(durable.map(({ entityId }) => entityId))
          for (const entityId of entities)
            expect(await journal.verifyEntity('test', entityId)).toMatchObject({ intact: true })
          // In the order of the follower, too: an entity stays within one lane.
          for (const entityId of entities) {
            const seqs = durable.filter((entry) => entry.entityId === entityId).map(({ seq }) => seq)
            expect(seqs).toEqual(seqs.map((_, index) => seqs[0]! + BigInt(index)))
          }
        } finally {
          await journal.stop()
        }
      }),
      { numRuns: 6 },
    )
  }, 60_000)

  test('a chain of entries that were appended side by side verifies from its first entry', async () => {
    const append = (id: number) => write(database, `side/${id}`, [{ entities: [1, 1], ...EAGER }])
    await Promise.all(Array.from({ length: 20 }, (_, id) => append(id)))
    const { rows } = await sql<{ count: bigint }>`
      select count(*) from journal where stream = 'test' and entity_id = 'entity-1'`.execute(database.db)
    const journal = await startJournal({
      database: database.database,
      transact: database.transact,
      log: quiet,
    })
    const entries = await journal.readEntity('test', 'entity-1')
    await journal.stop()
    expect(verifyChain(entries)).toMatchObject({ intact: true, entries: Number(rows[0]!.count) })
  })
}

const EAGER = { beforeMs: 0, beforeCommitMs: 0, rollsBack: false }

/** Performs the plans one after the other; answers the ids of the entries that were committed. */
async function write(database: TestDatabase, writer: string, plans: readonly Plan[]): Promise<string[]> {
  const committed: string[] = []
  for (const [number, { entities, beforeMs, beforeCommitMs, rollsBack }] of plans.entries()) {
    const ids = entities.map((_, index) => `${writer}/${number}/${index}`)
    try {
      await database.db.transaction().execute(async (db) => {
        await sql`select pg_sleep(${beforeMs / 1000})`.execute(db)
        const entries = entities.map((entity, index) => ({
          stream: 'test',
          entityId: `entity-${entity}`,
          kind: 'test.written',
          data: { id: ids[index]! },
          actor: 'system',
        }))
        await appendEntries(db, entries)
        await sleep(beforeCommitMs)
        if (rollsBack) throw new RolledBack()
      })
      committed.push(...ids)
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error
    }
  }
  return committed
}

class RolledBack extends Error {}

/** Within each lane, positions go on where the follower began, one by one. */
function expectGapless(seen: readonly JournalEntry[], heads: readonly bigint[]): void {
  const next = [...heads]
  for (const { lane, position } of seen) {
    expect(position, `lane ${lane}`).toBe(next[lane]! + 1n)
    next[lane] = position
  }
}
