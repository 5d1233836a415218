import type { NameReport } from './name-commands.ts'
import { isMendedByRecord } from './name-health.ts'
import type { NameIn, NameState } from './name-states.ts'
import { clean } from './settle-record.ts'

type Watched = Extract<NameReport, { kind: 'healthy' | 'unhealthy' }>

/** What was seen of a record that is not the live one any more says nothing. */
export function heardFromWatcher(state: NameState, report: Watched, now: number): NameState {
  if (state.phase !== 'active' || state.live.offer !== report.offer) return state
  if (report.kind === 'healthy') return state.unhealthy === null ? state : { ...state, unhealthy: null }
  const { reason } = report
  const known =
    state.unhealthy?.reason === reason ? state : { ...state, unhealthy: { reason, since: now } as const }
  return isMendedByRecord(reason) ? mend(known, report.found, now) : known
}

/** The live record is published again, also in the place of the one that was found. */
function mend(state: NameIn<'active'>, found: string | undefined, now: number): NameIn<'active'> {
  const { cleaning } = state
  const isUnderWay = cleaning?.wait && (found === undefined || cleaning.strays?.includes(found))
  return isUnderWay ? state : clean(state, [], now, found === undefined ? [] : [found])
}
