import { actionOf } from '@holdfast/core/zones/zone-moves'
import type { OpenDatabase } from '../platform/database.ts'
import type { Task } from '../platform/jobs.ts'
import type { ActOnZone } from './act-on-zone.ts'
import type { ObserveZone } from './observe-zone.ts'
import type { TellZone } from './zone-saga.ts'
import { findZone } from './zone-store.ts'

export function makeZoneTasks(deps: {
  database: Pick<OpenDatabase, 'db'>
  observe: ObserveZone
  act: ActOnZone
  tell: TellZone
}): Record<string, Task> {
  const { database, observe, act, tell } = deps
  return {
    'zones:observe': async (payload) => {
      const domain = String(payload.domain)
      const observation = await observe(domain)
      await tell(domain, { kind: 'observed', observation, looks: Number(payload.looks) })
    },
    'zones:act': async (payload, { signal, log }) => {
      const domain = String(payload.domain)
      const state = await findZone(database.db, domain)
      const wanted = state && actionOf(state)
      // The plan may have gone on, or another attempt taken this one's place.
      if (!wanted || wanted.action !== payload.action || wanted.attempt !== payload.attempt) return
      const { action, attempt, ds } = wanted
      try {
        const outcome = await act({ domain, action, ds, signal })
        await tell(domain, { kind: outcome === 'done' ? 'acted' : 'person-asked', action, attempt })
      } catch (error) {
        log.warn({ err: error, domain, action }, 'an action on a zone failed and will be tried again')
        await tell(domain, { kind: 'action-failed', action, attempt, reason: (error as Error).message })
      }
    },
  }
}
