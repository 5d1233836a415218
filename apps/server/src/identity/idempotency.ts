import { createHash } from 'node:crypto'
import { REFUSALS, type Refusal, refuse } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import { type Kysely, type Selectable, sql } from 'kysely'
import type { IdentityTables } from './identity-tables.ts'

/** What was answered to a mutation: `body` is the JSON text as sent, empty when there is none. */
export type StoredAnswer = { status: number; headers: Readonly<Record<string, string>>; body: string }

/** One request of one owner under one key. `fingerprint` tells whether another request is the same one. */
export type IdempotentRequest = { owner: Hex; key: string; fingerprint: Uint8Array }

const KEY = /^[A-Za-z0-9_-]{1,64}$/

/** Postgres' `lock_not_available`, raised when `lock_timeout` has passed. */
const LOCK_NOT_AVAILABLE = '55P03'

export function parseIdempotencyKey(header: string | string[] | undefined): string | Refusal {
  return typeof header === 'string' && KEY.test(header) ? header : refuse('IDEMPOTENCY_KEY_REQUIRED')
}

/** SHA-256 over method, path with query, and the digest of the body; none of the first two can hold a newline. */
export function fingerprint(method: string, path: string, bodySha256: Uint8Array): Uint8Array {
  return createHash('sha256').update(`${method}\n${path}\n`).update(bodySha256).digest()
}

/** `new`: execute it and `store` its answer. `stored`: answer this again. `declined`: do neither. */
export type Claim =
  | { state: 'new' }
  | { state: 'stored'; answer: StoredAnswer | Refusal }
  | { state: 'declined'; refusal: Refusal }

/**
 * Waits, in the caller's transaction, until no other transaction is answering the same key, and holds the key until
 * that transaction ends. After `declined` the transaction must be rolled back.
 */
export async function claim(db: Kysely<IdentityTables>, request: IdempotentRequest): Promise<Claim> {
  try {
    await sql`select lock_idempotency_key(${request.owner}, ${request.key})`.execute(db)
  } catch (error) {
    if (!hasCode(error, LOCK_NOT_AVAILABLE)) throw error
    return { state: 'declined', refusal: refuse('IDEMPOTENCY_IN_PROGRESS') }
  }
  const row = await db
    .selectFrom('idempotency_key')
    .selectAll()
    .where('owner', '=', request.owner)
    .where('key', '=', request.key)
    .executeTakeFirst()
  if (!row) return { state: 'new' }
  if (Buffer.compare(row.fingerprint, request.fingerprint) !== 0) {
    return { state: 'declined', refusal: refuse('IDEMPOTENCY_KEY_REUSED') }
  }
  return { state: 'stored', answer: storedAnswer(row) }
}

export async function store(
  db: Kysely<IdentityTables>,
  request: IdempotentRequest,
  outcome: StoredAnswer | Refusal,
  now: number,
): Promise<void> {
  const refused = 'refused' in outcome
  await db
    .insertInto('idempotency_key')
    .values({
      ...request,
      created_at: new Date(now),
      status: refused ? null : outcome.status,
      headers: refused ? null : outcome.headers,
      body: refused ? null : outcome.body,
      refusal_code: refused ? outcome.refused : null,
      refusal_data: refused ? outcome.data : null,
    })
    .execute()
}

/**
 * Whether a refusal is the request's final answer. One that may turn out otherwise by itself (not signed, timed
 * out, too many, or anything that is our fault) is not: the same request may be sent again under the same key.
 */
export function isFinal(refusal: Refusal): boolean {
  const { status } = REFUSALS[refusal.refused]
  return status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 429
}

function storedAnswer(row: Selectable<IdentityTables['idempotency_key']>): StoredAnswer | Refusal {
  const { status, headers, body, refusal_code: code, refusal_data: data } = row
  if (code !== null && data !== null) return refuse(code, data)
  if (status !== null && headers !== null && body !== null) return { status, headers, body }
  throw new Error('An idempotency row holds neither an answer nor a refusal.')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
