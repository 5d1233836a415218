import { isRefusal, type Refusal, refuse } from '../refusals.ts'
import { heardFromWatcher } from './hear-watcher.ts'
import type { NameCommand, NameEffect, NameReport } from './name-commands.ts'
import { RENEWAL_DEADLINE_MS, retryDelayMs, WITHDRAW_BEFORE_EXPIRY_MS } from './name-delays.ts'
import { decideRequest, nextOffer, register } from './name-requests.ts'
import {
  beginRound,
  chainValidated,
  free,
  newJob,
  offerMade,
  recordPublished,
  recordSeen,
  restored,
  suspended,
} from './name-round.ts'
import { type NameIn, type NameState, type Running, termsOf } from './name-states.ts'
import { effectsInTrouble, isRunning, newEffects, pendingEffects } from './pending-effects.ts'
import { disablingFailed, offerDisabled, offerMayExist } from './retire-offers.ts'
import { isSettling, recordFound, recordTouched, settlingFailed } from './settle-record.ts'
import { end, undo, undoBesideStranger } from './undo-name.ts'

export type NameDecision = { readonly state: NameState; readonly effects: readonly NameEffect[] }

/**
 * The life of a name. A request may be refused; a report never is, and hearing it twice or late leaves nothing behind.
 * The same state object comes back when nothing changed.
 */
export function decideName(
  state: NameState | null,
  command: NameCommand,
  now: number,
): NameDecision | Refusal {
  switch (command.kind) {
    case 'register':
      return state === null
        ? decision(null, register(command, now))
        : refuse('NAME_TAKEN', { user: command.user })
    case 'change-offer':
    case 'propose-transfer':
    case 'cancel-transfer':
    case 'accept-transfer':
    case 'suspend':
    case 'resume':
    case 'release': {
      if (state === null) return refuse('NAME_NOT_FOUND')
      const next = decideRequest(state, command, now)
      return isRefusal(next) ? next : decision(state, next)
    }
    default:
      return state === null ? refuse('NAME_NOT_FOUND') : hearName(state, command, now)
  }
}

/** `decideName` for what may not be refused. */
export function hearName(state: NameState, report: NameReport, now: number): NameDecision {
  if (report.kind === 'try-again') {
    return { state, effects: effectsInTrouble(state).map((effect) => ({ ...effect, at: now })) }
  }
  const next = hear(state, report, now)
  if (report.kind !== 'time-passed' || next !== state) return decision(state, next)
  // Whoever asks at this time suspects that a job was lost: what is due is asked for again.
  return { state, effects: pendingEffects(state).filter(({ at }) => at <= now) }
}

/** Rebuilds a name from the commands that its journal entries hold. */
export function replayName(
  history: readonly { readonly command: NameCommand; readonly at: number }[],
): NameState | null {
  return history.reduce<NameState | null>((state, { command, at }) => {
    const decided = decideName(state, command, at)
    return isRefusal(decided) ? state : decided.state
  }, null)
}

function decision(before: NameState | null, state: NameState): NameDecision {
  return { state, effects: state === before ? [] : newEffects(before, state) }
}

function hear(state: NameState, report: Exclude<NameReport, { kind: 'try-again' }>, now: number): NameState {
  switch (report.kind) {
    case 'offer-made':
      return state.phase === 'requested' && isAwaited(state, report)
        ? offerMade(state, report.ready, now)
        : offerMayExist(state, report, now)
    case 'record-published':
      return state.phase === 'offer-ready' && isAwaited(state, report)
        ? recordPublished(state, now)
        : recordTouched(state, report.offer, now)
    case 'record-seen':
      return state.phase === 'published' && isAwaited(state, report) ? recordSeen(state, now) : state
    case 'chain-validated':
      return state.phase === 'seen' && isAwaited(state, report) ? chainValidated(state, report, now) : state
    case 'record-settled':
      return isSettling(state, report.serial)
        ? recordSettled({ ...state, cleaning: null }, now)
        : recordTouched(state, report.wanted, now)
    case 'offer-disabled':
      return offerDisabled(state, report)
    case 'effect-failed':
      return effectFailed(state, report, now)
    case 'outcome-unknown':
      return outcomeUnknown(state, report.effect, now)
    case 'record-found':
      return recordFound(state, report.offer, now)
    case 'healthy':
    case 'unhealthy':
      return heardFromWatcher(state, report, now)
    case 'time-passed':
      return timePassed(state, now)
  }
}

