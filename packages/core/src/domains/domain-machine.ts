import { type Refusal, type RefusalCode, refuse } from '../refusals.ts'
import type {
  DomainCheck,
  DomainCommand,
  DomainEffect,
  DomainIn,
  DomainReport,
  DomainState,
  DomainTerms,
} from './domain-states.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** A claim that nobody has proven by then is dropped. */
export const PROVE_WITHIN_MS = 7 * DAY_MS
/** A domain may change hands: its challenge is looked for again. */
export const CHECK_AGAIN_MS = DAY_MS
/** A challenge that was deleted by mistake, or DNS that is down, may last so long. */
export const LAPSE_AFTER_MS = 3 * DAY_MS

export type DomainDecision = { readonly state: DomainState; readonly effects: readonly DomainEffect[] }

/** A merchant's own domain, from the claim to its end. The same state object comes back when nothing changed. */
export function decideDomain(
  state: DomainState | null,
  command: DomainCommand,
  now: number,
): DomainDecision | Refusal {
  switch (command.kind) {
    case 'claim':
      return state === null
        ? decision(claim(command, now))
        : refuse('DOMAIN_TAKEN', { domain: command.domain })
    case 'check-now':
    case 'give-up':
      if (state === null || state.phase === 'ended') return refuse('DOMAIN_NOT_FOUND')
      if (state.owner !== command.by) return refuse('FORBIDDEN')
      return decision(command.kind === 'give-up' ? end(state, null, now) : checkAt(state, state.check, now))
    default:
      return state === null ? refuse('DOMAIN_NOT_FOUND') : hearDomain(state, command, now)
  }
}

/** `decideDomain` for what may not be refused. */
export function hearDomain(state: DomainState, report: DomainReport, now: number): DomainDecision {
  const next = hear(state, report, now)
  if (next !== state) return decision(next)
  // Whoever asks at this time suspects that a job was lost: what is due is asked for again.
  const isDue = report.kind === 'time-passed' && state.phase !== 'ended' && state.check.dueAt <= now
  return isDue ? decision(state) : { state, effects: [] }
}

/** When the domain must be looked at; null: never again. */
export function domainDueAt(state: DomainState): number | null {
  return state.phase === 'ended' ? null : state.check.dueAt
}

function claim({ kind: _, ...terms }: Extract<DomainCommand, { kind: 'claim' }>, now: number): DomainState {
  const check = { serial: 0, tries: 0, dueAt: now, lastFailure: null }
  return { v: 1, ...terms, requestedAt: now, phase: 'pending', expiresAt: now + PROVE_WITHIN_MS, check }
}

function hear(state: DomainState, report: DomainReport, now: number): DomainState {
  if (state.phase === 'ended') return state
  switch (report.kind) {
    case 'verified':
      return report.serial === state.check.serial ? verified(state, report.aliases, now) : state
    case 'not-verified':
      return report.serial === state.check.serial ? notVerified(state, report.cause, now) : state
    case 'displaced':
      return state.phase === 'lapsed' ? end(state, 'DOMAIN_TAKEN', now) : state
    case 'time-passed':
      return state.phase === 'pending' && now >= state.expiresAt
        ? end(state, state.check.lastFailure ?? 'DOMAIN_NOT_VERIFIED', now)
        : state
  }
}

type Alive = DomainIn<'pending' | 'active' | 'lapsed'>

function verified(state: Alive, aliases: DomainIn<'active'>['aliases'], now: number): DomainState {
  const check: DomainCheck = {
    serial: state.check.serial + 1,
    tries: 0,
    dueAt: now + CHECK_AGAIN_MS,
    lastFailure: null,
  }
  return { ...termsOf(state), phase: 'active', aliases, verifiedAt: now, check }
}

function notVerified(state: Alive, cause: RefusalCode, now: number): DomainState {
  const failed = { ...state.check, tries: state.check.tries + 1, lastFailure: cause }
  switch (state.phase) {
    case 'pending': {
      if (now >= state.expiresAt) return end(state, cause, now)
      const dueAt = Math.min(now + proveDelayMs(state.check.tries), state.expiresAt)
      return checkAt(state, failed, dueAt)
    }
    case 'active':
    case 'lapsed': {
      const next = checkAt(state, failed, now + recheckDelayMs(state.check.tries))
      return now - state.verifiedAt >= LAPSE_AFTER_MS ? { ...next, phase: 'lapsed' } : next
    }
  }
}

function checkAt<S extends Alive>(state: S, check: DomainCheck, dueAt: number): S {
  return { ...state, check: { ...check, serial: state.check.serial + 1, dueAt } }
}

/**
 * 10 s, doubling, at most 6 h: a merchant waits in front of a screen, or edits the zone tomorrow. Anybody can claim any
 * domain, so one that nobody proves is looked at some forty times in all.
 */
function proveDelayMs(tries: number): number {
  return Math.min(10_000 * 2 ** Math.min(tries, 20), DAY_MS / 4)
}

/** 10 min, doubling, at most a day. */
function recheckDelayMs(tries: number): number {
  return Math.min(10 * MINUTE_MS * 2 ** Math.min(tries, 10), DAY_MS)
}

function end(state: DomainState, cause: RefusalCode | null, now: number): DomainState {
  return { ...termsOf(state), phase: 'ended', cause, endedAt: now }
}

function termsOf(state: DomainTerms): DomainTerms {
  const { v, id, domain, owner, challenge, label, host, requestedAt } = state
  return { v, id, domain, owner, challenge, label, host, requestedAt }
}

function decision(state: DomainState): DomainDecision {
  if (state.phase === 'ended') return { state, effects: [] }
  const { serial, dueAt } = state.check
  return { state, effects: [{ kind: 'check', serial, at: dueAt }] }
}
