import type { RefusalCode } from '../refusals.ts'
import type { Unhealthy } from './name-health.ts'

/** Why a change or a name ended, from the catalogue. */
export type Cause = RefusalCode

export type ReadyOffer = {
  readonly offer: string
  /** Absent: never. Times are milliseconds since 1970. */
  readonly expiresAt?: number
}

/** An offer that a node of `owner` is to make. */
export type PlannedOffer = {
  /** Numbers the offers of one name. With the name's id it is the offer's id at the node. */
  readonly no: number
  readonly owner: string
  /** `node`: made and disabled by us at the owner's node. `brought`: made on the owner's device, not ours to disable. */
  readonly source: 'node' | 'brought'
}

export type NameOffer = PlannedOffer & ReadyOffer

/** An effect that was asked for and not yet reported. */
export type Wait = {
  /** Each effect of a name has a number of its own: a report with another one comes late. */
  readonly serial: number
  readonly tries: number
  readonly dueAt: number
  readonly lastFailure: Cause | null
}

/** An offer that nobody shall pay any more, until its node has disabled it. */
export type RetiringOffer = {
  readonly no: number
  readonly owner: string
  /** Null: nobody knows whether it was ever made. */
  readonly offer: string | null
  readonly wait: Wait
}

/**
 * What must be settled in the zone: these offers' records may stand there although they must not, or the one that
 * must may be gone. Without `wait` it is left to the end of the change that is under way.
 */
export type Cleaning = {
  readonly offers: readonly string[]
  /** Values that are not ours, where the live record must stand. */
  readonly strays?: readonly string[]
  readonly wait: Wait | null
}

export const JOB_KINDS = ['register', 'rotate', 'renew', 'transfer', 'resume'] as const
export type JobKind = (typeof JOB_KINDS)[number]

const NAME_STEPS = [
  'accepted',
  'name-claimed',
  'offer-ready',
  'record-published',
  'record-seen',
  'resolvers-confirmed',
  'chain-validated',
] as const
export type NameStep = (typeof NAME_STEPS)[number]
export type StepDone = { readonly step: NameStep; readonly at: number }

/** The latest thing that was done with the name as a whole: its registration, or a change of its record. */
export type NameJob = {
  /** Null: nobody asked for it, as for a renewal. */
  readonly id: string | null
  readonly kind: JobKind
  /** What has not ended by then is undone. */
  readonly deadlineAt: number
  readonly stepsDone: readonly StepDone[]
  readonly outcome: 'running' | 'succeeded' | 'failed'
  /** Why it is being undone, or was. */
  readonly cause: Cause | null
}

export type TransferProposal = { readonly to: string; readonly until: number }

export type NameTerms = {
  readonly v: 2
  readonly id: string
  readonly user: string
  readonly domain: string
  readonly skeleton: string
  readonly owner: string
  readonly requestedAt: number
  /** For so long after its end nobody but its last owner may claim a name that was live. */
  readonly quarantineMs: number
  /** Null: the name was never live. */
  readonly firstActiveAt: number | null
  /** The number of the latest effect. */
  readonly serial: number
  readonly job: NameJob
  readonly transfer: TransferProposal | null
  readonly cleaning: Cleaning | null
  readonly retiring: readonly RetiringOffer[]
}

/** `live` is what stood in the zone before, and stands there again when the change fails. */
export type NamePhase =
  | {
      readonly phase: 'requested'
      readonly live: NameOffer | null
      readonly next: PlannedOffer
      readonly wait: Wait
    }
  | {
      readonly phase: 'offer-ready' | 'published' | 'seen'
      readonly live: NameOffer | null
      readonly next: NameOffer
      readonly wait: Wait
    }
  /**
   * `wakeAt`: when its offer must be renewed, or its record withdrawn because the offer expires. `unhealthy`: what the
   * watcher found wrong with it; null: nothing.
   */
  | {
      readonly phase: 'active'
      readonly live: NameOffer
      readonly wakeAt: number | null
      readonly unhealthy: Unhealthy | null
    }
  /** A change failed: `next` may be in the zone in the place of `live`. */
  | { readonly phase: 'restoring'; readonly live: NameOffer; readonly next: NameOffer }
  /** A record may be in the zone and is being withdrawn. The name stays claimed. */
  | {
      readonly phase: 'withdrawing'
      readonly becomes: 'freed' | 'suspended'
      readonly cause: Cause
      /** The offer to resume with; null: none. */
      readonly keep: NameOffer | null
      /** Retired once no record names them any more. */
      readonly drop: readonly NameOffer[]
    }
  | {
      readonly phase: 'suspended'
      readonly cause: Cause
      /** The offer to resume with; null: the owner's node is to make one. */
      readonly keep: NameOffer | null
      readonly suspendedAt: number
    }
  | {
      readonly phase: 'freed'
      /** `NAME_SUSPENDED`: until its quarantine is over nobody may have it, its last owner no more than others. */
      readonly cause: Cause
      readonly freedAt: number
      readonly quarantineUntil: number | null
    }

export type NameState = NameTerms & NamePhase
export type NameIn<P extends NamePhase['phase']> = Extract<NameState, { phase: P }>
/** A registration or change is under way. */
export type Running = NameIn<'requested'> | NameIn<'offer-ready' | 'published' | 'seen'>

/** While a name is in one of these phases nobody else may claim it. */
export const CLAIMING_PHASES = [
  'requested',
  'offer-ready',
  'published',
  'seen',
  'active',
  'restoring',
  'withdrawing',
  'suspended',
] as const satisfies readonly NamePhase['phase'][]

/** The state without its phase. */
export function termsOf(state: NameTerms): NameTerms {
  const { v, id, user, domain, skeleton, owner, requestedAt, quarantineMs, firstActiveAt } = state
  const { serial, job, transfer, cleaning, retiring } = state
  return {
    v,
    id,
    user,
    domain,
    skeleton,
    owner,
    requestedAt,
    quarantineMs,
    firstActiveAt,
    serial,
    job,
    transfer,
    cleaning,
    retiring,
  }
}
