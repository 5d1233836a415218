import type { EffectFailure } from './name-commands.ts'
import type { NameOffer, Wait } from './name-states.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** How long every record may be cached (its TTL). */
export const RECORD_TTL_MS = MINUTE_MS
/** An offer is disabled so long after another took its place: who still has the old record cached can pay meanwhile. */
export const RETIRE_AFTER_MS = RECORD_TTL_MS + 5_000
/** A record is withdrawn this long before its offer expires, so that no cache outlives the offer. */
export const WITHDRAW_BEFORE_EXPIRY_MS = RECORD_TTL_MS + HOUR_MS
/** The owner's node makes a new offer this long before the old one expires. */
export const RENEW_BEFORE_EXPIRY_MS = 7 * 24 * HOUR_MS
export const RENEWAL_DEADLINE_MS = 10 * MINUTE_MS
const RENEW_AGAIN_AFTER_MS = HOUR_MS

/** 50 ms, doubling, at most 10 s: a name should be live in about a second. */
export function retryDelayMs(tries: number): number {
  return doubling(50, tries, 10_000)
}

/** Nothing is left behind, so it is tried for ever: at first at once, in the end now and then. */
export function settleDelayMs(tries: number, kind: EffectFailure['kind']): number {
  return kind === 'unavailable' ? doubling(250, tries, HOUR_MS) : doubling(MINUTE_MS, tries, 6 * HOUR_MS)
}

/** The same for offers: a node that has not come back for days may never do so, and nobody reads its offers. */
export function disableDelayMs(tries: number): number {
  return doubling(250, tries, 24 * HOUR_MS)
}

/** When a live name must be looked at because its offer expires; null: never. */
export function wakeAt({ source, expiresAt }: NameOffer, now: number): number | null {
  if (expiresAt === undefined) return null
  const withdrawAt = expiresAt - WITHDRAW_BEFORE_EXPIRY_MS
  if (source === 'brought') return withdrawAt
  return Math.min(withdrawAt, Math.max(expiresAt - RENEW_BEFORE_EXPIRY_MS, now + RENEW_AGAIN_AFTER_MS))
}

/** Whether a name that is live by then would lose its record before its node is asked for another offer. */
export function endsBeforeRenewal({ expiresAt }: NameOffer, liveAt: number): boolean {
  return expiresAt !== undefined && liveAt + RENEW_AGAIN_AFTER_MS >= expiresAt - WITHDRAW_BEFORE_EXPIRY_MS
}

export function firstTry(serial: number, dueAt: number): Wait {
  return { serial, tries: 0, dueAt, lastFailure: null }
}

function doubling(first: number, tries: number, most: number): number {
  return Math.min(first * 2 ** Math.min(tries, 30), most)
}
