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

type Query = (text: unknown, values?: unknown, callback?: unknown) => unknown

/**
 * A connection that lets PostgreSQL parse and plan each statement with parameters once: that is more than half of what
 * our small statements cost it.
 */
export class PreparingClient extends pg.Client {
  #generation = 0

  override query: pg.Client['query'] = ((text: unknown, values?: unknown, callback?: unknown) => {
    const query = super.query as Query
    const name = typeof text === 'string' && isFilled(values) ? nameOf(text) : undefined
    if (name === undefined || callback !== undefined) return query.call(this, text, values, callback)
    const answer = query.call(this, { name: `${name}.${this.#generation}`, text, values }) as Promise<unknown>
    return answer.catch((error: unknown) => {
      // Under a new name it is planned anew.
      if (isStalePlan(error)) this.#generation++
      throw error
    })
  }) as pg.Client['query']
}

function isFilled(values: unknown): values is unknown[] {
  return Array.isArray(values) && values.length > 0
}
