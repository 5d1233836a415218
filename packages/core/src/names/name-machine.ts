import { isRefusal, type Refusal, refuse } from '../refusals.ts'
import type {
  Cause,
  NameCommand,
  NameEffect,
  NameEffectKind,
  NamePhase,
  NameReport,
  NameRequest,
  NameState,
  NameStep,
  NameTerms,
  ReadyOffer,
} from './name-states.ts'

export type NameDecision = { readonly state: NameState; readonly effects: readonly NameEffect[] }

type Running = Extract<NameState, { phase: 'requested' | 'offer-ready' | 'published' | 'seen' }>
type Of<P extends NamePhase['phase']> = Extract<NameState, { phase: P }>

/** A record is withdrawn this long before its offer expires, so that no cache outlives the offer. */
export const WITHDRAW_BEFORE_EXPIRY_MS = 60 * 60_000

/**
 * The life of a name. A request may be refused; a report never is, and hearing it twice or late changes nothing.
 * The same state object comes back when nothing changed.
 */
export function decideName(
  state: NameState | null,
  command: NameCommand,
  now: number,
): NameDecision | Refusal {
  switch (command.kind) {
    case 'register':
      return state === null ? register(command, now) : refuse('NAME_TAKEN', { user: command.user })
    case 'release':
      return state === null ? refuse('NAME_NOT_FOUND') : release(state, command.owner, now)
    default:
      return state === null ? refuse('NAME_NOT_FOUND') : hear(state, command, now)
  }
}

/** `decideName` for what may not be refused. */
export function hearName(state: NameState, report: NameReport, now: number): NameDecision {
  return hear(state, report, now)
}

/** Rebuilds a name from the commands that its journal entries hold. */
export function replayName(
  history: readonly { readonly command: NameCommand; readonly at: number }[],
): NameState | null {
  return history.reduce<NameState | null>((state, { command, at }) => {
    const decision = decideName(state, command, at)
    return isRefusal(decision) ? state : decision.state
  }, null)
}

function register(request: Extract<NameRequest, { kind: 'register' }>, now: number): NameDecision {
  const terms: NameTerms = {
    v: 1,
    id: request.id,
    user: request.user,
    domain: request.domain,
    skeleton: request.skeleton,
    owner: request.owner,
    offerSource: request.offer === undefined ? 'node' : 'brought',
    requestedAt: now,
    deadlineAt: request.deadlineAt,
    stepsDone: [{ step: 'name-claimed', at: now }],
  }
  const wake: NameEffect = { kind: 'wake', at: request.deadlineAt }
  if (request.offer === undefined) {
    return {
      state: { ...terms, phase: 'requested', attempt: 0, lastFailure: null },
      effects: [{ kind: 'make-offer', attempt: 0, at: now }, wake],
    }
  }
  const ready = offerReady(terms, request.offer, now)
  return { state: ready.state, effects: [...ready.effects, wake] }
}

function release(state: NameState, owner: string, now: number): NameDecision | Refusal {
  if (state.owner !== owner) return refuse('FORBIDDEN')
  switch (state.phase) {
    case 'active':
      return withdraw(state, state.offer, 'NAME_RELEASED', now)
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
      return undo(state, 'NAME_RELEASED', now)
    case 'withdrawing':
    case 'disabling':
    case 'freed':
      return refuse('NAME_NOT_ACTIVE', { phase: state.phase })
  }
}

function hear(state: NameState, report: NameReport, now: number): NameDecision {
  switch (report.kind) {
    case 'offer-made':
      if (state.phase === 'requested') return offerReady(bare(state), report.offer, now)
      return offerMayExist(state, now)
    case 'record-published':
      if (state.phase === 'offer-ready') return published(state, now)
      return recordMayExist(state, now)
    case 'record-seen':
      return state.phase === 'published' ? seen(state, now) : unchanged(state)
    case 'chain-validated':
      return state.phase === 'seen' ? active(state, now) : unchanged(state)
    case 'record-withdrawn':
      return state.phase === 'withdrawing' && report.attempt === state.attempt
        ? recordWithdrawn(state, now)
        : unchanged(state)
    case 'offer-disabled':
      return state.phase === 'disabling' && report.attempt === state.attempt
        ? offerDisabled(state, now)
        : unchanged(state)
    case 'outcome-unknown':
      if (report.effect === 'make-offer') return offerMayExist(state, now)
      if (report.effect === 'publish-record') return recordMayExist(state, now)
      return unchanged(state)
    case 'effect-failed':
      return effectFailed(state, report, now)
    case 'time-passed':
      return timePassed(state, now)
  }
}

