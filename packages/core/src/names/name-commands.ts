import type { RefusalCode } from '../refusals.ts'
import type { UnhealthyReason } from './name-health.ts'
import type { ReadyOffer } from './name-states.ts'

/** Begins a job; `offer` was made on the owner's own device and is checked. Absent: the owner's node makes one. */
type JobRequest = { readonly jobId: string; readonly deadlineAt: number; readonly offer?: ReadyOffer }

/** `by` is the Nostr public key that asks. Whether it is an operator's is known outside. */
export type NameRequest =
  | ({
      readonly kind: 'register'
      readonly by: string
      readonly user: string
      readonly domain: string
      readonly skeleton: string
      readonly quarantineMs: number
    } & JobRequest)
  | ({ readonly kind: 'change-offer'; readonly by: string } & JobRequest)
  | {
      readonly kind: 'propose-transfer'
      readonly by: string
      readonly to: string
      readonly until: number
    }
  | { readonly kind: 'cancel-transfer'; readonly by: string }
  | ({ readonly kind: 'accept-transfer'; readonly by: string } & JobRequest)
  | { readonly kind: 'suspend'; readonly by: string }
  | ({ readonly kind: 'resume'; readonly by: string } & Omit<JobRequest, 'offer'>)
  | { readonly kind: 'release'; readonly by: string }

/** What an effect is about: enough to perform it, and to undo it when it was performed out of turn. */
export type EffectSubject =
  | { readonly kind: 'make-offer'; readonly serial: number; readonly no: number; readonly owner: string }
  | {
      readonly kind: 'publish-record'
      readonly serial: number
      readonly offer: string
      /** Offers whose record it may take the place of. */
      readonly replaces: readonly string[]
    }
  | {
      readonly kind: 'check-authoritative' | 'validate-chain'
      readonly serial: number
      readonly offer: string
    }
  /** Makes the zone agree: the record of `wanted` stands, and none of `unwanted`. */
  | {
      readonly kind: 'settle-record'
      readonly serial: number
      readonly wanted: string | null
      readonly unwanted: readonly string[]
      /** Whole values, not ours, of which the record of `wanted` may take the place, too. */
      readonly strays?: readonly string[]
    }
  | { readonly kind: 'disable-offer'; readonly serial: number; readonly no: number; readonly owner: string }

export type PendingEffect = EffectSubject & { readonly at: number }

export type NameEffect =
  | PendingEffect
  /** Come back with `time-passed`. */
  | { readonly kind: 'wake'; readonly at: number }

/** The part of a subject that a report needs to tell. */
export type EffectDone =
  | { readonly kind: 'make-offer'; readonly serial: number; readonly no: number; readonly owner: string }
  | { readonly kind: 'publish-record'; readonly serial: number; readonly offer: string }
  | { readonly kind: 'check-authoritative' | 'validate-chain'; readonly serial: number }
  | { readonly kind: 'settle-record'; readonly serial: number; readonly wanted: string | null }
  | { readonly kind: 'disable-offer'; readonly serial: number; readonly no: number }

export type EffectFailure = {
  readonly code: RefusalCode
  /**
   * `unavailable`: no usable answer, try again. `refused`: a person must act before it can succeed.
   * `occupied`: somebody else's record stands at our name, so ours is not there.
   */
  readonly kind: 'unavailable' | 'refused' | 'occupied'
  /** How long whoever failed asks to be left alone, in milliseconds. */
  readonly retryAfterMs?: number
}

export type NameReport =
  | ({ readonly kind: 'offer-made'; readonly ready: ReadyOffer } & Omit<
      Extract<EffectDone, { kind: 'make-offer' }>,
      'kind'
    >)
  | { readonly kind: 'record-published'; readonly serial: number; readonly offer: string }
  | { readonly kind: 'record-seen'; readonly serial: number }
  /** `confirmedBy`: how many resolvers of others have seen the record before; absent when none were asked. */
  | { readonly kind: 'chain-validated'; readonly serial: number; readonly confirmedBy?: number }
  | { readonly kind: 'record-settled'; readonly serial: number; readonly wanted: string | null }
  | { readonly kind: 'offer-disabled'; readonly serial: number; readonly no: number }
  | { readonly kind: 'effect-failed'; readonly effect: EffectDone; readonly failure: EffectFailure }
  /** A job found that its effect is no longer wanted; an interrupted run of it may have happened all the same. */
  | { readonly kind: 'outcome-unknown'; readonly effect: EffectDone }
  | { readonly kind: 'time-passed' }
  /** The watcher resolved the name to the record of this offer. */
  | { readonly kind: 'healthy'; readonly offer: string }
  /** It did not, or soon will not; `found`: the one value that stands in its place. */
  | {
      readonly kind: 'unhealthy'
      readonly offer: string
      readonly reason: UnhealthyReason
      readonly found?: string
    }
  /** The reconciler saw the record of this offer in the zone, or (null) none where one must stand. */
  | { readonly kind: 'record-found'; readonly offer: string | null }
  /** Somebody may have mended what an effect failed of: what waits for its next try is tried now. */
  | { readonly kind: 'try-again' }

export type NameCommand = NameRequest | NameReport
