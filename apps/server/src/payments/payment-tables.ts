import type { JsonObject } from '@holdfast/core'
import type { PaymentPhase } from '@holdfast/core/payments/payment-states'
import type { ColumnType } from 'kysely'

/** The table of migration 040; no other slice reads or writes it. */
export type PaymentTables = {
  payment: {
    id: string
    node_payment_id: string
    owner: string
    phase: PaymentPhase['phase']
    state: ColumnType<JsonObject, string, string>
    requested_at: Date
    look_at: Date | null
  }
}

declare module '../platform/database.ts' {
  interface Database extends PaymentTables {}
}
