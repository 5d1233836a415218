import type { UnhealthyReason } from '@holdfast/core/names/name-health'
import type { NameJob, NamePhase, NameState } from '@holdfast/core/names/name-states'
import type { ColumnType, Generated } from 'kysely'
import type { Reconciliation } from './reconciliation.ts'

/** The tables of migrations 030 to 039 and 101; no other slice reads or writes them. */
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
    job_id: string | null
    quarantine_until: Date | null
    watch_at: Generated<Date>
    watch_finding: UnhealthyReason | null
  }
  zone_reconciliation: {
    domain: string
    due_at: Date
    at: Date | null
    report: ColumnType<Reconciliation | null, string | null, string>
  }
  name_job: {
    id: string
    registration_id: string
    job: ColumnType<NameJob, string, never>
  }
}

declare module '../platform/database.ts' {
  interface Database extends NameTables {}
}
