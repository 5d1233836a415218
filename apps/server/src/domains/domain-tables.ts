import type { DomainPhase, DomainState } from '@holdfast/core/domains/domain-states'
import type { ColumnType } from 'kysely'

/** The table of migration 050; no other slice reads or writes it. */
export type DomainTables = {
  domain_claim: {
    id: string
    domain: string
    owner: string
    label: string
    phase: DomainPhase['phase']
    state: ColumnType<DomainState, string, string>
    requested_at: Date
    look_at: Date | null
  }
}

declare module '../platform/database.ts' {
  interface Database extends DomainTables {}
}
