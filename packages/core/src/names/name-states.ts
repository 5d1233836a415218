import type { RefusalCode } from '../refusals.ts'

/** What the owner asked for; it never changes. Times are milliseconds since 1970. */
export type NameTerms = {
  readonly v: 1
  /** Also the offer's id at the owner's node, so that making it twice makes it once. */
  readonly id: string
  readonly user: string
  readonly domain: string
  readonly skeleton: string
  readonly owner: string
  /** `node`: made and disabled by us at the owner's node. `brought`: made on the owner's device, not ours to disable. */
  readonly offerSource: 'node' | 'brought'
  readonly requestedAt: number
  /** A registration that has not ended by then is undone. */
  readonly deadlineAt: number
  readonly stepsDone: readonly StepDone[]
}

export const NAME_STEPS = [
  'name-claimed',
  'offer-ready',
  'record-published',
  'record-seen',
  'chain-validated',
] as const
export type NameStep = (typeof NAME_STEPS)[number]
export type StepDone = { readonly step: NameStep; readonly at: number }

export type ReadyOffer = {
  readonly offer: string
  /** Absent: never. */
  readonly expiresAt?: number
}

/** Why a name ended, from the catalogue. */
export type Cause = RefusalCode

export type NamePhase =
  | { readonly phase: 'requested'; readonly attempt: number; readonly lastFailure: Cause | null }
  | {
      readonly phase: 'offer-ready'
      readonly offer: ReadyOffer
      readonly attempt: number
      readonly lastFailure: Cause | null
    }
  | {
      readonly phase: 'published'
      readonly offer: ReadyOffer
      readonly attempt: number
      readonly lastFailure: Cause | null
    }
  | {
      readonly phase: 'seen'
      readonly offer: ReadyOffer
      readonly attempt: number
      readonly lastFailure: Cause | null
    }
  | { readonly phase: 'active'; readonly offer: ReadyOffer; readonly activeAt: number }
  /** The record may be in the zone and is being withdrawn. The name stays claimed until it is gone. */
  | {
      readonly phase: 'withdrawing'
      readonly cause: Cause
      readonly offer: ReadyOffer
      /** Which withdrawal counts: a later publication makes an earlier withdrawal worthless. */
      readonly attempt: number
      readonly publishedMeanwhile: boolean
    }
  /** The name is free again; the offer may still be enabled at the owner's node. */
  | {
      readonly phase: 'disabling'
      readonly cause: Cause
      readonly offer: ReadyOffer | null
      readonly attempt: number
      readonly madeMeanwhile: boolean
    }
  | {
      readonly phase: 'freed'
      readonly cause: Cause
      readonly offer: ReadyOffer | null
      readonly freedAt: number
    }

export type NameState = NameTerms & NamePhase

export const NAME_PHASES = [
  'requested',
  'offer-ready',
  'published',
  'seen',
  'active',
  'withdrawing',
  'disabling',
  'freed',
] as const satisfies readonly NamePhase['phase'][]

/** While a name is in one of these phases nobody else may claim it. */
export const CLAIMING_PHASES = [
  'requested',
  'offer-ready',
  'published',
  'seen',
  'active',
  'withdrawing',
] as const satisfies readonly NamePhase['phase'][]

export type NameEffectKind =
  | 'make-offer'
  | 'publish-record'
  | 'check-authoritative'
  | 'validate-chain'
  | 'withdraw-record'
  | 'disable-offer'

export type NameEffect =
  | { readonly kind: NameEffectKind; readonly attempt: number; readonly at: number }
  /** Come back with `time-passed`. */
  | { readonly kind: 'wake'; readonly at: number }

export type EffectFailure = {
  readonly code: RefusalCode
  /**
   * `unavailable`: no usable answer, try again. `refused`: nothing was done, and trying again is pointless.
   * `occupied`: somebody else's record stands at our name, so ours is not there.
   */
  readonly kind: 'unavailable' | 'refused' | 'occupied'
}

export type NameRequest =
  | {
      readonly kind: 'register'
      readonly id: string
      readonly user: string
      readonly domain: string
      readonly skeleton: string
      readonly owner: string
      readonly deadlineAt: number
      /** An offer made on the owner's own device, already checked. Absent: the owner's node makes one. */
      readonly offer?: ReadyOffer
    }
  | { readonly kind: 'release'; readonly owner: string }

export type NameReport =
  | { readonly kind: 'offer-made'; readonly offer: ReadyOffer }
  | { readonly kind: 'record-published' }
  | { readonly kind: 'record-seen' }
  | { readonly kind: 'chain-validated' }
  | { readonly kind: 'record-withdrawn'; readonly attempt: number }
  | { readonly kind: 'offer-disabled'; readonly attempt: number }
  | {
      readonly kind: 'effect-failed'
      readonly effect: NameEffectKind
      readonly attempt: number
      readonly failure: EffectFailure
    }
  /** A job found that its effect is no longer wanted; an interrupted run of it may have happened all the same. */
  | { readonly kind: 'outcome-unknown'; readonly effect: NameEffectKind }
  | { readonly kind: 'time-passed' }

export type NameCommand = NameRequest | NameReport
