import { isRefusal, type JsonValue } from '@holdfast/core'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeLog } from '../log.ts'
import type { TestDatabase } from '../testing/with-database.ts'
import { makeTransact } from '../transaction.ts'
import { appendEntries } from './append-entries.ts'
import { makeHeads } from './heads.ts'
import { type Journal, startJournal } from './journal.ts'
import type { LiveFollower } from './live-tail.ts'
import type { JournalEntry } from './read-entries.ts'
import { encodeResumeToken } from './resume-token.ts'

const log = makeLog({ level: 'silent' })

/** What the journal promises, on whatever PostgreSQL. */
export function journalContract(database: TestDatabase): void {
  let journal: Journal
  let journals: Journal[]
  let number = 0
  /** A stream of its own for each test. */
  let stream: string

  beforeEach(async () => {
    journals = []
    stream = `stream-${++number}`
    journal = await start()
  })
  afterEach(async () => {
    await Promise.all(journals.map((started) => started.stop()))
  })

  async function start(): Promise<Journal> {
    const started = await startJournal({ database: database.database, transact: database.transact, log })
    journals.push(started)
    return started
  }

  const append = (entityId: string, data: Record<string, JsonValue> = {}) =>
    database.transact(async (tx) => tx.append({ stream, entityId, kind: 'test.done', data, actor: 'system' }))

  const idsOf = (entries: readonly JournalEntry[]) =>
    entries.filter((e) => e.stream === stream).map((e) => e.entityId)

  async function followLive(from: string, onEntries: (entries: readonly JournalEntry[]) => void) {
    const follower = await journal.followLive({ from, onEntries })
    if (isRefusal(follower)) throw new Error(follower.refused)
    return follower
  }

  describe('the journal', () => {
    test('gives back any data as it was, so that its chain verifies', async () => {
      const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))
      const leaf = fc.oneof(text, fc.maxSafeInteger(), fc.boolean(), fc.constant(null))
      const data = fc.dictionary(text, fc.oneof(leaf, fc.array(leaf), fc.dictionary(text, leaf)))
      await fc.assert(
        fc.asyncProperty(data, async (given) => append('any', given as Record<string, JsonValue>)),
        { numRuns: 40 },
      )
      expect(await journal.verifyEntity(stream, 'any')).toMatchObject({ intact: true, entries: 40 })
    })

    test('refuses what cannot be read back the same, and keeps nothing of the transaction', async () => {
      await expect(append('bad', { fee: 0.1 })).rejects.toThrow('$[8].fee is not a safe integer')
      expect(await journal.readEntity(stream, 'bad')).toEqual([])
    })

    test.each([
      ['update', 'update journal set actor = actor'],
      ['delete', 'delete from journal'],
      ['truncate', 'truncate journal'],
    ])(
      'cannot be changed by %s: not by the server, not by the owner of the tables',
      async (_what, statement) => {
        await append('kept')
        await expect(sql.raw(statement).execute(database.db)).rejects.toMatchObject({
          code: '42501',
          message: 'permission denied for table journal',
        })
        await expect(database.queryAsOwner(statement)).rejects.toThrow(/journal is append-only/)
        expect(await journal.readEntity(stream, 'kept')).toHaveLength(1)
      },
    )

    test('chains also behind entries of another process, of which this one knows nothing', async () => {
      const other = makeTransact({ database: database.database, dispatch: { committed: () => undefined } })
      const entry = { stream, entityId: 'shared', kind: 'test.done', data: {}, actor: 'system' }
      for (const transact of [database.transact, other, other, database.transact, database.transact])
        await transact(async (tx) => {
          tx.append(entry)
          tx.append({ ...entry, entityId: 'beside it' })
          tx.append(entry)
        })
      expect(await journal.verifyEntity(stream, 'shared')).toMatchObject({ intact: true, entries: 10 })
      expect(await journal.verifyEntity(stream, 'beside it')).toMatchObject({ intact: true, entries: 5 })
    })

    test('chains behind what was committed, not behind what was rolled back', async () => {
      const heads = makeHeads(10)
      const entry = { stream, entityId: 'undone', kind: 'test.done', data: {}, actor: 'system' }
      const appendOne = (fault?: Error) =>
        database.db.transaction().execute(async (db) => {
          await appendEntries(db, [entry], { heads })
          if (fault) throw fault
        })
      await expect(appendOne(new Error('rolled back'))).rejects.toThrow('rolled back')
      await appendOne()
      await expect(appendOne(new Error('rolled back'))).rejects.toThrow('rolled back')
      await appendOne()
      expect(await journal.verifyEntity(stream, 'undone')).toMatchObject({ intact: true, entries: 2 })
    })

    test('shows a change that went around its guards', async () => {
      await append('tampered', { amountMsat: '1' })
      await append('tampered', { amountMsat: '2' })
      const asOwner = database.queryAsOwner
      await asOwner('alter table journal disable trigger journal_append_only')
      await asOwner(`update journal set data = '{"amountMsat":"9"}' where stream = $1 and seq = 1`, [stream])
      await asOwner('alter table journal enable trigger journal_append_only')
      expect(await journal.verifyEntity(stream, 'tampered')).toEqual({
        intact: false,
        seq: 1n,
        fault: 'content-changed',
      })
    })
  })

  describe('a durable follower', () => {
    test('goes on where it stopped, also in another process', async () => {
      const seen: string[] = []
      const options = {
        name: stream,
        onEntries: async (entries: readonly JournalEntry[]) => void seen.push(...idsOf(entries)),
      }
      await append('before')
      const first = await journal.follow(options)
      await expect.poll(() => seen).toEqual(['before'])
      await first.stop()
      await append('while away')
      await (await start()).follow(options)
      await expect.poll(() => seen).toEqual(['before', 'while away'])
    })

    test('gets the same entries again when it fails, and what it wrote is not kept', async () => {
      const batches: string[][] = []
      await journal.follow({
        name: stream,
        from: 'now',
        async onEntries(entries, tx) {
          batches.push(idsOf(entries))
          tx.enqueue({ task: `task-${stream}`, payload: {} })
          if (batches.length === 1) throw new Error('stumbled')
        },
      })
      await append('once')
      await expect.poll(() => batches).toEqual([['once'], ['once']])
      const jobs = () =>
        sql`select 1 from graphile_worker.jobs where task_identifier = ${`task-${stream}`}`.execute(
          database.db,
        )
      await expect.poll(async () => (await jobs()).rows.length).toBe(1)
    })

    test('of one name works in one process at a time', async () => {
      const seen: string[] = []
      const onEntries = async (entries: readonly JournalEntry[]) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        seen.push(...idsOf(entries))
      }
      const other = await start()
      await Promise.all([journal, other].map((one) => one.follow({ name: stream, from: 'now', onEntries })))
      const ids = Array.from({ length: 30 }, (_, index) => `entity-${index}`)
      for (const id of ids) await append(id)
      await expect.poll(() => seen.length).toBe(30)
      expect(seen.toSorted()).toEqual(ids.toSorted())
    })

    test('may follow some lanes only', async () => {
      const seen: number[] = []
      await journal.follow({
        name: stream,
        lanes: [2, 5],
        onEntries: async (entries) => void seen.push(...entries.map(({ lane }) => lane)),
      })
      for (let index = 0; index < 40; index++) await append(`lanes-${index}`)
      await expect.poll(() => new Set(seen)).toEqual(new Set([2, 5]))
    })
  })

  describe('a live follower', () => {
    test('sees a new entry once it is committed', async () => {
      const { promise: seen, resolve } = Promise.withResolvers<void>()
      await followLive('now', () => resolve())
      await append('fast')
      await seen
    })

    test('that comes back with its token is given all that it missed, and nothing twice', async () => {
      const seen: string[] = []
      const first: LiveFollower = await followLive('now', (entries) => void seen.push(...idsOf(entries)))
      for (let index = 0; index < 5; index++) await append(`entity-${index}`)
      await expect.poll(() => seen.length).toBe(5)
      const token = first.token()
      first.stop()
      for (let index = 5; index < 10; index++) await append(`entity-${index}`)
      expect(seen).toHaveLength(5)
      await followLive(token, (entries) => void seen.push(...idsOf(entries)))
      await append('entity-10')
      await expect.poll(() => seen.length).toBe(11)
      expect(seen.toSorted()).toEqual(Array.from({ length: 11 }, (_, index) => `entity-${index}`).toSorted())
    })

    test('costs nothing while there is none; the first to come is given what comes then', async () => {
      let statements = 0
      const db = database.db.withPlugin({
        transformQuery({ node }) {
          statements++
          return node
        },
        transformResult: async ({ result }) => result,
      })
      const counted = { ...database.database, db }
      const unfollowed = await startJournal({ database: counted, transact: database.transact, log })
      journals.push(unfollowed)
      const told: string[] = []
      await followLive('now', (entries) => void told.push(...idsOf(entries)))
      await append('before')
      await expect.poll(() => told).toEqual(['before'])
      expect(statements).toBe(0)
      const seen: string[] = []
      const onEntries = (entries: readonly JournalEntry[]) => void seen.push(...idsOf(entries))
      await unfollowed.followLive({ from: 'now', onEntries })
      await append('after')
      await expect.poll(() => seen).toEqual(['after'])
    })

    test('that is slow gets everything nevertheless, and holds up nobody', async () => {
      const slow: string[] = []
      const quick: string[] = []
      await journal.followLive({
        from: 'now',
        async onEntries(entries) {
          await new Promise((resolve) => setTimeout(resolve, 200))
          slow.push(...idsOf(entries))
        },
      })
      await followLive('now', (entries) => void quick.push(...idsOf(entries)))
      // More than is kept in memory for a follower.
      for (let batch = 0; batch < 5; batch++)
        await database.transact(async (tx) => {
          for (let index = 0; index < 500; index++)
            tx.append({ stream, entityId: `${batch}/${index}`, kind: 'test.done', data: {}, actor: 'system' })
        })
      await expect.poll(() => quick.length).toBe(2_500)
      await expect.poll(() => slow.length).toBe(2_500)
      expect(new Set(slow).size).toBe(2_500)
    })

    test('whose handler fails is ended and told so; the others go on', async () => {
      const ended: unknown[] = []
      const seen: string[] = []
      await journal.followLive({
        from: 'now',
        onEntries: () => Promise.reject(new Error('socket closed')),
        onEnd: (error) => void ended.push(error),
      })
      await followLive('now', (entries) => void seen.push(...idsOf(entries)))
      await append('one')
      await expect.poll(() => seen).toEqual(['one'])
      await append('two')
      await expect.poll(() => seen).toEqual(['one', 'two'])
      expect(ended).toEqual([new Error('socket closed')])
    })

    test.each([
      ['garbage', 'garbage'],
      ['a place beyond the end', encodeResumeToken([0n, 0n, 0n, 10n ** 12n, 0n, 0n, 0n, 0n])],
    ])('with %s as its token is refused', async (_what, from) => {
      expect(await journal.followLive({ from, onEntries: () => undefined })).toMatchObject({
        refused: 'RESUME_TOKEN_INVALID',
      })
    })

    test('misses nothing when the LISTEN connection is cut', async () => {
      const seen: string[] = []
      await followLive('now', (entries) => void seen.push(...idsOf(entries)))
      await database.queryAsOwner(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'holdfast journal wake-ups' and datname = current_database()`,
      )
      await append('after the cut')
      await expect.poll(() => seen).toEqual(['after the cut'])
      await append('and later')
      await expect.poll(() => seen).toEqual(['after the cut', 'and later'])
    })
  })
}
