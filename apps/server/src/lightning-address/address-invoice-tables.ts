import type { PayerData } from '@holdfast/protocols/lnurl/payer-data'
import type { ColumnType } from 'kysely'
import type { AddressInvoice } from './address-invoice.ts'

/** The table of migrations 060 to 062; no other slice reads or writes it. */
export type AddressInvoiceTables = {
  address_invoice: {
    id: string
    payment_hash: string
    owner: string
    user_part: string
    domain: string
    invoice: string
    amount_msat: bigint
    comment: string | null
    payer_data: ColumnType<PayerData | null, string | null, string | null>
    zap_request: string | null
    phase: AddressInvoice['phase']
    requested_at: Date
    expires_at: Date
    paid_at: Date | null
    received_msat: bigint | null
    look_at: Date | null
  }
}

declare module '../platform/database.ts' {
  interface Database extends AddressInvoiceTables {}
}
