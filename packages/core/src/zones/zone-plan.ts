import { type Refusal, refuse } from '../refusals.ts'
import { actionDue, actionOf, enter, unchanged, type ZoneDecision } from './zone-moves.ts'
import { observed } from './zone-observed.ts'
import type { ZoneAction, ZoneCommand, ZoneReport, ZoneRequest, ZoneState } from './zone-states.ts'

/**
 * The plan that takes a zone into DNSSEC, through rollovers, and out of it again, so that at no moment a validating
 * resolver can refuse it, whatever it remembers. Only what was observed at every server moves the plan on: an action
 * that says it was done is a reason to look, no more.
 *
 * - A DS is published only when every server has shown the keys for as long as unsigned answers may be remembered.
 * - Keys leave the zone only when no parent server has shown their DS for as long as a DS may be remembered
 *   (RFC 6781 §4.1.2 and §4.3.2.1; the wait of RFC 7583 §3.3.2 for the double-signature method).
 */
export function decideZone(
  state: ZoneState | null,
  command: ZoneCommand,
  now: number,
): ZoneDecision | Refusal {
  if (command.kind === 'adopt') return state === null ? adopt(command, now) : unchanged(state)
  if (state === null) return refuse('ZONE_NOT_FOUND')
  switch (command.kind) {
    case 'sign':
      return sign(state, now)
    case 'unsign':
      return unsign(state, now)
    case 'roll':
      return roll(state, now)
    default:
      return hearZone(state, command, now)
  }
}

/** `decideZone` for what may not be refused. */
export function hearZone(state: ZoneState, report: ZoneReport, now: number): ZoneDecision {
  switch (report.kind) {
    case 'observed':
      return observed(state, report, now)
    case 'acted':
      return isAwaited(state, report)
        ? { state, effects: [{ kind: 'observe', at: now, looks: 0 }] }
        : unchanged(state)
    case 'action-failed':
      return isAwaited(state, report) ? actionFailed(state, report, now) : unchanged(state)
    case 'person-asked':
      if (!isAwaited(state, report)) return unchanged(state)
      return { state: { ...state, problem: { code: 'PERSON_NEEDED', action: report.action } }, effects: [] }
    case 'time-passed':
      return { state, effects: [{ kind: 'observe', at: now, looks: 0 }, ...actionDue(state, now)] }
  }
}

/** 1 s, doubling, at most ten minutes. */
export function actionDelayMs(attempt: number): number {
  return Math.min(1_000 * 2 ** Math.min(attempt, 20), 600_000)
}

function adopt(request: Extract<ZoneRequest, { kind: 'adopt' }>, now: number): ZoneDecision {
  const { domain, maxTtlSeconds, assumedDsTtlSeconds } = request
  return {
    state: {
      v: 1,
      domain,
      maxTtlSeconds,
      dsTtl: { seconds: assumedDsTtlSeconds, seen: false },
      enteredAt: now,
      problem: null,
      phase: 'unsigned',
    },
    effects: [{ kind: 'observe', at: now, looks: 0 }],
  }
}

function sign(state: ZoneState, now: number): ZoneDecision {
  switch (state.phase) {
    case 'unsigned':
    case 'unsigning':
    case 'ds-withdrawing':
    case 'ds-expiring':
      return enter(state, { phase: 'signing', attempt: 0 }, now)
    default:
      return unchanged(state)
  }
}

function unsign(state: ZoneState, now: number): ZoneDecision {
  switch (state.phase) {
    case 'unsigned':
    case 'unsigning':
    case 'ds-withdrawing':
    case 'ds-expiring':
      return unchanged(state)
    default:
      return enter(state, { phase: 'ds-withdrawing', attempt: 0 }, now)
  }
}

function roll(state: ZoneState, now: number): ZoneDecision | Refusal {
  switch (state.phase) {
    case 'signed':
      return enter(state, { phase: 'key-adding', old: state.ds, attempt: 0 }, now)
    case 'key-adding':
    case 'new-key-settling':
    case 'ds-replacing':
    case 'old-ds-expiring':
    case 'old-key-removing':
      return unchanged(state)
    default:
      return refuse('ZONE_NOT_SIGNED', { phase: state.phase })
  }
}

function isAwaited(state: ZoneState, report: { action: ZoneAction; attempt: number }): boolean {
  const wanted = actionOf(state)
  return wanted?.action === report.action && wanted.attempt === report.attempt
}

function actionFailed(
  state: ZoneState,
  { action, attempt, reason }: Extract<ZoneReport, { kind: 'action-failed' }>,
  now: number,
): ZoneDecision {
  const next = {
    ...state,
    attempt: attempt + 1,
    problem: { code: 'ACTION_FAILED', action, reason },
  } as ZoneState
  return { state: next, effects: actionDue(next, now + actionDelayMs(attempt)) }
}