function offerReady(terms: NameTerms, offer: ReadyOffer, now: number): NameDecision {
  return {
    state: {
      ...stepDone(terms, 'offer-ready', now),
      phase: 'offer-ready',
      offer,
      attempt: 0,
      lastFailure: null,
    },
    effects: [{ kind: 'publish-record', attempt: 0, at: now }],
  }
}

function published(state: Of<'offer-ready'>, now: number): NameDecision {
  const terms = stepDone(bare(state), 'record-published', now)
  return {
    state: { ...terms, phase: 'published', offer: state.offer, attempt: 0, lastFailure: null },
    effects: [{ kind: 'check-authoritative', attempt: 0, at: now }],
  }
}

function seen(state: Of<'published'>, now: number): NameDecision {
  const terms = stepDone(bare(state), 'record-seen', now)
  return {
    state: { ...terms, phase: 'seen', offer: state.offer, attempt: 0, lastFailure: null },
    effects: [{ kind: 'validate-chain', attempt: 0, at: now }],
  }
}

function active(state: Of<'seen'>, now: number): NameDecision {
  const terms = stepDone(bare(state), 'chain-validated', now)
  const { expiresAt } = state.offer
  return {
    state: { ...terms, phase: 'active', offer: state.offer, activeAt: now },
    effects: expiresAt === undefined ? [] : [{ kind: 'wake', at: expiresAt - WITHDRAW_BEFORE_EXPIRY_MS }],
  }
}

/** Begins the compensation that fits how far the registration came. */
function undo(state: Running, cause: Cause, now: number): NameDecision {
  return state.phase === 'requested'
    ? disable(state, null, cause, now)
    : withdraw(state, state.offer, cause, now)
}

function withdraw(state: NameState, offer: ReadyOffer, cause: Cause, now: number): NameDecision {
  return {
    state: { ...bare(state), phase: 'withdrawing', cause, offer, attempt: 0, publishedMeanwhile: false },
    effects: [{ kind: 'withdraw-record', attempt: 0, at: now }],
  }
}

function disable(state: NameState, offer: ReadyOffer | null, cause: Cause, now: number): NameDecision {
  if (state.offerSource === 'brought') return free(state, offer, cause, now)
  return {
    state: { ...bare(state), phase: 'disabling', cause, offer, attempt: 0, madeMeanwhile: false },
    effects: [{ kind: 'disable-offer', attempt: 0, at: now }],
  }
}

function free(state: NameState, offer: ReadyOffer | null, cause: Cause, now: number): NameDecision {
  return { state: { ...bare(state), phase: 'freed', cause, offer, freedAt: now }, effects: [] }
}

function recordWithdrawn(state: Of<'withdrawing'>, now: number): NameDecision {
  if (!state.publishedMeanwhile) return disable(state, state.offer, state.cause, now)
  const attempt = state.attempt + 1
  return {
    state: { ...state, attempt, publishedMeanwhile: false },
    effects: [{ kind: 'withdraw-record', attempt, at: now }],
  }
}

function offerDisabled(state: Of<'disabling'>, now: number): NameDecision {
  if (!state.madeMeanwhile) return free(state, state.offer, state.cause, now)
  const attempt = state.attempt + 1
  return {
    state: { ...state, attempt, madeMeanwhile: false },
    effects: [{ kind: 'disable-offer', attempt, at: now }],
  }
}

/** An offer was made, perhaps after we disabled it: what is being undone is undone once more. */
function offerMayExist(state: NameState, now: number): NameDecision {
  switch (state.phase) {
    case 'disabling':
      return { state: { ...state, madeMeanwhile: true }, effects: [] }
    case 'freed':
      if (state.offerSource === 'brought') return unchanged(state)
      return { state, effects: [{ kind: 'disable-offer', attempt: 0, at: now }] }
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
    case 'active':
    case 'withdrawing':
      return unchanged(state)
  }
}

/** A record was published, perhaps after we withdrew it. */
function recordMayExist(state: NameState, now: number): NameDecision {
  switch (state.phase) {
    case 'withdrawing':
      return { state: { ...state, publishedMeanwhile: true }, effects: [] }
    case 'disabling':
    case 'freed':
      if (state.offer === null) return unchanged(state)
      return { state, effects: [{ kind: 'withdraw-record', attempt: 0, at: now }] }
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
    case 'active':
      return unchanged(state)
  }
}