function recordSettled(state: NameState, now: number): NameState {
  switch (state.phase) {
    case 'restoring':
      return restored(termsOf(state), state.live, state.next, now)
    case 'withdrawing':
      return state.becomes === 'suspended'
        ? suspended(termsOf(state), state, now)
        : free(termsOf(state), state, now)
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
    case 'active':
    case 'suspended':
    case 'freed':
      return state
  }
}

function effectFailed(
  state: NameState,
  { effect, failure }: Extract<NameReport, { kind: 'effect-failed' }>,
  now: number,
): NameState {
  if (effect.kind === 'disable-offer') return disablingFailed(state, effect, failure, now)
  if (isSettling(state, effect.serial)) return settlingFailed(state, failure, now)
  if (!isRunning(state) || !isAwaited(state, effect)) {
    // Whatever else a failure says, this one says that nothing was done.
    const nothingWasDone = effect.kind === 'publish-record' && failure.kind === 'occupied'
    return nothingWasDone ? state : outcomeUnknown(state, effect, now)
  }
  if (failure.kind === 'occupied') return undoBesideStranger(state, failure.code, now)
  if (failure.kind === 'refused' || now >= state.job.deadlineAt) return undo(state, failure.code, now)
  const { tries } = state.wait
  const serial = state.serial + 1
  const pause = Math.max(retryDelayMs(tries), failure.retryAfterMs ?? 0)
  const wait = { serial, tries: tries + 1, dueAt: now + pause, lastFailure: failure.code }
  return { ...state, serial, wait }
}

/** What an effect that nobody waits for may have done is undone. */
function outcomeUnknown(
  state: NameState,
  effect: Extract<NameReport, { kind: 'outcome-unknown' }>['effect'],
  now: number,
): NameState {
  switch (effect.kind) {
    case 'make-offer':
      return offerMayExist(state, effect, now)
    case 'publish-record':
      return recordTouched(state, effect.offer, now)
    case 'settle-record':
      return recordTouched(state, effect.wanted, now)
    case 'check-authoritative':
    case 'validate-chain':
    case 'disable-offer':
      return state
  }
}

/** The clock: past a deadline a change is undone; an offer that expires is renewed, or its record withdrawn. */
function timePassed(state: NameState, now: number): NameState {
  if (isRunning(state)) {
    return now < state.job.deadlineAt ? state : undo(state, state.wait.lastFailure ?? 'NAME_TIMED_OUT', now)
  }
  return state.phase === 'active' ? mindExpiry(state, now) : state
}

function mindExpiry(state: NameIn<'active'>, now: number): NameState {
  const { live, wakeAt } = state
  if (live.expiresAt === undefined || wakeAt === null || now < wakeAt) return state
  const withdrawAt = live.expiresAt - WITHDRAW_BEFORE_EXPIRY_MS
  if (now >= withdrawAt) return end(state, 'OFFER_EXPIRED', now)
  const deadlineAt = Math.min(now + RENEWAL_DEADLINE_MS, withdrawAt)
  const job = newJob({ id: null, kind: 'renew', deadlineAt }, now)
  return beginRound(termsOf(state), { job, live, next: nextOffer(state, live.owner) }, now)
}

function isAwaited(state: Running, { serial }: { serial: number }): boolean {
  return state.wait.serial === serial
}
