import { isRefusal, type JsonObject, type Refusal, refuse } from '@holdfast/core'
import type { ZoneDecision } from '@holdfast/core/zones/zone-moves'
import { decideZone, hearZone } from '@holdfast/core/zones/zone-plan'
import type {
  ZoneCommand,
  ZoneEffect,
  ZoneReport,
  ZoneRequest,
  ZoneState,
} from '@holdfast/core/zones/zone-states'
import { type Cause, type Entity, record } from '../platform/entity-loop.ts'
import type { NewJob, Transact, Transaction } from '../platform/transaction.ts'
import { insertZone, lockZone, updateZone } from './zone-store.ts'

const ZONE: Entity<ZoneState, ZoneCommand, ZoneEffect> = {
  stream: 'zone',
  idOf: ({ domain }) => domain,
  shown: ({ phase }) => ({ phase }),
  encode: (command) => command as unknown as JsonObject,
  jobOf,
}

/** Hears a report about a zone: locks it, decides, keeps. Null when the zone is not kept here. */
export type TellZone = (domain: string, report: ZoneReport) => Promise<ZoneState | null>

export function makeTellZone(deps: { transact: Transact; clock: () => number }): TellZone {
  return (domain, report) =>
    deps.transact(async (tx) => {
      const state = await lockZone(tx.db, domain)
      if (state === null) return null
      const now = deps.clock()
      const decision = hearZone(state, report, now)
      await keep(tx, state, decision, { command: report, actor: actorOf(report), now })
      return decision.state
    })
}

/** Takes a zone into the plan as it is; false: it is known, and stays as it is. */
export async function adoptZone(
  tx: Transaction,
  request: Extract<ZoneRequest, { kind: 'adopt' }>,
  now: number,
): Promise<boolean> {
  const decision = decideZone(null, request, now)
  if (isRefusal(decision) || !(await insertZone(tx.db, decision))) return false
  record(tx, ZONE, null, decision, { command: request, actor: 'system', now })
  return true
}

/** An operator's request, in the operator's transaction. */
export async function requestZone(
  tx: Transaction,
  asking: { domain: string; command: ZoneRequest; by: string; now: number },
): Promise<ZoneState | Refusal> {
  const state = await lockZone(tx.db, asking.domain)
  if (state === null) return refuse('ZONE_NOT_FOUND')
  const decision = decideZone(state, asking.command, asking.now)
  if (isRefusal(decision)) return decision
  await keep(tx, state, decision, { command: asking.command, actor: asking.by, now: asking.now })
  return decision.state
}

async function keep(
  tx: Transaction,
  before: ZoneState,
  decision: ZoneDecision,
  cause: Cause<ZoneCommand>,
): Promise<void> {
  if (decision.state !== before || decision.effects.length > 0) await updateZone(tx.db, decision)
  record(tx, ZONE, before, decision, cause)
}

/** One look and one action wait per zone; a later one takes the place of the earlier. */
function jobOf(domain: string, effect: ZoneEffect): NewJob {
  const runAt = new Date(effect.at)
  return effect.kind === 'observe'
    ? {
        task: 'zones:observe',
        payload: { domain, looks: effect.looks },
        key: `zone:${domain}:observe`,
        runAt,
      }
    : {
        task: 'zones:act',
        payload: { domain, action: effect.action, attempt: effect.attempt },
        key: `zone:${domain}:act`,
        runAt,
      }
}

function actorOf(report: ZoneReport): string {
  return report.kind === 'observed' ? 'dns' : 'system'
}
