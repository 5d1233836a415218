import type { RefusalCode, RefusalData } from '@holdfast/core'
import type { AuthEvent } from '@holdfast/protocols/nip98'
import type { ColumnType } from 'kysely'

/** The tables of migrations 020 and 021; no other slice reads or writes them. */
export type IdentityTables = {
  nip98_event: { id: Uint8Array; expires_at: Date }
  session: {
    token_sha256: Uint8Array
    owner: string
    created_at: Date
    expires_at: Date
    /** The id of the event that opened it, and the event. */
    opened_by: Uint8Array
    opening_event: ColumnType<AuthEvent, string, never>
  }
  /** Append-only. */
  signed_request: {
    id: Uint8Array
    event: ColumnType<AuthEvent, string, never>
    first_used_at: Date
  }
  /** Either the answer's three columns hold something or the refusal's two: a check constraint says so. */
  idempotency_key: {
    owner: string
    key: string
    fingerprint: Uint8Array
    created_at: Date
    status: number | null
    headers: Readonly<Record<string, string>> | null
    body: string | null
    refusal_code: RefusalCode | null
    refusal_data: RefusalData | null
  }
}

declare module '../platform/database.ts' {
  interface Database extends IdentityTables {}
}
