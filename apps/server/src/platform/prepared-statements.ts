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

/**
 * A connection that lets PostgreSQL parse and plan each statement with parameters once, which is more than half of what
 * our small statements cost it, and that sends a BEGIN together with the statement after it, which saves each
 * transaction one of its round trips. Needs `pipeline: true`.
 */
export class PreparingClient extends pg.Client {
  #generation = 0
  /** A BEGIN that waits for its first statement. */
  #begin: string | null = null

  override query: pg.Client['query'] = ((text: unknown, values?: unknown, callback?: unknown) => {
    if (typeof text !== 'string' || callback !== undefined) return this.#send(text, values, callback)
    if (BEGIN.test(text)) {
      this.#begin = text
      return Promise.resolve(emptyResult('BEGIN'))
    }
    const begin = this.#begin
    if (begin === null) return this.#send(text, values)
    this.#begin = null
    // Nothing was done in it.
    if (END.test(text)) return Promise.resolve(emptyResult(text.toUpperCase()))
    return this.#together(begin, text, values)
  }) as pg.Client['query']

  async #together(begin: string, text: string, values: unknown): Promise<pg.QueryResult> {
    const { stream } = (this as unknown as { connection: { stream: Duplex } }).connection
    stream.cork()
    const sent = [this.#send(begin), this.#send(text, values)] as const
    stream.uncork()
    const [, result] = await Promise.all(sent)
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
