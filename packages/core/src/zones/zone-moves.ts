import { canonicalJson } from '../canonical-json.ts'
import type { ZoneFacts } from './zone-facts.ts'
import type { Ds, ZoneAction, ZoneEffect, ZonePhase, ZoneProblem, ZoneState } from './zone-states.ts'

export type ZoneDecision = { readonly state: ZoneState; readonly effects: readonly ZoneEffect[] }

/** A zone at rest is looked at this often; one with a problem, or of which a step is late, every minute. */
const REST_MS = 60 * 60_000
const LATE_MS = 60_000
/**
 * Added to every wait: resolvers count TTLs in whole seconds, and an answer that a server gave just before it changed
 * is remembered only from its arrival.
 */
export const MARGIN_MS = 5_000
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
  const next: ZoneState = { ...{ v, domain, maxTtlSeconds, dsTtl, enteredAt: now, problem: null }, ...phase }
  return { state: next, effects: [...actionDue(next, now), nextLook(next, 0, now)] }
}

/** Stays, says why, and looks again; the same state comes back when the reason is the same. */
export function wait(
  state: ZoneState,
  problem: ZoneProblem | null,
  { facts, looks, now }: { facts: ZoneFacts; looks: number; now: number },
): ZoneDecision {
  const silent: ZoneProblem | null =
    facts.silent.length > 0 ? { code: 'SERVER_SILENT', servers: facts.silent } : null
  const standing = actionOf(state) === null ? null : state.problem
  const reason = problem ?? silent ?? standing
  const next = canonicalJson(reason) === canonicalJson(state.problem) ? state : { ...state, problem: reason }
  const again = looks > 0 && looks % LOOKS_PER_ACTION === 0 ? actionDue(next, now) : []
  return { state: next, effects: [...again, nextLook(next, looks, now)] }
}

function nextLook(state: ZoneState, looks: number, now: number): ZoneEffect {
  return { kind: 'observe', at: now + patienceMs(state, looks, now), looks: looks + 1 }
}

function patienceMs(state: ZoneState, looks: number, now: number): number {
  if ('until' in state) {
    if (state.until > now) return Math.min(state.until - now, REST_MS)
    return looks === 0 ? 0 : LATE_MS
  }
  if (actionOf(state) !== null) return Math.min(1_000 * 2 ** Math.min(looks, 10), LATE_MS)
  return state.problem === null ? REST_MS : LATE_MS
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
