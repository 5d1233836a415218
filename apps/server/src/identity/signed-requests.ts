import type { Hex } from '@holdfast/lightning'
import type { AuthEvent } from '@holdfast/protocols/nip98'
import { type RawBuilder, sql } from 'kysely'
import type { Transaction } from '../platform/transaction.ts'

/** The NIP-98 event that authorizes a request: its own, or the one that opened the session whose token it carries. */
export type Authority = {
  readonly id: Hex
  /** Null: it stands in `signed_request` already. */
  readonly event: AuthEvent | null
}

/**
 * A transaction whose entries say in their data which signed event authorized them (`signedRequest`), and in which
 * request (`requestId`, of the logs). The event is kept, for ever, together with the first entry that refers to it.
 */
export function authorizedBy(
  tx: Transaction,
  { id, event }: Authority,
  { requestId, now }: { requestId: string; now: number },
): Transaction {
  let toKeep = event
  return {
    ...tx,
    append(entry) {
      if (toKeep !== null) tx.writeLast(keeping(toKeep, now))
      toKeep = null
      tx.append({ ...entry, data: { ...entry.data, requestId, signedRequest: id } })
    },
  }
}

/** Mutations of one session may keep its event at the same time: it is the same event. */
function keeping(event: AuthEvent, now: number): RawBuilder<unknown> {
  return sql`insert into signed_request (id, event, first_used_at)
    values (${Buffer.from(event.id, 'hex')}, ${JSON.stringify(event)}, ${new Date(now)}) on conflict do nothing`
}
