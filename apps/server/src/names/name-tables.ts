import type { NamePhase, NameState } from '@holdfast/core/names/name-states'
import type { ColumnType } from 'kysely'

/** The table of migration 030; no other slice reads or writes it. */
export type NameTables = {
  name_registration: {
    id: string
    owner: string
    user_part: string
    domain: string
    skeleton: string
    phase: NamePhase['phase']
    state: ColumnType<NameState, string, string>
    requested_at: Date
    look_at: Date | null
  }
}

declare module '../platform/database.ts' {
  interface Database extends NameTables {}
}
