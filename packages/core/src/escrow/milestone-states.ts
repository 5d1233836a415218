import type { Msat } from '../money.ts'
import type { PaymentReport, PaymentState } from '../payments/payment-states.ts'
import type { HoldSchedule } from './schedule.ts'
import type { InvoiceFacts, Payee } from './worker-invoice.ts'

/**
 * `hash-locked`: the buyer's money is locked to the payment hash of the worker's own invoice, so that the operator
 * cannot claim it before it has paid. `coordinated`: the operator's node knows the preimage.
 */
export type Custody = 'hash-locked' | 'coordinated'

/** When a command is decided: the clock, and the height of the chain as the operator's node sees it. */
export type Moment = { readonly now: number; readonly height: number }

/** What was agreed; it never changes once money can move. Times are in milliseconds. */
export type MilestoneTerms = {
  readonly title: string
  readonly payoutMsat: Msat
  /** The platform's: the buyer locks `payoutMsat + feeMsat`. */
  readonly feeMsat: Msat
  /** What the operator's node may spend on routing one payout. */
  readonly routingFeeLimitMsat: Msat
  /** From the money's arrival to the proof. */
  readonly workMs: number
  /** From the proof until silence counts as approval. */
  readonly objectionMs: number
  readonly holdBlocks: number
  readonly finalCltvCap: number
}

type Frame = {
  readonly index: number
  readonly custody: Custody
  /** The operator's node: it holds, pays and repays, and no other is ever asked. */
  readonly nodeId: string
  readonly terms: MilestoneTerms
}

/** The buyer's money, locked. */
export type Held = {
  readonly paymentHash: string
  /** At least payout + fee; BOLT 4 lets a payer send more. */
  readonly heldMsat: Msat
  readonly heldAt: number
  readonly schedule: HoldSchedule
  /** When the proof is due; a revision prolongs it. */
  readonly dueAt: number
  readonly revisions: number
}

export type Proof = {
  readonly text: string
  /** SHA-256 in hex of a document that the parties exchanged. */
  readonly digest: string | null
  readonly submittedAt: number
  /** Submitted early enough that the whole time to object lies before the guardian's decision. */
  readonly inTime: boolean
}

/** Why the worker may be paid. */
export type Approval = 'buyer' | 'arbiter' | 'no-objection'

/** Why a hold goes back to the buyer. */
export type RefundCause =
  | 'amount-wrong'
  | 'hold-too-short'
  | 'hold-ended'
  | 'proof-missing'
  | 'not-approved'
  | 'dispute-unresolved'
  | 'payout-failed'
  | 'by-worker'
  | 'by-arbiter'
  | 'by-operator'
  | 'no-worker'

/**
 * What the node did with the buyer's HTLC. `gone`: it went back to the buyer. `lost`: it was claimed, and the channel's peer
 * took it, or one of its parts, back on the chain before that could not be undone any more.
 */
export type HoldFate = 'held' | 'claiming' | 'claimed' | 'gone' | 'lost'

/** A hold of which only its end is still awaited, or past. */
type Ending = { readonly paymentHash: string; readonly heldMsat: Msat }
type Paid = Ending & { readonly paidMsat: Msat; readonly routingFeeMsat: Msat }

/** What the operator owes to the buyer, or has repaid, because it claimed a hold without a release. */
export type Owed = {
  readonly paymentHash: string
  readonly owedMsat: Msat
  /** The chain did not let the operator keep what it had claimed: it bears what it owes. */
  readonly claimLost?: true
}

type Payout = Held & {
  readonly payee: Payee
  readonly approval: Approval
  readonly hold: HoldFate
  /** How many payouts were begun; each has an id of its own, and begins only when the one before has surely failed. */
  readonly tries: number
}
export type Paying<P extends PaymentState['phase']> = Extract<PaymentState, { phase: P }>

