import { free, restore, restored, suspended, withdraw } from './name-round.ts'
import {
  type Cause,
  type NameIn,
  type NameOffer,
  type NameState,
  type NameTerms,
  type Running,
  termsOf,
} from './name-states.ts'
import { retire } from './retire-offers.ts'
import { clean } from './settle-record.ts'

/** Begins the compensation that fits how far the change came: the zone shall be as it was before. */
export function undo(state: Running, cause: Cause, now: number): NameState {
  const terms = becauseOf(state, cause)
  const { live, next } = state
  if (state.phase === 'requested') {
    if (live !== null) return restored(terms, live, next, now)
    return terms.job.kind === 'resume'
      ? suspended(terms, { cause: 'NAME_SUSPENDED', keep: null, drop: [next] }, now)
      : free(terms, { cause, drop: [next] }, now)
  }
  if (live !== null) return restore(terms, live, state.next, now)
  return terms.job.kind === 'resume'
    ? withdraw(terms, { becomes: 'suspended', cause: 'NAME_SUSPENDED', keep: state.next, drop: [] }, now)
    : withdraw(terms, { becomes: 'freed', cause, keep: null, drop: [state.next] }, now)
}

/**
 * Somebody else's record stands at our name: ours is not there, so nothing is to withdraw. What was live is put back
 * as soon as that record is gone.
 */
export function undoBesideStranger(state: Running, cause: Cause, now: number): NameState {
  if (state.phase === 'requested' || state.job.kind === 'resume') return undo(state, cause, now)
  const terms = becauseOf(state, cause)
  const { live, next } = state
  return live === null
    ? free(terms, { cause, drop: [next] }, now)
    : restored(clean(terms, [next.offer], now), live, next, now)
}

/** The name ends, whatever was going on with it. */
export function end(state: NameState, cause: Cause, now: number): NameState {
  const terms = becauseOf(state, cause)
  switch (state.phase) {
    case 'requested':
      return state.live === null
        ? free(terms, { cause, drop: [state.next] }, now)
        : withdraw(
            retire(terms, state.next, now),
            { becomes: 'freed', cause, keep: null, drop: [state.live] },
            now,
          )
    case 'offer-ready':
    case 'published':
    case 'seen':
    case 'restoring':
      return withdraw(terms, { becomes: 'freed', cause, keep: null, drop: both(state) }, now)
    case 'active':
      return withdraw(terms, { becomes: 'freed', cause, keep: null, drop: [state.live] }, now)
    case 'withdrawing': {
      const drop = [...(state.keep ? [state.keep] : []), ...state.drop]
      return { ...state, ...terms, becomes: 'freed', cause, keep: null, drop }
    }
    case 'suspended':
      return free(terms, { cause, drop: state.keep ? [state.keep] : [] }, now)
    case 'freed':
      return state
  }
}

/** The record is withdrawn, and the offer that was live kept for later; null: none was, and no record either. */
export function suspend(
  state: NameIn<'active' | 'restoring'> | Running,
  keep: NameOffer | null,
  now: number,
): NameState {
  const cause = 'NAME_SUSPENDED'
  const terms = becauseOf(state, cause)
  const how = { becomes: 'suspended', cause, keep } as const
  switch (state.phase) {
    case 'active':
      return withdraw(terms, { ...how, drop: [] }, now)
    case 'requested':
      return keep === null
        ? suspended(terms, { cause, keep, drop: [state.next] }, now)
        : withdraw(retire(terms, state.next, now), { ...how, drop: [] }, now)
    case 'offer-ready':
    case 'published':
    case 'seen':
    case 'restoring':
      return withdraw(terms, { ...how, drop: both(state).filter(({ no }) => no !== keep?.no) }, now)
  }
}

function both({ live, next }: { live: NameOffer | null; next: NameOffer }): NameOffer[] {
  return live === null || live.no === next.no ? [next] : [live, next]
}

/** What is running fails because of this. */
function becauseOf(state: NameState, cause: Cause): NameTerms {
  const terms = termsOf(state)
  const { job } = terms
  return job.outcome === 'running' ? { ...terms, job: { ...job, cause: job.cause ?? cause } } : terms
}
