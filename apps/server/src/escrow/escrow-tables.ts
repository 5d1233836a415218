import type { JsonObject } from '@holdfast/core'
import type { EscrowKind, EscrowPhase } from '@holdfast/core/escrow/escrow-states'
import type { Custody } from '@holdfast/core/escrow/milestone-states'
import type { ColumnType } from 'kysely'

/** The tables of migrations 080 to 084, 103 and 107; no other slice reads or writes them. */
export type EscrowTables = {
  escrow: {
    id: string
    kind: EscrowKind
    custody: Custody
    buyer: string
    worker: string | null
    arbiter: string | null
    phase: EscrowPhase['phase']
    state: ColumnType<JsonObject, string, string>
    created_at: Date
    look_at: Date | null
    guardian_height: number | null
    committed_msat: ColumnType<bigint, bigint | undefined, bigint>
    open_holds: ColumnType<number, number | undefined, number>
    taken_holds: ColumnType<number, number | undefined, number>
    open_claims: ColumnType<string[], string[] | undefined, string[]>
    premature_settlements: ColumnType<number, number | undefined, number>
  }
  escrow_hash: { payment_hash: string; escrow_id: string; milestone: number; taken_at: Date }
  escrow_node: { node_id: string; event_cursor: bigint }
}

declare module '../platform/database.ts' {
  interface Database extends EscrowTables {}
}