export type MilestonePhase =
  /** No worker yet. */
  | { readonly phase: 'planned' }
  | { readonly phase: 'awaiting-invoice' }
  | { readonly phase: 'ready-to-fund'; readonly payee: Payee }
  | {
      readonly phase: 'awaiting-funds'
      readonly payee: Payee | null
      readonly paymentHash: string
      /** Null until the node has made it. */
      readonly fundingInvoice: string | null
      readonly fundBy: number
      readonly attempt: number
    }
  /**
   * The hash of a hold that nobody paid, or for which there was no room, is being finished for ever; only after that is
   * the milestone what `next` says.
   */
  | {
      readonly phase: 'closing'
      readonly paymentHash: string
      readonly next: 'unfunded' | 'expired' | 'cancelled'
      readonly attempt: number
    }
  | (Held & { readonly phase: 'held'; readonly payee: Payee | null })
  | (Held & {
      readonly phase: 'proof-submitted'
      readonly payee: Payee
      readonly proof: Proof
      readonly autoReleaseAt: number
    })
  | (Held & {
      readonly phase: 'disputed'
      readonly payee: Payee | null
      readonly proof: Proof | null
      readonly openedBy: string
      readonly openedAt: number
      readonly reason: string
    })
  /** A payout is being sent, or (null) waits for its next try while none is in flight. */
  | (Payout & {
      readonly phase: 'releasing'
      readonly payout: Paying<'sending'> | null
      readonly tryAt: number
    })
  /** Nobody can say whether the worker was paid: neither paid again nor refunded until the node says which. */
  | (Payout & { readonly phase: 'payout-unknown'; readonly payout: Paying<'unknown'> })
  /** The worker is paid; the node claims the buyer's HTLC with the preimage that this brought. */
  | (Paid & { readonly phase: 'claiming'; readonly since: number; readonly attempt: number })
  /**
   * The worker is paid, and the buyer's HTLC is claimed: on the chain seven blocks deep, or over an open channel, with the
   * preimage on the node's disk and the channel's peer to follow. Should the peer never do so, and the chain be too slow,
   * it becomes `lost`.
   */
  | (Paid & { readonly phase: 'released'; readonly endedAt: number })
  | (Ending & { readonly phase: 'refunding'; readonly cause: RefundCause; readonly attempt: number })
  | (Ending & { readonly phase: 'refunded'; readonly cause: RefundCause; readonly endedAt: number })
  /** The preimage came before the release: the operator claimed from the thief and owes the buyer. */
  | (Owed & { readonly phase: 'premature'; readonly since: number })
  | (Owed & {
      readonly phase: 'repaying'
      readonly since: number
      /** The buyer's own invoice. */
      readonly payee: Payee
      readonly tries: number
      readonly repayment: Paying<'sending' | 'unknown'> | null
      readonly tryAt: number
    })
  | (Owed & { readonly phase: 'repaid'; readonly routingFeeMsat: Msat; readonly endedAt: number })
  /** The worker was paid and the buyer's money went back: the operator bears the payout. */
  | (Paid & { readonly phase: 'lost'; readonly endedAt: number })
  | { readonly phase: 'expired'; readonly endedAt: number }
  | { readonly phase: 'cancelled'; readonly endedAt: number }

export type MilestoneState = Frame & MilestonePhase
export type Phase = MilestonePhase['phase']
export type In<P extends Phase> = Extract<MilestoneState, { phase: P }>

export const MILESTONE_PHASES = [
  'planned',
  'awaiting-invoice',
  'ready-to-fund',
  'awaiting-funds',
  'closing',
  'held',
  'proof-submitted',
  'disputed',
  'releasing',
  'payout-unknown',
  'claiming',
  'released',
  'refunding',
  'refunded',
  'premature',
  'repaying',
  'repaid',
  'lost',
  'expired',
  'cancelled',
] as const satisfies readonly Phase[]

/** Effects of one milestone; `attempt` is checked before they are performed, so that only the last one is. */
export type MilestoneEffect =
  | {
      readonly kind: 'create-hold' | 'cancel-hold' | 'settle-hold'
      readonly attempt: number
      readonly at: number
    }
  /** Ask the node what became of the hold; safe at any time. */
  | { readonly kind: 'look-up-hold'; readonly at: number }
  | {
      readonly kind: 'pay-out' | 'look-up-payout' | 'repay' | 'look-up-repayment'
      readonly try: number
      readonly attempt: number
      readonly at: number
    }
  /** Come back with `time-passed`. */
  | { readonly kind: 'wake'; readonly at: number }

/** What the operator's node says of a hold; `absent`: it has never heard of it. */
export type HoldSaid =
  | { readonly state: 'open' | 'cancelled' | 'absent' }
  | { readonly state: 'held'; readonly amountMsat: Msat; readonly claimDeadlineHeight: number }
  | { readonly state: 'settling' | 'settled' | 'lost'; readonly amountMsat: Msat }

/** `by`: a Nostr public key in hex, or `operator`. Who may ask for what is decided in `roles.ts`. */
export type MilestoneRequest =
  | { readonly kind: 'submit-invoice'; readonly by: string; readonly invoice: InvoiceFacts }
  | {
      readonly kind: 'fund'
      readonly by: string
      /** What the operator's node can send just now. */
      readonly spendableMsat: Msat
      /** `coordinated` only: the hash whose preimage the operator's node derives for this milestone. */
      readonly paymentHash: string | null
    }
  | {
      readonly kind: 'submit-proof'
      readonly by: string
      readonly text: string
      readonly digest: string | null
    }
  | { readonly kind: 'approve'; readonly by: string }
  | { readonly kind: 'request-revision'; readonly by: string; readonly reason: string }
  | { readonly kind: 'open-dispute'; readonly by: string; readonly reason: string }
  | { readonly kind: 'resolve-dispute'; readonly by: string; readonly to: 'release' | 'refund' }
  | { readonly kind: 'refund'; readonly by: string }
  | { readonly kind: 'submit-refund-invoice'; readonly by: string; readonly invoice: InvoiceFacts }

export type MilestoneReport =
  | { readonly kind: 'hold-created'; readonly paymentHash: string; readonly invoice: string }
  | {
      readonly kind: 'hold-seen'
      readonly paymentHash: string
      readonly said: HoldSaid
      /** The money has just arrived, and what is locked already leaves no room for it at the operator's node. */
      readonly noRoom?: true
    }
  | {
      readonly kind: 'hold-failed'
      readonly effect: 'create-hold' | 'cancel-hold' | 'settle-hold'
      readonly attempt: number
    }
  /** `paymentHash`: of the invoice that is paid. */
  | PaymentReported<'payout'>
  | PaymentReported<'repayment'>
  | { readonly kind: 'time-passed' }

type PaymentReported<K extends 'payout' | 'repayment'> = {
  readonly kind: K
  readonly paymentHash: string
  readonly try: number
  readonly report: PaymentReport
}
