import { factsOf, includesDs, sameDs, type ZoneFacts } from './zone-facts.ts'
import { enter, MARGIN_MS, wait, type ZoneDecision } from './zone-moves.ts'
import type { Ds, ZoneObservation, ZonePhase, ZoneProblem, ZoneReport, ZoneState } from './zone-states.ts'

type Of<P extends ZonePhase['phase']> = Extract<ZoneState, { phase: P }>
type Seen = {
  readonly facts: ZoneFacts
  readonly observation: ZoneObservation
  readonly looks: number
  readonly now: number
}

/** Moves the plan on, back, or leaves it where it is and says why. */
export function observed(
  before: ZoneState,
  { observation, looks }: Extract<ZoneReport, { kind: 'observed' }>,
  now: number,
): ZoneDecision {
  const facts = factsOf(observation)
  const state = withTtls(before, observation.maxTtlSeconds, facts)
  const seen = { facts, observation, looks, now }
  switch (state.phase) {
    case 'unsigned':
      return seenUnsigned(state, seen)
    case 'signing':
      if (facts.usable.length === 0) return wait(state, orphaned(seen), seen)
      return enter(state, { phase: 'keys-settling', ds: facts.usable, until: zoneExpiry(state, now) }, now)
    case 'keys-settling':
      if (facts.silent.length > 0) return wait(state, null, seen)
      if (!includesAll(facts.usable, state.ds)) return enter(state, { phase: 'signing', attempt: 0 }, now)
      if (now < state.until) return wait(state, null, seen)
      return enter(state, { phase: 'ds-publishing', ds: state.ds, attempt: 0 }, now)
    case 'ds-publishing':
      if (lost(state.ds, facts)) return enter(state, { phase: 'ds-withdrawing', attempt: 0 }, now)
      if (facts.ds === null || !sameDs(facts.ds, state.ds)) return wait(state, null, seen)
      if (observation.fromRoot !== 'secure') return wait(state, notSecure(seen), seen)
      return enter(state, { phase: 'signed', ds: state.ds }, now)
    case 'signed':
      return seenSigned(state, seen)
    case 'key-adding': {
      const added = facts.usable.filter((ds) => !includesDs(state.old, ds))
      if (added.length === 0) return wait(state, orphaned(seen), seen)
      return newKeySeen(state, state.old, added, now)
    }
    case 'new-key-settling':
      if (facts.silent.length > 0) return wait(state, null, seen)
      if (!includesAll(facts.usable, state.ds)) {
        return enter(state, { phase: 'key-adding', old: state.old, attempt: 0 }, now)
      }
      if (now < state.until) return wait(state, orphaned(seen), seen)
      return enter(state, { phase: 'ds-replacing', old: state.old, ds: state.ds, attempt: 0 }, now)
    case 'ds-replacing':
      if (mustTurnBack(state, facts)) return turnBack(state, now)
      if (facts.ds === null || !sameDs(facts.ds, state.ds)) return wait(state, orphaned(seen), seen)
      if (observation.fromRoot !== 'secure') return wait(state, notSecure(seen), seen)
      return enter(
        state,
        { phase: 'old-ds-expiring', old: state.old, ds: state.ds, until: dsExpiry(state, now) },
        now,
      )
    case 'old-ds-expiring':
      if (mustTurnBack(state, facts)) return turnBack(state, now)
      if (facts.anyDs.some((ds) => includesDs(state.old, ds))) {
        return enter(state, { phase: 'ds-replacing', old: state.old, ds: state.ds, attempt: 0 }, now)
      }
      if (facts.ds === null || now < state.until || lost(state.ds, facts)) {
        return wait(state, orphaned(seen), seen)
      }
      return enter(state, { phase: 'old-key-removing', old: state.old, ds: state.ds, attempt: 0 }, now)
    case 'old-key-removing':
      if (facts.silent.length > 0 || facts.shown.some((ds) => includesDs(state.old, ds))) {
        return wait(state, orphaned(seen), seen)
      }
      return enter(state, { phase: 'signed', ds: state.ds }, now)
    case 'ds-withdrawing':
      if (facts.ds === null || facts.anyDs.length > 0) return wait(state, orphaned(seen), seen)
      return enter(state, { phase: 'ds-expiring', until: dsExpiry(state, now) }, now)
    case 'ds-expiring':
      if (facts.anyDs.length > 0) return enter(state, { phase: 'ds-withdrawing', attempt: 0 }, now)
      if (facts.ds === null || now < state.until) return wait(state, null, seen)
      return enter(state, { phase: 'unsigning', attempt: 0 }, now)
    case 'unsigning':
      if (facts.anyDs.length > 0) return enter(state, { phase: 'ds-withdrawing', attempt: 0 }, now)
      return facts.unsigned ? enter(state, { phase: 'unsigned' }, now) : wait(state, null, seen)
  }
}

