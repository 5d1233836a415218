import type { AuthEvent } from '@holdfast/protocols/nip98'
import type { Kysely } from 'kysely'
import type { IdentityTables } from './identity-tables.ts'

/**
 * Marks an event as used and tells whether this was the first time. The primary key decides between instances. It
 * commits before the request is executed: an event is spent even when the request then fails, because a header such
 * as Idempotency-Key is not covered by its signature.
 */
export async function useEvent(
  db: Kysely<IdentityTables>,
  { event, expiresAt }: { event: AuthEvent; expiresAt: number },
): Promise<boolean> {
  const inserted = await db
    .insertInto('nip98_event')
    .values({ id: Buffer.from(event.id, 'hex'), expires_at: new Date(expiresAt) })
    .onConflict((conflict) => conflict.doNothing())
    .returning('expires_at')
    .executeTakeFirst()
  return inserted !== undefined
}
