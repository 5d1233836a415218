import type { EffectDone, EffectSubject, NameEffect, PendingEffect } from './name-commands.ts'
import type { NameState, Running } from './name-states.ts'

/** Every effect that the name waits for, as its state says. */
export function pendingEffects(state: NameState): PendingEffect[] {
  const pending = state.retiring.map(({ no, owner, wait }): PendingEffect => {
    return { kind: 'disable-offer', serial: wait.serial, no, owner, at: wait.dueAt }
  })
  if (state.cleaning?.wait) {
    const { offers, strays, wait } = state.cleaning
    const wanted = wantedOffer(state)
    const unwanted = offers.filter((offer) => offer !== wanted)
    const { serial, dueAt: at } = wait
    pending.unshift({ kind: 'settle-record', serial, wanted, unwanted, ...(strays && { strays }), at })
  }
  if (isRunning(state)) pending.unshift(stepEffect(state))
  return pending
}

/** Those of them that have failed, and of which nobody knows when they can succeed. */
export function effectsInTrouble(state: NameState): PendingEffect[] {
  const waits = [state.cleaning?.wait ?? null, ...state.retiring.map(({ wait }) => wait)]
  const failed = new Set(waits.flatMap((wait) => (wait && wait.lastFailure !== null ? [wait.serial] : [])))
  return pendingEffects(state).filter(({ serial }) => failed.has(serial))
}

/** The effects that a decision asks for: those that are new in its state. */
export function newEffects(before: NameState | null, after: NameState): NameEffect[] {
  const effects: NameEffect[] = pendingEffects(after).filter(({ serial }) => serial > (before?.serial ?? -1))
  const wake = wakeOf(after)
  if (wake !== null && wake !== (before && wakeOf(before))) effects.push({ kind: 'wake', at: wake })
  return effects
}

/** When the name must be looked at although nothing was reported; null: never. */
export function dueAt(state: NameState): number | null {
  const times = pendingEffects(state).map(({ at }) => at)
  const wake = wakeOf(state)
  if (wake !== null) times.push(wake)
  return times.length === 0 ? null : Math.min(...times)
}

export function isRunning(state: NameState): state is Running {
  return 'wait' in state
}

function wakeOf(state: NameState): number | null {
  if (isRunning(state)) return state.job.deadlineAt
  return state.phase === 'active' ? state.wakeAt : null
}

/** The offer whose record must stand in the zone once it is settled. */
function wantedOffer(state: NameState): string | null {
  return state.phase === 'active' || state.phase === 'restoring' ? state.live.offer : null
}

function stepEffect(state: Running): PendingEffect {
  const { serial, dueAt: at } = state.wait
  switch (state.phase) {
    case 'requested':
      return { kind: 'make-offer', serial, no: state.next.no, owner: state.next.owner, at }
    case 'offer-ready': {
      const { offer } = state.next
      const others = [...(state.live ? [state.live.offer] : []), ...(state.cleaning?.offers ?? [])]
      return { kind: 'publish-record', serial, offer, replaces: others.filter((it) => it !== offer), at }
    }
    case 'published':
      return { kind: 'check-authoritative', serial, offer: state.next.offer, at }
    case 'seen':
      return { kind: 'validate-chain', serial, offer: state.next.offer, at }
  }
}

/** What a report tells of its effect. */
export function doneOf(effect: EffectSubject): EffectDone {
  const { kind, serial } = effect
  switch (kind) {
    case 'make-offer':
      return { kind, serial, no: effect.no, owner: effect.owner }
    case 'publish-record':
      return { kind, serial, offer: effect.offer }
    case 'check-authoritative':
    case 'validate-chain':
      return { kind, serial }
    case 'settle-record':
      return { kind, serial, wanted: effect.wanted }
    case 'disable-offer':
      return { kind, serial, no: effect.no }
  }
}
