import { type Refusal, refuse } from '../refusals.ts'
import type { NameRequest } from './name-commands.ts'
import { endsBeforeRenewal, WITHDRAW_BEFORE_EXPIRY_MS } from './name-delays.ts'
import { beginRound, newJob } from './name-round.ts'
import {
  type JobKind,
  type NameIn,
  type NameOffer,
  type NameState,
  type NameTerms,
  type PlannedOffer,
  type ReadyOffer,
  termsOf,
} from './name-states.ts'
import { isRunning } from './pending-effects.ts'
import { retire } from './retire-offers.ts'
import { end, suspend as suspendName } from './undo-name.ts'

/** A name keeps every offer that its node has not disabled yet: an owner whose node never does must not fill it up. */
export const MOST_RETIRING = 50

type Asked<K extends NameRequest['kind']> = Extract<NameRequest, { kind: K }>

export function register(request: Asked<'register'>, now: number): NameState {
  const { jobId: id, user, domain, skeleton, by: owner, quarantineMs, deadlineAt } = request
  const job = newJob({ id, kind: 'register', deadlineAt }, now)
  const terms: NameTerms = {
    v: 2,
    id,
    user,
    domain,
    skeleton,
    owner,
    requestedAt: now,
    quarantineMs,
    firstActiveAt: null,
    serial: -1,
    job,
    transfer: null,
    cleaning: null,
    retiring: [],
  }
  const next = nextOffer(terms, owner, request.offer)
  return beginRound(terms, { job, live: null, next }, now)
}

/** A request about a name that exists: its next state, or why not. */
export function decideRequest(
  state: NameState,
  request: Exclude<NameRequest, { kind: 'register' }>,
  now: number,
): NameState | Refusal {
  switch (request.kind) {
    case 'change-offer':
      return onLive(state, request.by, (live) => changeRecord(live, 'rotate', request, now))
    case 'propose-transfer': {
      const { to, until } = request
      return onLive(state, request.by, (live) =>
        to === live.owner ? refuse('TRANSFER_TO_OWNER') : { ...live, transfer: { to, until } },
      )
    }
    case 'cancel-transfer':
      if (state.owner !== request.by) return refuse('FORBIDDEN')
      return state.transfer === null ? refuse('TRANSFER_NOT_PROPOSED') : { ...state, transfer: null }
    case 'accept-transfer':
      if (state.transfer?.to !== request.by) return refuse('TRANSFER_NOT_PROPOSED')
      if (now > state.transfer.until) return refuse('TRANSFER_EXPIRED')
      return onLive(state, state.owner, (live) => changeRecord(live, 'transfer', request, now))
    case 'suspend':
      return suspend(state, now)
    case 'resume':
      return resume(state, request, now)
    case 'release':
      if (state.owner !== request.by) return refuse('FORBIDDEN')
      if (hasEnded(state)) return notActive(state)
      // Who is suspended and lets go must not be the one who may have the name again at once.
      return end(state, isSuspended(state) ? 'NAME_SUSPENDED' : 'NAME_RELEASED', now)
  }
}

/** What only the owner may ask, and only while nothing else is going on. */
function onLive(
  state: NameState,
  by: string,
  decide: (live: NameIn<'active'>) => NameState | Refusal,
): NameState | Refusal {
  if (state.owner !== by) return refuse('FORBIDDEN')
  return state.phase === 'active' ? decide(state) : notActive(state)
}

/** Another offer takes the place of the live one; the name is its maker's once that is live. */
function changeRecord(
  state: NameIn<'active'>,
  kind: JobKind,
  request: Asked<'change-offer'> | Asked<'accept-transfer'>,
  now: number,
): NameState | Refusal {
  const { by, jobId: id, deadlineAt, offer } = request
  const known = [state.live.offer, ...state.retiring.map((retiring) => retiring.offer)]
  if (offer && known.includes(offer.offer)) return refuse('OFFER_USED')
  if (retiresTooMany(state, by)) return refuse('NAME_CHANGED_TOO_OFTEN')
  const job = newJob({ id, kind, deadlineAt }, now)
  return beginRound(termsOf(state), { job, live: state.live, next: nextOffer(state, by, offer) }, now)
}

function suspend(state: NameState, now: number): NameState | Refusal {
  if (state.phase === 'active' || state.phase === 'restoring') return suspendName(state, state.live, now)
  if (isRunning(state)) {
    if (state.live !== null) return suspendName(state, state.live, now)
    if (state.job.kind === 'resume') {
      return suspendName(state, state.phase === 'requested' ? null : state.next, now)
    }
  }
  return notActive(state)
}

function resume(
  state: NameState,
  { jobId: id, deadlineAt }: Asked<'resume'>,
  now: number,
): NameState | Refusal {
  if (state.phase !== 'suspended') return refuse('NAME_NOT_SUSPENDED')
  const { keep, owner } = state
  const job = newJob({ id, kind: 'resume', deadlineAt }, now)
  const withKept = (next: NameOffer) => beginRound(termsOf(state), { job, live: null, next }, now)
  if (keep?.source === 'brought') return hasExpired(keep, now) ? refuse('OFFER_EXPIRED') : withKept(keep)
  if (keep !== null && !endsBeforeRenewal(keep, deadlineAt)) return withKept(keep)
  if (retiresTooMany(state, owner)) return refuse('NAME_CHANGED_TOO_OFTEN')
  const terms = keep === null ? termsOf(state) : retire(termsOf(state), keep, now)
  return beginRound(terms, { job, live: null, next: nextOffer(terms, owner) }, now)
}

/** It may not stand in the DNS any more. */
function hasExpired({ expiresAt }: NameOffer, now: number): boolean {
  return expiresAt !== undefined && now >= expiresAt - WITHDRAW_BEFORE_EXPIRY_MS
}

function retiresTooMany({ retiring }: NameState, by: string): boolean {
  return retiring.filter(({ owner }) => owner === by).length >= MOST_RETIRING
}

function isSuspended(state: NameState): boolean {
  return state.phase === 'suspended' || (state.phase === 'withdrawing' && state.becomes === 'suspended')
}

function notActive(state: NameState): Refusal {
  return isSuspended(state) ? refuse('NAME_SUSPENDED') : refuse('NAME_NOT_ACTIVE', { phase: state.phase })
}

function hasEnded(state: NameState): boolean {
  return state.phase === 'freed' || (state.phase === 'withdrawing' && state.becomes === 'freed')
}

/** Offers are numbered by the effect that makes or publishes them first. */
export function nextOffer(terms: NameTerms, owner: string, brought?: ReadyOffer): PlannedOffer | NameOffer {
  const no = terms.serial + 1
  return brought ? { no, owner, source: 'brought', ...brought } : { no, owner, source: 'node' }
}
