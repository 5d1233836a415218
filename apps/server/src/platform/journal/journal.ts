import type { ChainCheck, Refusal } from '@holdfast/core'
import type { OpenDatabase } from '../database.ts'
import type { Log } from '../log.ts'
import type { Loop } from '../loop-on-wake.ts'
import type { Transact } from '../transaction.ts'
import { type DurableFollowerOptions, followDurably } from './durable-follower.ts'
import { type LiveFollower, type LiveFollowerOptions, startLiveTail } from './live-tail.ts'
import { type JournalEntry, readEntity, verifyEntity } from './read-entries.ts'
import { type OwnCommits, startWakeUps } from './wake-ups.ts'

export interface Journal {
  /** Follows with a position kept in the database, for work that must not be missed. */
  follow(options: DurableFollowerOptions): Promise<Loop>
  /** Follows for a client that keeps its own position as a resume token. */
  followLive(options: LiveFollowerOptions): Promise<LiveFollower | Refusal>
  /** All entries of one entity, oldest first. */
  readEntity(stream: string, entityId: string): Promise<JournalEntry[]>
  /** Recomputes the hash chain of one entity. */
  verifyEntity(stream: string, entityId: string): Promise<ChainCheck>
  /** Ends all followers after the batch that they are working on. */
  stop(): Promise<void>
}

/** Reading and following the journal; appending is `Transaction.append`. */
export async function startJournal(options: {
  database: OpenDatabase
  transact: Transact
  log: Log
  /** What `startDispatch` tells of: its followers look sooner. */
  ownCommits?: OwnCommits
}): Promise<Journal> {
  const { database, transact, log, ownCommits } = options
  const wakeUps = await startWakeUps({ database, log, ...(ownCommits && { ownCommits }) })
  const tail = startLiveTail({ database, wakeUps, log })
  const followers = new Set<Loop>()
  return {
    async follow(follow) {
      const loop = await followDurably({ transact, wakeUps, log }, follow)
      followers.add(loop)
      return {
        async stop() {
          followers.delete(loop)
          await loop.stop()
        },
      }
    },
    followLive: (follow) => tail.follow(follow),
    readEntity: (stream, entityId) => readEntity(database.db, stream, entityId),
    verifyEntity: (stream, entityId) => verifyEntity(database.db, stream, entityId),
    async stop() {
      await Promise.all([...followers].map((loop) => loop.stop()))
      await tail.stop()
      await wakeUps.stop()
    },
  }
}
