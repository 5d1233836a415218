import { firstTry, RETIRE_AFTER_MS, wakeAt } from './name-delays.ts'
import {
  type NameIn,
  type NameJob,
  type NameOffer,
  type NamePhase,
  type NameState,
  type NameStep,
  type NameTerms,
  type PlannedOffer,
  type ReadyOffer,
  termsOf,
} from './name-states.ts'
import { retire } from './retire-offers.ts'
import { clean, cleanWhatWaits, pauseCleaning } from './settle-record.ts'

type Stepping = Extract<NamePhase, { wait: unknown }>

/** A registration or a change begins: `next` shall stand where `live` stands now. */
export function beginRound(
  terms: NameTerms,
  round: { job: NameJob; live: NameOffer | null; next: PlannedOffer | NameOffer },
  now: number,
): NameState {
  const { job, live, next } = round
  const begun = pauseCleaning({ ...terms, job })
  return 'offer' in next
    ? offerReady(begun, live, next, now)
    : step(begun, { phase: 'requested', live, next }, now)
}

export function newJob(asked: Pick<NameJob, 'id' | 'kind' | 'deadlineAt'>, now: number): NameJob {
  const first: NameStep = asked.kind === 'register' ? 'name-claimed' : 'accepted'
  const { id, kind, deadlineAt } = asked
  return { id, kind, deadlineAt, stepsDone: [{ step: first, at: now }], outcome: 'running', cause: null }
}

export function offerMade(state: NameIn<'requested'>, ready: ReadyOffer, now: number): NameState {
  return offerReady(termsOf(state), state.live, { ...state.next, ...ready }, now)
}

export function recordPublished(state: NameIn<'offer-ready' | 'published' | 'seen'>, now: number): NameState {
  const { live, next } = state
  return step(stepDone(termsOf(state), 'record-published', now), { phase: 'published', live, next }, now)
}

export function recordSeen(state: NameIn<'offer-ready' | 'published' | 'seen'>, now: number): NameState {
  const { live, next } = state
  return step(stepDone(termsOf(state), 'record-seen', now), { phase: 'seen', live, next }, now)
}

/** The new record is live: whoever made its offer owns the name now, and the old offer may go. */
export function chainValidated(
  state: NameIn<'offer-ready' | 'published' | 'seen'>,
  { confirmedBy }: { confirmedBy?: number },
  now: number,
): NameState {
  const { live, next } = state
  const confirmed =
    confirmedBy === undefined ? termsOf(state) : stepDone(termsOf(state), 'resolvers-confirmed', now)
  const done = stepDone(confirmed, 'chain-validated', now)
  const terms: NameTerms = {
    ...done,
    owner: next.owner,
    firstActiveAt: done.firstActiveAt ?? now,
    job: { ...done.job, outcome: 'succeeded' },
    transfer: done.job.kind === 'transfer' ? null : done.transfer,
  }
  const replaced = live !== null && live.no !== next.no
  return becomeActive(replaced ? retire(terms, live, now + RETIRE_AFTER_MS) : terms, next, now)
}

/** The record of `live` stands again; that of `next` may be cached for a while. */
export function restored(terms: NameTerms, live: NameOffer, next: PlannedOffer, now: number): NameState {
  const at = 'offer' in next ? now + RETIRE_AFTER_MS : now
  return becomeActive(retire(failed(terms), next, at), live, now)
}

/** The record of `next` may stand in the place of `live`. */
export function restore(terms: NameTerms, live: NameOffer, next: NameOffer, now: number): NameState {
  return { ...clean(terms, [next.offer], now), phase: 'restoring', live, next }
}

/** The name is free, and nothing of it is in the zone. */
export function free(
  terms: NameTerms,
  ended: Pick<NameIn<'freed'>, 'cause'> & { drop: readonly PlannedOffer[] },
  now: number,
): NameState {
  const { quarantineMs, firstActiveAt } = terms
  const held = firstActiveAt !== null && quarantineMs > 0
  const dropped = ended.drop.reduce((at, offer) => retire(at, offer, now), failed(terms))
  return {
    ...cleanWhatWaits({ ...dropped, transfer: null }, now),
    phase: 'freed',
    cause: ended.cause,
    freedAt: now,
    quarantineUntil: held ? now + quarantineMs : null,
  }
}

/** All records that were published, or may have been, are withdrawn. */
export function withdraw(
  terms: NameTerms,
  how: Pick<NameIn<'withdrawing'>, 'becomes' | 'cause' | 'keep' | 'drop'>,
  now: number,
): NameState {
  const offers = [...(how.keep ? [how.keep] : []), ...how.drop].map(({ offer }) => offer)
  return { ...clean(terms, offers, now), phase: 'withdrawing', ...how }
}

/** Nothing of the name is in the zone; it stays its owner's. */
export function suspended(
  terms: NameTerms,
  how: Pick<NameIn<'suspended'>, 'cause' | 'keep'> & { drop: readonly PlannedOffer[] },
  now: number,
): NameState {
  const { cause, keep, drop } = how
  const dropped = drop.reduce((at, offer) => retire(at, offer, now), failed(terms))
  return { ...cleanWhatWaits(dropped, now), phase: 'suspended', cause, keep, suspendedAt: now }
}

function becomeActive(terms: NameTerms, live: NameOffer, now: number): NameState {
  return { ...cleanWhatWaits(terms, now), phase: 'active', live, wakeAt: wakeAt(live, now), unhealthy: null }
}

function offerReady(terms: NameTerms, live: NameOffer | null, next: NameOffer, now: number): NameState {
  return step(stepDone(terms, 'offer-ready', now), { phase: 'offer-ready', live, next }, now)
}

type WithoutWait<T> = T extends unknown ? Omit<T, 'wait'> : never

function step(terms: NameTerms, phase: WithoutWait<Stepping>, now: number): NameState {
  const serial = terms.serial + 1
  return { ...terms, serial, ...phase, wait: firstTry(serial, now) } as NameState
}

function stepDone(terms: NameTerms, step: NameStep, at: number): NameTerms {
  return { ...terms, job: { ...terms.job, stepsDone: [...terms.job.stepsDone, { step, at }] } }
}

function failed(terms: NameTerms): NameTerms {
  const { job } = terms
  return job.outcome === 'running' ? { ...terms, job: { ...job, outcome: 'failed' } } : terms
}
