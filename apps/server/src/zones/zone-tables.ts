import type { ZonePhase, ZoneState } from '@holdfast/core/zones/zone-states'
import type { ColumnType } from 'kysely'

/** The table of migration 090; no other slice reads or writes it. */
export type ZoneTables = {
  zone: {
    domain: string
    phase: ZonePhase['phase']
    state: ColumnType<ZoneState, string, string>
    look_at: Date
  }
}

declare module '../platform/database.ts' {
  interface Database extends ZoneTables {}
}
