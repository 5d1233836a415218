import { createHash, randomBytes } from 'node:crypto'
import type { Hex } from '@holdfast/lightning'
import type { AuthEvent } from '@holdfast/protocols/nip98'
import type { Kysely } from 'kysely'
import type { IdentityTables } from './identity-tables.ts'

/** `token` is shown once; the database keeps its SHA-256 only. `expiresAt` is milliseconds since 1970. */
export type Session = { token: string; expiresAt: number; owner: Hex }

/** How long a token is good. */
export const SESSION_TTL_MS = 15 * 60_000

/** 32 bytes in base64url without padding. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/

export async function openSession(
  db: Kysely<IdentityTables>,
  session: { openedBy: AuthEvent; now: number; ttlMs: number },
): Promise<Session> {
  const token = randomBytes(32).toString('base64url')
  const expiresAt = session.now + session.ttlMs
  const { id, pubkey: owner } = session.openedBy
  await db
    .insertInto('session')
    .values({
      token_sha256: sha256(token),
      owner,
      created_at: new Date(session.now),
      expires_at: new Date(expiresAt),
      opened_by: Buffer.from(id, 'hex'),
      opening_event: JSON.stringify(session.openedBy),
    })
    .execute()
  return { token, expiresAt, owner }
}

/** The owner that a token speaks for, or `null` when it is malformed, unknown, revoked or expired. */
export async function ownerOfToken(
  db: Kysely<IdentityTables>,
  token: string,
  now: number,
): Promise<Hex | null> {
  const digest = digestOfToken(token)
  if (digest === null) return null
  const row = await db
    .selectFrom('session')
    .select('owner')
    .where('token_sha256', '=', digest)
    .where('expires_at', '>', new Date(now))
    .executeTakeFirst()
  return row?.owner ?? null
}

/** Under which a token's session is found; `null` when it cannot be one of ours. */
export function digestOfToken(token: string): Uint8Array | null {
  return TOKEN.test(token) ? sha256(token) : null
}

/** Revoking what is not there succeeds. */
export async function revokeSession(db: Kysely<IdentityTables>, token: string): Promise<void> {
  await db.deleteFrom('session').where('token_sha256', '=', sha256(token)).execute()
}

export async function revokeSessionsOf(db: Kysely<IdentityTables>, owner: Hex): Promise<void> {
  await db.deleteFrom('session').where('owner', '=', owner).execute()
}

// The lookup goes by the digest, so that how long a comparison takes tells nothing about a valid token.
function sha256(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
