import type { Duplex } from 'node:stream'
import pg from 'pg'

/** What one connection may keep; statements beyond it are parsed each time. */
const MOST_STATEMENTS = 500

/** PostgreSQL refuses a prepared statement whose result has other columns since a migration: `feature_not_supported`. */
const STALE_PLAN = { code: '0A000', message: 'cached plan must not change result type' }

export function isStalePlan(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === STALE_PLAN.code &&
    error.message === STALE_PLAN.message
  )
}

/** The same text has the same name on every connection of this process. */
const names = new Map<string, string>()

function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= MOST_STATEMENTS) return known
  const name = `holdfast ${names.size}`
  names.set(text, name)
  return name
}

type Query = (text: unknown, values?: unknown, callback?: unknown) => Promise<pg.QueryResult>

const BEGIN = /^(begin|start transaction)\b/
const END = /^(commit|rollback)$/
/** Of these a single statement need not tell: it is a transaction of this kind by itself. */
const PLAIN_BEGIN = /^(begin|start transaction isolation level read committed)$/
/** For each new session: what `PLAIN_BEGIN` relies on, whatever the server's default is. */
export const PLAIN_SESSION = 'set session characteristics as transaction isolation level read committed'

/** Begins the last statement of a transaction. */
export const AND_COMMIT = '/* and commit */ '

/**
 * A connection that lets PostgreSQL parse and plan each statement with parameters once, which is more than half of what
 * our small statements cost it, and that saves each transaction two of its round trips: a BEGIN goes together with the
 * statement after it, and a COMMIT together with the one that begins with `AND_COMMIT`. When that one fails, PostgreSQL
 * takes the COMMIT for the ROLLBACK that follows anyway. Where that one is the only one, neither is sent: PostgreSQL
 * commits a statement that stands alone, and answers once instead of three times. Needs `pipeline: true` and
 * `PLAIN_SESSION`.
 */
export class PreparingClient extends pg.Client {
  #generation = 0
  /** A BEGIN that waits for its first statement. */
  #begin: string | null = null
  /** Of the COMMIT that has been sent, or that was not needed. */
  #end: Promise<pg.QueryResult> | null = null

  override query: pg.Client['query'] = ((text: unknown, values?: unknown, callback?: unknown) => {
    if (typeof text !== 'string' || callback !== undefined) return this.#send(text, values, callback)
    if (BEGIN.test(text)) {
      this.#begin = text
      return Promise.resolve(emptyResult('BEGIN'))
    }
    const begin = this.#begin
    this.#begin = null
    if (END.test(text)) {
      // Nothing was done in it.
      if (begin !== null) return Promise.resolve(emptyResult(text.toUpperCase()))
      const end = this.#end
      this.#end = null
      return end ?? this.#send(text)
    }
    return this.#together(begin, text, values)
  }) as pg.Client['query']

  async #together(begin: string | null, text: string, values: unknown): Promise<pg.QueryResult> {
    const isLast = text.startsWith(AND_COMMIT)
    if (begin === null && !isLast) return this.#send(text, values)
    if (begin !== null && isLast && PLAIN_BEGIN.test(begin)) {
      this.#end = Promise.resolve(emptyResult('COMMIT'))
      return this.#send(text, values)
    }
    const { stream } = (this as unknown as { connection: { stream: Duplex } }).connection
    stream.cork()
    const begun = begin === null ? null : this.#send(begin)
    const sent = this.#send(text, values)
    if (isLast) {
      this.#end = this.#send('commit')
      // Whoever ends the transaction hears of its failure.
      this.#end.catch(() => undefined)
    }
    stream.uncork()
    const [result] = await Promise.all([sent, begun])
    return result
  }

  #send(text: unknown, values?: unknown, callback?: unknown): Promise<pg.QueryResult> {
    const query = super.query as unknown as Query
    const name = typeof text === 'string' && isFilled(values) ? nameOf(text) : undefined
    if (name === undefined || callback !== undefined) return query.call(this, text, values, callback)
    return query.call(this, { name: `${name}.${this.#generation}`, text, values }).catch((error: unknown) => {
      // Under a new name it is planned anew.
      if (isStalePlan(error)) this.#generation++
      throw error
    })
  }
}

function emptyResult(command: string): pg.QueryResult {
  return { command, rowCount: null, oid: 0, fields: [], rows: [] }
}

function isFilled(values: unknown): values is unknown[] {
  return Array.isArray(values) && values.length > 0
}
