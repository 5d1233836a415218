import type { Msat } from '../money.ts'
import type { RefusalCode } from '../refusals.ts'

/** What a node can pay. `asksMsat`: the amount that it names, null when the payer chooses. */
export type Payable =
  | {
      readonly kind: 'bolt11'
      readonly invoice: string
      readonly asksMsat: Msat | null
      /** Who made the invoice, when neither the payer gave it nor DNSSEC has proven it: the host of an address. */
      readonly via?: Fallback
    }
  | {
      readonly kind: 'bolt12'
      readonly offer: string
      readonly asksMsat: Msat | null
      /** The BIP-353 name by which DNSSEC proved the offer: who is paid is told. */
      readonly payee?: string
    }

/** How else a name may be resolved, when the payer asks for it and the DNS proves nothing about it. */
export type Fallback = 'lightning-address'

/** What the payer asked for; it never changes. Times are milliseconds since 1970. */
export type PaymentTerms = {
  readonly v: 1
  readonly id: string
  /** The node that pays. No other is ever asked: it would not know what this one has paid already. */
  readonly nodeId: string
  readonly owner: string
  /** The destination as it was given. */
  readonly to: string
  readonly requestedMsat: Msat | null
  readonly feeLimitMsat: Msat | null
  /** A message to the payee, which goes with the payment or the payment does not go. */
  readonly note?: string
  readonly requestedAt: number
  /** The node is asked to pay before this moment, never after it. */
  readonly deadlineAt: number
}

/**
 * The node pays one id at most once. Only when it has finally given one up, with nothing of it in flight any more, may
 * the payment be tried again under the next: so at most one of a payment's ids is ever alive.
 */
export type NodeTry = {
  /** 32 bytes in hex: the id under which the node knows the payment now. */
  readonly nodePaymentId: string
  /** The ids of the tries that are left, in their order. */
  readonly spareNodePaymentIds: readonly string[]
  /** How many ids the node was given, this one included. */
  readonly tries: number
  /** The attempt with which this id came; what is reported of an earlier one is about an earlier id. */
  readonly sinceAttempt: number
}

type Priced = {
  readonly payable: Payable
  readonly amountMsat: Msat
  readonly maxFeeMsat: Msat
}

export type PaymentPhase =
  | {
      readonly phase: 'resolving'
      readonly name: string
      readonly fallback?: Fallback
      readonly attempt: number
      readonly lastFailure: RefusalCode | null
    }
  | (Priced & {
      readonly phase: 'sending'
      readonly attempt: number
      /** The node has said that it knows this payment. */
      readonly accepted: boolean
      /** An attempt ended without an answer: the node may know this payment. */
      readonly maybeSent: boolean
      readonly paymentHash: string | null
    })
  /** Nobody can say: it is neither paid again nor given up until the node says which. */
  | (Priced & {
      readonly phase: 'unknown'
      readonly attempt: number
      readonly accepted: boolean
      readonly paymentHash: string | null
    })
  | {
      readonly phase: 'succeeded'
      readonly payable: Payable
      readonly paymentHash: string
      readonly amountMsat: Msat
      readonly feeMsat: Msat
      readonly endedAt: number
    }
  | {
      readonly phase: 'failed'
      readonly payable: Payable | null
      readonly paymentHash: string | null
      readonly cause: RefusalCode
      readonly endedAt: number
    }

export type PaymentState = PaymentTerms & NodeTry & PaymentPhase

export const PAYMENT_PHASES = [
  'resolving',
  'sending',
  'unknown',
  'succeeded',
  'failed',
] as const satisfies readonly PaymentPhase['phase'][]

export type PaymentEffectKind = 'resolve' | 'pay' | 'look-up'

export type PaymentEffect =
  | { readonly kind: PaymentEffectKind; readonly attempt: number; readonly at: number }
  /** Come back with `time-passed`. */
  | { readonly kind: 'wake'; readonly at: number }

export type NodeFailureReason =
  | 'rejected'
  | 'no-route'
  | 'retries-exhausted'
  | 'expired'
  | 'invoice-request-unanswered'
  | 'invoice-request-rejected'
  | 'insufficient-funds'
  | 'abandoned'
  | 'other'

/** What the node says of a payment; `absent`: it has never heard of it. */
export type NodeOutcome =
  | { readonly state: 'pending'; readonly paymentHash: string | null }
  | {
      readonly state: 'succeeded'
      readonly paymentHash: string
      readonly amountMsat: Msat
      readonly feeMsat: Msat
    }
  | { readonly state: 'failed'; readonly paymentHash: string | null; readonly reason: NodeFailureReason }
  | { readonly state: 'unknown' }
  | { readonly state: 'absent' }

export type NameToPay = {
  readonly kind: 'name'
  readonly name: string
  readonly proven?: ProvenName
  readonly fallback?: Fallback
}

/** What the DNS has proven of a name, and until when it holds. */
export type ProvenName = { readonly payable: Payable; readonly expiresAt: number }

export type PaymentRequest = {
  readonly kind: 'request'
  readonly id: string
  /** 32 bytes in hex, which no other payment of the node may bear. */
  readonly nodePaymentId: string
  /** More of them, for tries after the first. Absent: it is tried once. */
  readonly spareNodePaymentIds?: readonly string[]
  readonly nodeId: string
  readonly owner: string
  readonly to: string
  /** A BIP-353 name is resolved first, unless it was already. */
  readonly destination:
    | { readonly kind: 'name'; readonly name: string; readonly proven?: ProvenName }
    | Payable
  readonly amountMsat?: Msat
  readonly maxFeeMsat?: Msat
  readonly note?: string
  readonly deadlineAt: number
}

export type PaymentReport =
  | { readonly kind: 'resolved'; readonly payable: Payable }
  | {
      readonly kind: 'resolve-failed'
      readonly attempt: number
      readonly code: RefusalCode
      /** Whether asking again can help. */
      readonly again: boolean
    }
  | { readonly kind: 'outcome'; readonly attempt: number; readonly outcome: NodeOutcome }
  /** The node took nothing on: the request itself was wrong. */
  | { readonly kind: 'pay-refused'; readonly attempt: number; readonly code: RefusalCode }
  | {
      readonly kind: 'node-unreachable'
      readonly attempt: number
      readonly effect: 'pay' | 'look-up'
      readonly code: RefusalCode
    }
  | { readonly kind: 'time-passed' }

export type PaymentCommand = PaymentRequest | PaymentReport
