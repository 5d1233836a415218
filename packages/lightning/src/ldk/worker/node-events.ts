import type { NodeEvent } from '../../ports.ts'
import { checkWhole } from './checks.ts'
import type { Store } from './store.ts'

type WithoutPlace<Event> = Event extends NodeEvent ? Omit<Event, 'cursor' | 'at'> : never
export type EventData = Exclude<WithoutPlace<NodeEvent>, { kind: 'events-forgotten' }>

const MOST_AT_ONCE = 1000
const LONGEST_WAIT_MS = 60_000
const KEPT_MS = 30 * 24 * 3600_000
/** In one turn, which nobody shall notice. */
const FORGOTTEN_AT_ONCE = 1000

type Row = { cursor: number; at: number; kind: string; data: string }
type Marks = { acknowledged: number | null; forgotten: number; forgotten_at: number }

/** The durable events of a node, numbered in the order of their commits. */
export class EventLog {
  readonly #store: Store
  readonly #waiting = new Set<(came: boolean) => void>()
  #fresh = false
  #stopped = false

  constructor(store: Store) {
    this.#store = store
  }

  record(event: EventData, at: number): void {
    const { kind, ...data } = event
    const json = JSON.stringify(data, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
    this.#store.run('INSERT INTO node_events (at, kind, data) VALUES (?, ?, ?)', at, kind, json)
    this.#fresh = true
  }

  latest(): number {
    const newest = this.#store.get<{ cursor: number | null }>('SELECT MAX(cursor) AS cursor FROM node_events')
    return newest?.cursor ?? this.#marks().forgotten
  }

  /** Never goes back: two instances of the follower may be at different places. */
  acknowledge(cursor: number): void {
    checkWhole(cursor, 'An acknowledged cursor', 0, Number.MAX_SAFE_INTEGER)
    // What has not happened yet cannot have been heard.
    const heard = Math.min(cursor, this.latest())
    this.#store.run(
      'UPDATE event_log SET acknowledged = ? WHERE acknowledged IS NULL OR acknowledged < ?',
      heard,
      heard,
    )
  }

  /** Forgets some of what is old enough and acknowledged; called now and then, within a turn. */
  forgetOld(now: number): void {
    const { acknowledged, forgotten } = this.#marks()
    const last = forgotten + FORGOTTEN_AT_ONCE
    const before = this.#store.get<{ cursor: number }>(
      'SELECT cursor FROM node_events WHERE at >= ? ORDER BY cursor LIMIT 1',
      now - KEPT_MS,
    )
    const upTo = Math.min(last, acknowledged ?? last, before ? before.cursor - 1 : last, this.latest())
    if (upTo <= forgotten) return
    this.#store.run('DELETE FROM node_events WHERE cursor <= ?', upTo)
    this.#store.run('UPDATE event_log SET forgotten = ?, forgotten_at = ?', upTo, now)
  }

  async since(cursor: number, options: { limit?: number; waitMs?: number } = {}): Promise<NodeEvent[]> {
    const limit = Math.min(options.limit ?? MOST_AT_ONCE, MOST_AT_ONCE)
    const found = this.#read(cursor, limit)
    const waitMs = Math.min(options.waitMs ?? 0, LONGEST_WAIT_MS)
    if (found.length > 0 || waitMs <= 0) return found
    await this.next(waitMs)
    return this.#read(cursor, limit)
  }

  /** Waits for the next event, at most so long; false: there was none. */
  next(waitMs: number): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false)
    return new Promise((resolve) => {
      const done = (came: boolean) => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve(came)
      }
      const timer = setTimeout(() => done(false), waitMs)
      this.#waiting.add(done)
    })
  }

  /** After the commit: who waited may look now. */
  flush(): void {
    if (!this.#fresh) return
    this.#fresh = false
    for (const wake of [...this.#waiting]) wake(true)
  }

  stop(): void {
    this.#stopped = true
    for (const wake of [...this.#waiting]) wake(false)
  }

  #read(cursor: number, limit: number): NodeEvent[] {
    const { forgotten, forgotten_at: at } = this.#marks()
    if (cursor < forgotten) return [{ kind: 'events-forgotten', cursor: forgotten, at }]
    return this.#store
      .all<Row>(
        'SELECT cursor, at, kind, data FROM node_events WHERE cursor > ? ORDER BY cursor LIMIT ?',
        cursor,
        limit,
      )
      .map(({ cursor, at, kind, data }) => ({ cursor, at, kind, ...parse(data) }) as NodeEvent)
  }

  #marks(): Marks {
    const marks = this.#store.get<Marks>('SELECT acknowledged, forgotten, forgotten_at FROM event_log')
    if (!marks) throw new Error('A migration has written the row of event_log.')
    return marks
  }
}

function parse(json: string): object {
  return JSON.parse(json, (key, value) =>
    key.endsWith('Msat') && typeof value === 'string' ? BigInt(value.slice(0, -1)) : value,
  )
}