/** A zone that its operator signed already is taken as it is. */
function seenUnsigned(state: Of<'unsigned'>, seen: Seen): ZoneDecision {
  const { facts, observation, now } = seen
  const { ds } = facts
  if (ds && ds.length > 0 && includesAll(facts.usable, ds) && observation.fromRoot === 'secure') {
    return enter(state, { phase: 'signed', ds }, now)
  }
  return wait(state, orphaned(seen), seen)
}

function seenSigned(state: Of<'signed'>, seen: Seen): ZoneDecision {
  const { facts, observation, now } = seen
  if (facts.ds === null || facts.silent.length > 0) return wait(state, orphaned(seen), seen)
  if (facts.ds.length === 0) return wait(state, { code: 'DS_MISSING' }, seen)
  if (lost(facts.ds, facts)) return wait(state, { code: 'DS_WITHOUT_KEY' }, seen)
  const { ds } = facts
  const added = facts.usable.filter((key) => !includesDs(ds, key))
  if (added.length > 0) return newKeySeen(state, ds, added, now)
  const problem = observation.fromRoot === 'secure' ? null : notSecure(seen)
  return wait(sameDs(ds, state.ds) ? state : { ...state, ds }, problem, seen)
}

/** Also where the signer began the rollover by itself. */
function newKeySeen(state: ZoneState, old: readonly Ds[], ds: readonly Ds[], now: number): ZoneDecision {
  return enter(state, { phase: 'new-key-settling', old, ds, until: zoneExpiry(state, now) }, now)
}

/** The new keys are gone and the old ones are there: the parent must point to what signs. */
function mustTurnBack(state: Of<'ds-replacing' | 'old-ds-expiring'>, facts: ZoneFacts): boolean {
  return lost(state.ds, facts) && !lost(state.old, facts)
}

function turnBack(state: Of<'ds-replacing' | 'old-ds-expiring'>, now: number): ZoneDecision {
  return enter(state, { phase: 'ds-replacing', old: state.ds, ds: state.old, attempt: 0 }, now)
}

function withTtls(state: ZoneState, observedMaxTtl: number, { anyDs, dsTtlSeconds }: ZoneFacts): ZoneState {
  const maxTtlSeconds = Math.max(state.maxTtlSeconds, observedMaxTtl)
  const seconds = state.dsTtl.seen ? Math.max(state.dsTtl.seconds, dsTtlSeconds) : dsTtlSeconds
  const dsTtl =
    anyDs.length === 0 || (state.dsTtl.seen && seconds === state.dsTtl.seconds)
      ? state.dsTtl
      : { seconds, seen: true }
  const same = maxTtlSeconds === state.maxTtlSeconds && dsTtl === state.dsTtl
  return same ? state : { ...state, maxTtlSeconds, dsTtl }
}

function zoneExpiry({ maxTtlSeconds }: ZoneState, now: number): number {
  return now + maxTtlSeconds * 1000 + MARGIN_MS
}

function dsExpiry({ dsTtl }: ZoneState, now: number): number {
  return now + dsTtl.seconds * 1000 + MARGIN_MS
}

function includesAll(set: readonly Ds[], wanted: readonly Ds[]): boolean {
  return wanted.every((ds) => includesDs(set, ds))
}

/** Every server answered, and one does not have a key of these that validates. */
function lost(wanted: readonly Ds[], { silent, usable }: ZoneFacts): boolean {
  return silent.length === 0 && !wanted.some((ds) => includesDs(usable, ds))
}

/** Some parent server points to keys of which none validates everywhere. */
function orphaned({ facts }: Seen): ZoneProblem | null {
  if (facts.anyDs.length > 0 && lost(facts.anyDs, facts)) return { code: 'DS_WITHOUT_KEY' }
  return facts.ds === null && facts.silent.length === 0 ? { code: 'SERVERS_DIFFER' } : null
}

function notSecure({ observation }: Seen): ZoneProblem {
  return { code: 'NOT_SECURE_FROM_ROOT', fromRoot: observation.fromRoot }
}
