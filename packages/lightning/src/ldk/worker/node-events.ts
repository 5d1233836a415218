import type { NodeEvent } from '../../ports.ts'
import type { Store } from './store.ts'

type WithoutPlace<Event> = Event extends NodeEvent ? Omit<Event, 'cursor' | 'at'> : never
export type EventData = WithoutPlace<NodeEvent>

const MOST_AT_ONCE = 1000
const LONGEST_WAIT_MS = 60_000

type Row = { cursor: number; at: number; kind: string; data: string }

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
    return (
      this.#store.get<{ latest: number | null }>('SELECT MAX(cursor) AS latest FROM node_events')?.latest ?? 0
    )
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
    return this.#store
      .all<Row>(
        'SELECT cursor, at, kind, data FROM node_events WHERE cursor > ? ORDER BY cursor LIMIT ?',
        cursor,
        limit,
      )
      .map(({ cursor, at, kind, data }) => ({ cursor, at, kind, ...parse(data) }) as NodeEvent)
  }
}

function parse(json: string): object {
  return JSON.parse(json, (key, value) =>
    key.endsWith('Msat') && typeof value === 'string' ? BigInt(value.slice(0, -1)) : value,
  )
}
