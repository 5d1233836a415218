import type { EffectFailure } from './name-commands.ts'
import { disableDelayMs, firstTry } from './name-delays.ts'
import type { NameOffer, NameState, NameTerms, PlannedOffer, RetiringOffer } from './name-states.ts'

/** Asks the offer's node to disable it at `at`. One that was brought is not ours to disable. */
export function retire<T extends NameTerms>(terms: T, offer: PlannedOffer | NameOffer, at: number): T {
  if (offer.source === 'brought') return terms
  const { no, owner } = offer
  const serial = terms.serial + 1
  const known = terms.retiring.find((retiring) => retiring.no === no)
  const others = terms.retiring.filter((retiring) => retiring !== known)
  const text = 'offer' in offer ? offer.offer : (known?.offer ?? null)
  const retiring = [...others, { no, owner, offer: text, wait: firstTry(serial, at) }]
  return { ...terms, serial, retiring }
}

/**
 * An offer was made, perhaps after we had it disabled: unless it is in use it is disabled once more, but not sooner than
 * it was to be, since caches may still have its record.
 */
export function offerMayExist(state: NameState, made: { no: number; owner: string }, now: number): NameState {
  if (isInUse(state, made.no)) return state
  const known = state.retiring.find(({ no }) => no === made.no)
  return retire(state, { ...made, source: 'node' }, Math.max(now, known?.wait.dueAt ?? now))
}

export function offerDisabled(state: NameState, done: { no: number; serial: number }): NameState {
  if (find(state, done) === null) return state
  return { ...state, retiring: state.retiring.filter(({ no }) => no !== done.no) }
}

export function disablingFailed(
  state: NameState,
  done: { no: number; serial: number },
  { code }: EffectFailure,
  now: number,
): NameState {
  const failed = find(state, done)
  if (failed === null) return state
  const { tries } = failed.wait
  const serial = state.serial + 1
  const wait = { serial, tries: tries + 1, dueAt: now + disableDelayMs(tries), lastFailure: code }
  const retiring = state.retiring.map((offer) => (offer === failed ? { ...offer, wait } : offer))
  return { ...state, serial, retiring }
}

function find(state: NameState, { no, serial }: { no: number; serial: number }): RetiringOffer | null {
  return state.retiring.find((offer) => offer.no === no && offer.wait.serial === serial) ?? null
}

function isInUse(state: NameState, no: number): boolean {
  switch (state.phase) {
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
    case 'restoring':
      return state.next.no === no || state.live?.no === no
    case 'active':
      return state.live.no === no
    case 'withdrawing':
      return state.keep?.no === no || state.drop.some((offer) => offer.no === no)
    case 'suspended':
      return state.keep?.no === no
    case 'freed':
      return false
  }
}