function effectFailed(
  state: NameState,
  { effect, attempt, failure }: Extract<NameReport, { kind: 'effect-failed' }>,
  now: number,
): NameDecision {
  switch (state.phase) {
    case 'active':
      return unchanged(state)
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen': {
      if (effect !== effectOf(state) || attempt !== state.attempt) return unchanged(state)
      if (failure.kind !== 'unavailable') return giveUp(state, failure.kind, failure.code, now)
      if (now >= state.deadlineAt) return undo(state, failure.code, now)
      const next = { attempt: attempt + 1, lastFailure: failure.code }
      return {
        state: { ...state, ...next },
        effects: [{ kind: effect, attempt: attempt + 1, at: now + retryDelayMs(attempt) }],
      }
    }
    case 'withdrawing':
    case 'disabling': {
      if (effect === 'publish-record' && failure.kind !== 'occupied') return recordMayExist(state, now)
      if (effect === 'make-offer') return offerMayExist(state, now)
      if (effect === effectOf(state) && attempt === state.attempt) {
        const next = attempt + 1
        return {
          state: { ...state, attempt: next },
          effects: [{ kind: effect, attempt: next, at: now + undoDelayMs(attempt) }],
        }
      }
      return state.phase === 'disabling' ? retryStray(state, effect, attempt, now) : unchanged(state)
    }
    case 'freed':
      if (effect === 'publish-record' && failure.kind !== 'occupied') return recordMayExist(state, now)
      if (effect === 'make-offer') return offerMayExist(state, now)
      return retryStray(state, effect, attempt, now)
  }
}

/** What was found after the name was free is undone with the same patience. */
function retryStray(state: NameState, effect: NameEffectKind, attempt: number, now: number): NameDecision {
  if (effect !== 'withdraw-record' && (effect !== 'disable-offer' || state.phase === 'disabling')) {
    return unchanged(state)
  }
  return { state, effects: [{ kind: effect, attempt: attempt + 1, at: now + undoDelayMs(attempt) }] }
}

/**
 * An effect that can never succeed ends the registration. An earlier, interrupted attempt may have done what this one
 * was refused, so all is undone; only a stranger's record at our name proves that ours is not there.
 */
function giveUp(state: Running, kind: 'refused' | 'occupied', cause: Cause, now: number): NameDecision {
  switch (state.phase) {
    case 'requested':
      return disable(state, null, cause, now)
    case 'offer-ready':
      return kind === 'occupied'
        ? disable(state, state.offer, cause, now)
        : withdraw(state, state.offer, cause, now)
    case 'published':
    case 'seen':
      return withdraw(state, state.offer, cause, now)
  }
}

/** The clock, or the sweeper that suspects a lost job: past a deadline undo, otherwise ask for the effect again. */
function timePassed(state: NameState, now: number): NameDecision {
  switch (state.phase) {
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
      if (now >= state.deadlineAt) return undo(state, state.lastFailure ?? 'NAME_TIMED_OUT', now)
      return { state, effects: [{ kind: effectOf(state), attempt: state.attempt, at: now }] }
    case 'active': {
      const { expiresAt } = state.offer
      if (expiresAt === undefined || now < expiresAt - WITHDRAW_BEFORE_EXPIRY_MS) return unchanged(state)
      return withdraw(state, state.offer, 'OFFER_EXPIRED', now)
    }
    case 'withdrawing':
    case 'disabling':
      return { state, effects: [{ kind: effectOf(state), attempt: state.attempt, at: now }] }
    case 'freed':
      return unchanged(state)
  }
}

/** The effect that a phase waits for. */
export function effectOf(
  state: Extract<NameState, { phase: Exclude<NamePhase['phase'], 'active' | 'freed'> }>,
): NameEffectKind {
  switch (state.phase) {
    case 'requested':
      return 'make-offer'
    case 'offer-ready':
      return 'publish-record'
    case 'published':
      return 'check-authoritative'
    case 'seen':
      return 'validate-chain'
    case 'withdrawing':
      return 'withdraw-record'
    case 'disabling':
      return 'disable-offer'
  }
}

/** 50 ms, doubling, at most 10 s: a name should be live in about a second. */
export function retryDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 20), 10_000)
}

/** 250 ms, doubling, at most a minute, for ever: nothing is left behind. */
export function undoDelayMs(attempt: number): number {
  return Math.min(250 * 2 ** Math.min(attempt, 20), 60_000)
}

function unchanged(state: NameState): NameDecision {
  return { state, effects: [] }
}

function stepDone(terms: NameTerms, step: NameStep, at: number): NameTerms {
  return { ...terms, stepsDone: [...terms.stepsDone, { step, at }] }
}

function bare(state: NameState): NameTerms {
  const { v, id, user, domain, skeleton, owner, offerSource, requestedAt, deadlineAt, stepsDone } = state
  return { v, id, user, domain, skeleton, owner, offerSource, requestedAt, deadlineAt, stepsDone }
}
