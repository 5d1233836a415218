import type { ZoneFacts } from './zone-facts.ts'
import type { Ds, ZoneAction, ZoneEffect, ZonePhase, ZoneProblem, ZoneState } from './zone-states.ts'

export type ZoneDecision = { readonly state: ZoneState; readonly effects: readonly ZoneEffect[] }

/** A zone at rest is looked at this often; one with a problem, or of which a step is late, every minute. */
export const REST_MS = 60 * 60_000
export const LATE_MS = 60_000
/** An action that was done without effect is asked for again after so many looks. */
const LOOKS_PER_ACTION = 20

/** What the phase asks somebody to do to the world; null where it only waits. */
export function actionOf(
  state: ZoneState,
): { readonly action: ZoneAction; readonly ds: readonly Ds[]; readonly attempt: number } | null {
  switch (state.phase) {
    case 'signing':
      return { action: 'sign', ds: [], attempt: state.attempt }
    case 'ds-publishing':
    case 'ds-replacing':
      return { action: 'publish-ds', ds: state.ds, attempt: state.attempt }
    case 'key-adding':
      return { action: 'add-key', ds: [], attempt: state.attempt }
    case 'old-key-removing':
      return { action: 'remove-key', ds: state.old, attempt: state.attempt }
    case 'ds-withdrawing':
      return { action: 'withdraw-ds', ds: [], attempt: state.attempt }
    case 'unsigning':
      return { action: 'unsign', ds: [], attempt: state.attempt }
    case 'unsigned':
    case 'keys-settling':
    case 'signed':
    case 'new-key-settling':
    case 'old-ds-expiring':
    case 'ds-expiring':
      return null
  }
}

export function enter(state: ZoneState, phase: ZonePhase, now: number): ZoneDecision {
  const { v, domain, maxTtlSeconds, dsTtl } = state
  const next: ZoneState = {
    ...{ v, domain, maxTtlSeconds, dsTtl, enteredAt: now, looks: 0, problem: null },
    ...phase,
  }
  return {
    state: next,
    effects: [...actionDue(next, now), { kind: 'observe', at: nextLook(next, now) }],
  }
}

/** Stays, says why, and looks again. */
export function wait(
  state: ZoneState,
  problem: ZoneProblem | null,
  { facts, now }: { facts: ZoneFacts; now: number },
): ZoneDecision {
  const silent: ZoneProblem | null =
    facts.silent.length > 0 ? { code: 'SERVER_SILENT', servers: facts.silent } : null
  const standing = actionOf(state) === null ? null : state.problem
  const next = { ...state, problem: problem ?? silent ?? standing }
  const again = state.looks % LOOKS_PER_ACTION === 0 ? actionDue(next, now) : []
  return { state: next, effects: [...again, { kind: 'observe', at: nextLook(next, now) }] }
}

function nextLook(state: ZoneState, now: number): number {
  if ('until' in state) return state.until > now ? Math.min(state.until, now + REST_MS) : now + LATE_MS
  if (actionOf(state) !== null) return now + Math.min(1_000 * 2 ** Math.min(state.looks, 10), LATE_MS)
  return now + (state.problem === null ? REST_MS : LATE_MS)
}

/** A person who was asked is not asked again by us. */
export function actionDue(state: ZoneState, now: number): ZoneEffect[] {
  const wanted = actionOf(state)
  return wanted === null || state.problem?.code === 'PERSON_NEEDED'
    ? []
    : [{ kind: 'act', ...wanted, at: now }]
}

export function unchanged(state: ZoneState): ZoneDecision {
  return { state, effects: [] }
}
