import { createHash } from 'node:crypto'
import { REFUSALS, type Refusal, refuse } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import type { AuthEvent } from '@holdfast/protocols/nip98'
import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { IdentityTables } from './identity-tables.ts'
import type { Authority } from './signed-requests.ts'

/** What was answered to a mutation: `body` is the JSON text as sent, empty when there is none. */
export type StoredAnswer = { status: number; headers: Readonly<Record<string, string>>; body: string }

/** What is asked under a key. `fingerprint` tells whether another request is the same one. */
export type KeyedRequest = { key: string; fingerprint: Uint8Array }

/** What an Idempotency-Key looks like. */
export const KEY = /^[A-Za-z0-9_-]{1,64}$/

/** Postgres' `lock_not_available`, raised when `lock_timeout` has passed. */
const LOCK_NOT_AVAILABLE = '55P03'

export function parseIdempotencyKey(header: string | string[] | undefined): string | Refusal {
  return typeof header === 'string' && KEY.test(header) ? header : refuse('IDEMPOTENCY_KEY_REQUIRED')
}

/**
 * SHA-256 over method, path with query, and the digest of the body; none of the first two can hold a newline. How long the
 * sender waits for an end (`?wait=`) is not part of what is asked for.
 */
export function fingerprint(method: string, path: string, bodySha256: Uint8Array): Uint8Array {
  return createHash('sha256')
    .update(`${method}\n${withoutWait(path)}\n`)
    .update(bodySha256)
    .digest()
}

function withoutWait(path: string): string {
  const [route = '', ...query] = path.split(/[?&]/)
  if (!query.some(isWait)) return path
  const asked = query.filter((field) => !isWait(field))
  return asked.length > 0 ? `${route}?${asked.join('&')}` : route
}

function isWait(field: string): boolean {
  return field.startsWith('wait=')
}

/** Who asks, and by what right. */
export type Proven = { readonly owner: Hex; readonly authority: Authority }

/** Who asks: an owner who is proven already, or the digest of a session token. */
export type Asker = Proven | { readonly tokenSha256: Uint8Array }

/** `new`: execute it and store its answer. `stored`: answer this again. `declined`: do neither. */
export type Claim =
  | ({ state: 'new' } & Proven)
  | { state: 'stored'; owner: Hex; answer: StoredAnswer | Refusal }
  | { state: 'declined'; owner: Hex | null; refusal: Refusal }

type ClaimedRow = Omit<
  Selectable<IdentityTables['idempotency_key']>,
  'owner' | 'key' | 'created_at' | 'fingerprint'
> & {
  owner: string | null
  fingerprint: Buffer | null
  opened_by: Buffer | null
  opening_event: AuthEvent | null
}

/**
 * Finds out who asks and waits, in the caller's transaction, until no other transaction is answering the same key; it
 * holds the key until that transaction ends. After `declined` the transaction must be rolled back.
 */
export async function claim(
  db: Kysely<IdentityTables>,
  asker: Asker,
  { key, fingerprint }: KeyedRequest,
  now: number,
): Promise<Claim> {
  const row = await claimedRow(db, asker, key, now)
  if (row === null) return { state: 'declined', owner: null, refusal: refuse('IDEMPOTENCY_IN_PROGRESS') }
  const { owner } = row
  if (owner === null) return { state: 'declined', owner, refusal: refuse('SESSION_INVALID') }
  if (row.fingerprint === null) {
    const authority =
      'owner' in asker ? asker.authority : { id: row.opened_by!.toString('hex'), event: row.opening_event }
    return { state: 'new', owner, authority }
  }
  if (Buffer.compare(row.fingerprint, fingerprint) !== 0) {
    return { state: 'declined', owner, refusal: refuse('IDEMPOTENCY_KEY_REUSED') }
  }
  return { state: 'stored', owner, answer: storedAnswer(row) }
}

/** Null: somebody else has held the key for too long. */
async function claimedRow(
  db: Kysely<IdentityTables>,
  asker: Asker,
  key: string,
  now: number,
): Promise<ClaimedRow | null> {
  const [token, sender] = 'owner' in asker ? [null, asker.owner] : [asker.tokenSha256, null]
  try {
    const { rows } = await sql<ClaimedRow>`
      select * from claim_request(${token}, ${sender}, ${key}, ${new Date(now)})`.execute(db)
    return rows[0]!
  } catch (error) {
    if (!hasCode(error, LOCK_NOT_AVAILABLE)) throw error
    return null
  }
}

/** The statement that keeps what was answered. */
export function storing(
  asked: KeyedRequest & { owner: Hex },
  outcome: StoredAnswer | Refusal,
  now: number,
): RawBuilder<unknown> {
  return storingFor(sql`${asked.owner}`, asked, outcome, now)
}

/**
 * The same for what was answered without a claim. Where the owner is not who asks, by the session that this event opened
 * (`token` null: by an event), or where the key is taken, it fails with an error of which `isNotNew` is true.
 */
export function storingIfNew(
  asked: KeyedRequest & { owner: Hex },
  answer: StoredAnswer,
  now: number,
  { token, openedBy }: { token: Uint8Array | null; openedBy: Hex },
): RawBuilder<unknown> {
  const opener = token && Buffer.from(openedBy, 'hex')
  const owner = sql`new_request_of(${token}, ${opener}, ${asked.owner}, ${asked.key}, ${new Date(now)})`
  return storingFor(owner, asked, answer, now)
}

/** `RQ001` of `new_request_of`. */
export function isNotNew(error: unknown): boolean {
  return hasCode(error, 'RQ001')
}

function storingFor(
  owner: RawBuilder<unknown>,
  { key, fingerprint }: KeyedRequest,
  outcome: StoredAnswer | Refusal,
  now: number,
): RawBuilder<unknown> {
  const start = sql`${owner}, ${key}, ${fingerprint}, ${new Date(now)}`
  return 'refused' in outcome
    ? sql`insert into idempotency_key (owner, key, fingerprint, created_at, refusal_code, refusal_data)
        values (${start}, ${outcome.refused}, ${JSON.stringify(outcome.data)})`
    : sql`insert into idempotency_key (owner, key, fingerprint, created_at, status, headers, body)
        values (${start}, ${outcome.status}, ${JSON.stringify(outcome.headers)}, ${outcome.body})`
}

/**
 * Whether a refusal is the request's final answer. One that may turn out otherwise by itself (not signed, timed
 * out, too many, or anything that is our fault) is not: the same request may be sent again under the same key.
 */
export function isFinal(refusal: Refusal): boolean {
  const { status } = REFUSALS[refusal.refused]
  return status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 429
}

function storedAnswer(row: ClaimedRow): StoredAnswer | Refusal {
  const { status, headers, body, refusal_code: code, refusal_data: data } = row
  if (code !== null && data !== null) return refuse(code, data)
  if (status !== null && headers !== null && body !== null) return { status, headers, body }
  throw new Error('An idempotency row holds neither an answer nor a refusal.')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
