import type { EffectFailure } from './name-commands.ts'
import { firstTry, settleDelayMs } from './name-delays.ts'
import type { NameState, NameTerms } from './name-states.ts'
import { isRunning } from './pending-effects.ts'

/**
 * Asks for the zone to be made to agree with the state, now; the records of these offers, or these values of others, may
 * stand there.
 */
export function clean<T extends NameTerms>(
  terms: T,
  offers: readonly string[],
  now: number,
  strays: readonly string[] = [],
): T {
  const serial = terms.serial + 1
  const all = [...new Set([...(terms.cleaning?.offers ?? []), ...offers])]
  const allStrays = [...new Set([...(terms.cleaning?.strays ?? []), ...strays])]
  const cleaning = {
    offers: all,
    ...(allStrays.length > 0 && { strays: allStrays }),
    wait: firstTry(serial, now),
  }
  return { ...terms, serial, cleaning }
}

/** What was left to the end of a change is done now that it has ended. */
export function cleanWhatWaits(terms: NameTerms, now: number): NameTerms {
  return terms.cleaning === null ? terms : clean(terms, [], now)
}

/** A change begins: it replaces what it finds, and the rest is settled at its end. */
export function pauseCleaning(terms: NameTerms): NameTerms {
  return terms.cleaning === null ? terms : { ...terms, cleaning: { ...terms.cleaning, wait: null } }
}

/**
 * Something was done in the zone out of turn: this offer's record published, or (null) some record withdrawn. While a
 * change is under way that is settled at its end, otherwise at once.
 */
export function recordTouched(state: NameState, offer: string | null, now: number): NameState {
  if (isAsItShouldBe(state, offer)) return state
  const offers = offer === null ? [] : [offer]
  if (!isRunning(state)) return clean(state, offers, now)
  const known = state.cleaning?.offers ?? []
  if (state.cleaning && offers.every((it) => known.includes(it))) return state
  return {
    ...state,
    cleaning: { ...state.cleaning, offers: [...new Set([...known, ...offers])], wait: null },
  }
}

/** The reconciler saw it in the zone. What is being settled is not begun anew at each look. */
export function recordFound(state: NameState, offer: string | null, now: number): NameState {
  const isUnderWay = state.cleaning?.wait && (offer === null || state.cleaning.offers.includes(offer))
  return isUnderWay ? state : recordTouched(state, offer, now)
}

export function isSettling(state: NameState, serial: number): boolean {
  return state.cleaning?.wait?.serial === serial
}

export function settlingFailed(
  state: NameState,
  { code, kind, retryAfterMs = 0 }: EffectFailure,
  now: number,
): NameState {
  if (!state.cleaning?.wait) return state
  const { wait } = state.cleaning
  const serial = state.serial + 1
  const dueAt = now + Math.max(settleDelayMs(wait.tries, kind), retryAfterMs)
  return {
    ...state,
    serial,
    cleaning: { ...state.cleaning, wait: { serial, tries: wait.tries + 1, dueAt, lastFailure: code } },
  }
}

/** At this time a record of this offer, or none, is what is wanted. */
function isAsItShouldBe(state: NameState, offer: string | null): boolean {
  switch (state.phase) {
    case 'requested':
      return state.live?.offer === offer
    case 'offer-ready':
      return state.live?.offer === offer || state.next.offer === offer
    case 'published':
    case 'seen':
      return state.next.offer === offer
    case 'active':
    case 'restoring':
      return state.live.offer === offer
    case 'withdrawing':
    case 'suspended':
    case 'freed':
      return offer === null
  }
}
