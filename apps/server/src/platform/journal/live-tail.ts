import { LANES, type Refusal, refuse } from '@holdfast/core'
import type { OpenDatabase } from '../database.ts'
import type { Log } from '../log.ts'
import { type Loop, loopOnWake } from '../loop-on-wake.ts'
import { type JournalEntry, type Positions, readEntries, readHeads, START } from './read-entries.ts'
import { decodeResumeToken, encodeResumeToken } from './resume-token.ts'
import type { WakeUps } from './wake-ups.ts'

export type LiveFollower = {
  /** Where it stands: give it back as `from` and nothing behind it is missed. */
  token(): string
  stop(): void
}

export type LiveFollowerOptions = {
  /** A resume token, or only what comes from now on. */
  from: string | 'now'
  /** Called in order per lane, one call at a time; when it throws or rejects, the follower stops and `onEnd` is called. */
  onEntries: (entries: readonly JournalEntry[]) => void | Promise<void>
  onEnd?: (error: unknown) => void
}

export interface LiveTail {
  /** `RESUME_TOKEN_INVALID` for a token that we did not give, or that lies beyond the journal's end. */
  follow(options: LiveFollowerOptions): Promise<LiveFollower | Refusal>
  stop(): Promise<void>
}

const BATCH = 500
/** A follower that is further behind reads from the database instead of keeping so much in memory. */
const QUEUE_LIMIT = 2_000
const ALL_LANES = Array.from({ length: LANES }, (_, lane) => lane)

/**
 * Hands new entries to any number of followers in this process (WebSockets, subscriptions), reading each entry from
 * the database once, and none while nobody follows. Their positions live with their clients, as resume tokens.
 */
export function startLiveTail(options: { database: OpenDatabase; wakeUps: WakeUps; log: Log }): LiveTail {
  const { database, wakeUps, log } = options
  const followers = new Set<Follower>()
  /** What the followers have been offered. */
  let heads = [...START]
  const loop: Loop = loopOnWake({
    wakeUps,
    log,
    what: 'reading the journal',
    async step() {
      if (followers.size === 0) return 'done'
      const entries = await readEntries(database.db, heads, ALL_LANES, BATCH)
      if (entries.length === 0) return 'done'
      for (const { lane, position } of entries) heads[lane] = position
      for (const follower of followers) follower.offer(entries)
      return entries.length >= BATCH ? 'more' : 'done'
    },
  })
  return {
    async follow(follow) {
      // Another instance may have shown the client an entry that our tail has not read yet.
      const committed = await readHeads(database.db)
      const from = startingPoint(follow.from, committed)
      if (from === null) return refuse('RESUME_TOKEN_INVALID')
      const follower = new Follower(database, from, follow, () => followers.delete(follower))
      if (followers.size === 0) heads = [...committed]
      followers.add(follower)
      follower.start()
      return { token: () => follower.token(), stop: () => follower.stop() }
    },
    async stop() {
      for (const follower of followers) follower.stop()
      await loop.stop()
    },
  }
}

function startingPoint(from: string, committed: Positions): Positions | null {
  if (from === 'now') return committed
  const positions = decodeResumeToken(from)
  return positions?.every((position, lane) => position <= committed[lane]!) ? positions : null
}

/** One client: what it is offered is queued; whatever is missing before the queue is read from the database. */
class Follower {
  readonly #database: OpenDatabase
  readonly #options: LiveFollowerOptions
  readonly #leave: () => void
  readonly #positions: bigint[]
  #queue: JournalEntry[] = []
  /** The queue is not enough: something before it was never offered, or it had to be dropped. */
  #behind = true
  #running = false
  #stopped = false

  constructor(database: OpenDatabase, from: Positions, options: LiveFollowerOptions, leave: () => void) {
    this.#database = database
    this.#positions = [...from]
    this.#options = options
    this.#leave = leave
  }

  token(): string {
    return encodeResumeToken(this.#positions)
  }

  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#stopped = true
    this.#queue = []
    this.#leave()
  }

  offer(entries: readonly JournalEntry[]): void {
    if (this.#queue.length + entries.length > QUEUE_LIMIT) {
      this.#queue = []
      this.#behind = true
    } else {
      this.#queue.push(...entries)
    }
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      while (!this.#stopped) {
        const entries = this.#behind ? await this.#catchUp() : this.#takeQueue()
        if (entries.length > 0) await this.#deliver(entries)
        else if (!this.#behind && this.#queue.length === 0) return
      }
    } catch (error) {
      this.stop()
      this.#options.onEnd?.(error)
    } finally {
      this.#running = false
    }
  }

  async #catchUp(): Promise<JournalEntry[]> {
    const entries = await readEntries(this.#database.db, this.#positions, ALL_LANES, BATCH)
    if (entries.length === 0) this.#behind = false
    return entries
  }

  /** Drops what was read from the database already; a gap means that the database must be read first. */
  #takeQueue(): JournalEntry[] {
    const next = [...this.#positions]
    const entries: JournalEntry[] = []
    for (const entry of this.#queue) {
      if (entry.position <= next[entry.lane]!) continue
      if (entry.position > next[entry.lane]! + 1n) {
        this.#behind = true
        break
      }
      next[entry.lane] = entry.position
      entries.push(entry)
    }
    this.#queue = []
    return entries
  }

  async #deliver(entries: readonly JournalEntry[]): Promise<void> {
    // Sooner than the call: a token asked for within it covers what it was given.
    for (const { lane, position } of entries) this.#positions[lane] = position
    await this.#options.onEntries(entries)
  }
}
