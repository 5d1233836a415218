import type { Msat } from '../money.ts'
import type { FeePolicy } from './fees.ts'
import type {
  Custody,
  MilestoneEffect,
  MilestoneReport,
  MilestoneRequest,
  MilestoneState,
} from './milestone-states.ts'

/** `task`: takes applications, and is proven by work. `order`: goods of a known seller; the proof is the delivery. */
export type EscrowKind = 'task' | 'order'

export type Application = { readonly worker: string; readonly message: string; readonly at: number }

/** What the creator asks for in one milestone; the rest of its terms follows from it. */
export type MilestonePlan = {
  readonly title: string
  readonly payoutMsat: Msat
  readonly workMs: number
  readonly objectionMs: number
  readonly holdBlocks: number
}

/** What the buyer may change until somebody relies on it. */
export type EscrowPlan = {
  readonly title: string
  readonly description: string
  /** Decides disputes; null: a dispute can only end by agreement, or by the guardian's refund. */
  readonly arbiter: string | null
  /** No milestone is funded after this. */
  readonly deadlineAt: number
  readonly milestones: readonly MilestonePlan[]
}

type Escrow = {
  readonly v: 1
  readonly id: string
  readonly kind: EscrowKind
  readonly custody: Custody
  readonly buyer: string
  readonly worker: string | null
  readonly arbiter: string | null
  /** The operator's node. */
  readonly nodeId: string
  readonly policy: FeePolicy
  readonly title: string
  readonly description: string
  readonly createdAt: number
  readonly deadlineAt: number
  readonly applications: readonly Application[]
  readonly milestones: readonly MilestoneState[]
}

export type EscrowPhase =
  | { readonly phase: 'draft' }
  | { readonly phase: 'open' }
  | { readonly phase: 'assigned' }
  /** Money is or was locked. */
  | { readonly phase: 'active' }
  /** Every milestone has ended, and a worker was paid. */
  | { readonly phase: 'completed'; readonly endedAt: number }
  | { readonly phase: 'cancelled'; readonly endedAt: number }
  /** Nothing was funded before the deadline. */
  | { readonly phase: 'expired'; readonly endedAt: number }

export type EscrowState = Escrow & EscrowPhase

export const ESCROW_PHASES = [
  'draft',
  'open',
  'assigned',
  'active',
  'completed',
  'cancelled',
  'expired',
] as const satisfies readonly EscrowPhase['phase'][]

export type CreateRequest = {
  readonly kind: 'create'
  readonly by: string
  readonly id: string
  readonly escrowKind: EscrowKind
  readonly custody: Custody
  /** The seller of an order; null for a task. */
  readonly worker: string | null
  readonly nodeId: string
  readonly policy: FeePolicy
  readonly plan: EscrowPlan
}

export type EscrowRequest =
  | CreateRequest
  | { readonly kind: 'update'; readonly by: string; readonly plan: EscrowPlan }
  | { readonly kind: 'publish'; readonly by: string }
  | { readonly kind: 'apply'; readonly by: string; readonly message: string }
  | { readonly kind: 'assign'; readonly by: string; readonly worker: string }
  | { readonly kind: 'cancel'; readonly by: string }
  | (MilestoneRequest & { readonly milestone: number })

export type EscrowReport =
  | (Exclude<MilestoneReport, { kind: 'time-passed' }> & { readonly milestone: number })
  /** To all milestones at once. */
  | { readonly kind: 'time-passed' }

export type EscrowCommand = EscrowRequest | EscrowReport

export type EscrowEffect =
  | (Exclude<MilestoneEffect, { kind: 'wake' }> & { readonly milestone: number })
  | { readonly kind: 'wake'; readonly at: number }
