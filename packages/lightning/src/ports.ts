import type { NodeFailureReason } from '@holdfast/core/payments/payment-states'

/**
 * How the rest of Holdfast reaches a Lightning node: small ports named by need. A backend implements those that it
 * supports and says so in `capabilities`. Amounts are bigint millisatoshi, hashes and keys lower-case hex, times
 * milliseconds since 1970. A call that cannot reach the node throws `NodeError('offline')`, as does one to a node whose file
 * cannot be read: nothing is known to have happened, and it is asked again later.
 */
export type Hex = string
export type Network = 'bitcoin' | 'testnet' | 'signet' | 'regtest'

export type Capability =
  | 'invoices'
  | 'hold-invoices'
  /** A payment of this node on a hash that it holds claims the hold, in the moment in which it brings the preimage. */
  | 'bought-holds'
  | 'own-holds'
  | 'offers'
  /** Tells which BIP-353 name a payment is for, as its payer says, and can refuse who says none. */
  | 'payees'
  | 'pay'
  | 'funds'
  | 'events'

export interface LightningNode {
  readonly capabilities: ReadonlySet<Capability>
  /** 33-byte compressed public key. */
  readonly nodeId: Hex
  readonly network: Network
  readonly invoices?: Invoices
  readonly holdInvoices?: HoldInvoices
  readonly ownHolds?: OwnHolds
  readonly offers?: Offers
  readonly payer?: Payer
  readonly funds?: Funds
  readonly events?: NodeEvents
}

export interface Invoices {
  /**
   * An ordinary BOLT 11 invoice: the node makes the preimage and claims by itself. Throws `NodeError('unsupported')`
   * when the backend cannot commit to a `descriptionHash`.
   */
  create(request: InvoiceRequest): Promise<{ invoice: string; paymentHash: Hex }>
  /** Null: the node never made it, or has forgotten it because it expired unpaid at least 30 days ago. */
  lookup(paymentHash: Hex): Promise<ReceivedPayment | null>
}

export type InvoiceRequest = {
  /** 1 … the supply. Absent: the payer chooses. */
  amountMsat?: bigint
  expirySeconds: number
} & InvoiceDescription

/**
 * Exactly one of both (BOLT 11, fields `d` and `h`): the text itself, at most 639 bytes, or the SHA-256 of a text that
 * the payer is given elsewhere, 32 bytes.
 */
export type InvoiceDescription =
  | { description: string; descriptionHash?: never }
  | { description?: never; descriptionHash: Hex }

export type ReceivedPayment =
  | { state: 'open' }
  | { state: 'paid'; amountMsat: bigint; paidAt: number }
  | { state: 'expired' }

export interface HoldInvoices {
  /** A BOLT 11 invoice on a payment hash whose preimage this node does not know. Creating it twice is creating it once. */
  create(request: HoldInvoiceRequest): Promise<{ invoice: string }>
  /** Claims the held HTLCs; already settled is success. Throws `NodeError('not-held')` when nothing is held. */
  settle(paymentHash: Hex, preimage: Hex): Promise<void>
  /** Fails the held HTLCs back, and every later HTLC on this hash, for ever. Already cancelled is success. */
  cancel(paymentHash: Hex): Promise<void>
  lookup(paymentHash: Hex): Promise<HoldState | null>
  /** The same of many at once, in their order. */
  lookupAll(paymentHashes: readonly Hex[]): Promise<(HoldState | null)[]>
  /** Calls `listener` with each change; returns the function that stops it. Durable followers use `NodeEvents`. */
  watch(paymentHash: Hex, listener: (state: HoldState) => void): () => void
}

/**
 * Holds whose preimage the node itself makes, from its seed and a label of at most 200 bytes: whoever asks for them trusts
 * the node's owner. The preimage does not leave the node.
 */
export interface OwnHolds {
  /** What a hold invoice is made on; the same for the same label, for ever. */
  paymentHash(label: string): Promise<Hex>
  /** As `HoldInvoices.settle` of that hash. */
  settle(label: string): Promise<void>
}

export type HoldInvoiceRequest = {
  paymentHash: Hex
  amountMsat: bigint
  description: string
  expirySeconds: number
  /** `min_final_cltv_expiry_delta` of BOLT 11, in blocks: the longest the hold can last. */
  minFinalCltvExpiryDelta: number
}

export type HoldState =
  | { state: 'open' }
  /** `claimDeadlineHeight`: LDK fails the HTLC back by itself at this block height. */
  | { state: 'held'; amountMsat: bigint; claimDeadlineHeight: number }
  /** The node claims it. In the `ldk` backend it stays so only when a channel is closed, until the chain has decided. */
  | { state: 'settling'; amountMsat: bigint }
  /**
   * The preimage is on the node's disk, where it claims each part from, over the channel or on the chain, through crashes
   * and without being asked again. Until it `isFinal` the peer of an open channel may not have let go of the HTLC; were it
   * silent, and the chain too slow, the hold would be `lost`. Nobody can undo what is final.
   */
  | { state: 'settled'; amountMsat: bigint; isFinal: boolean }
  /** It was claimed, and the peer took it, or a part of it, back on the chain before that: for good. */
  | { state: 'lost'; amountMsat: bigint }
  | { state: 'cancelled' }

export interface Offers {
  /** A BOLT 12 offer. `offerId` is the caller's: asking twice with one id answers the same offer. */
  create(request: OfferRequest): Promise<{ offer: string }>
  list(): Promise<OfferRecord[]>
  /** The node no longer answers invoice requests for it; unknown or already disabled is success. */
  disable(offerId: string): Promise<void>
}

export type OfferRequest = {
  offerId: string
  description?: string
  amountMsat?: bigint
  issuer?: string
  /** Absent: never. */
  expiresAt?: number
  /**
   * Only who names a payee of this domain (BOLT 12 `invreq_bip_353_name`) gets an invoice, so that payments of one offer
   * can be told apart. Needs the capability `payees`.
   */
  payeeDomain?: string
}

export type OfferRecord = { offerId: string; offer: string; enabled: boolean; createdAt: number }

export interface Payer {
  /**
   * Says that this will probably be paid in a moment, as while the intention is being kept: a backend for which reading it
   * takes time does so now. Changes nothing and promises nothing; whether it can be paid is said by `pay`.
   */
  expect?(destination: PayRequest['destination']): void
  /**
   * Starts a payment. `paymentId` (32 bytes) is the caller's: a second call with one id never pays again and answers
   * the outcome so far. Resolves once the node has durably accepted the intention, not when the payment ends.
   * `NodeError('not-held')`: see `whileHeld`; nothing is kept of it.
   */
  pay(request: PayRequest): Promise<PaymentOutcome>
  /**
   * With `waitMs` a backend that can answers when the payment is not pending any more, or after so long; one that
   * cannot answers at once.
   */
  lookup(paymentId: Hex, options?: { waitMs?: number }): Promise<PaymentOutcome | null>
}

export type PayRequest = {
  paymentId: Hex
  destination:
    | { kind: 'bolt11'; invoice: string }
    | {
        kind: 'bolt12'
        offer: string
        payerNote?: string
        /** The BIP-353 name by which the offer was found, `user@domain`: the payee's node is told (`invreq_bip_353_name`). */
        payee?: string
      }
  /** Needed when the destination names no amount; otherwise it must equal the destination's. */
  amountMsat: bigint
  maxFeeMsat: bigint
  /** Cap on the route's total CLTV, in blocks. Default 1008. */
  maxTotalCltvExpiryDelta?: number
  /**
   * A payment hash: no HTLC is sent, also not by a later attempt of the node's own, unless the node holds a payment on it at
   * that moment. Only for backends with hold invoices.
   */
  whileHeld?: Hex
  /**
   * How long the node may go on trying, or wait for channels whose peer is away. In-flight HTLCs may outlive it: the
   * outcome is then `pending`.
   */
  timeoutMs: number
}

export type PaymentOutcome =
  | { state: 'pending'; paymentHash: Hex | null }
  | { state: 'succeeded'; paymentHash: Hex; amountMsat: bigint; feeMsat: bigint }
  /** Final: nothing of this id is in flight and nothing ever will be, so it may be paid under another id. */
  | { state: 'failed'; paymentHash: Hex | null; reason: PaymentFailure }
  /** The node cannot say whether it was paid: neither pay again nor treat as failed; ask again. */
  | { state: 'unknown' }

/** Why a payment failed, in the words of core, which decides on them. */
export type PaymentFailure = NodeFailureReason

/**
 * The payer's proof of payment. It belongs to the user: only the user's own device calls this, never the server.
 */
export interface PaymentProofs {
  preimage(paymentId: Hex): Promise<{ paymentHash: Hex; preimage: Hex } | null>
}

export interface Funds {
  balance(): Promise<Balance>
}

export type Balance = {
  /** Spendable over channels, before fees and reserves of a particular payment. */
  lightningMsat: bigint
  /** What could be sent over them together: without what the channels must keep as reserve or already have in flight. */
  sendableMsat: bigint
  /** What could be received over channels. */
  receivableMsat: bigint
  onchainSat: bigint
  /** On-chain value that waits for time locks or confirmations after a close. */
  claimableSat: bigint
}

export interface NodeEvents {
  /**
   * Durable events after `cursor` (0 for all), oldest first, at most `limit`. Waits up to `waitMs` for the first. When some
   * of them were forgotten, the first that is answered is `events-forgotten`.
   */
  since(cursor: number, options?: { limit?: number; waitMs?: number }): Promise<NodeEvent[]>
  /**
   * Whoever follows the events durably has kept what they mean, up to this cursor: 30 days after they happened they are
   * forgotten. One follower of a node says so, in all its instances; where none ever did, they are forgotten all the same.
   */
  acknowledge(cursor: number): Promise<void>
}

export type NodeEvent = { cursor: number; at: number } & (
  | {
      kind: 'payment-received'
      paymentHash: Hex
      amountMsat: bigint
      offerId: string | null
      /** The BIP-353 name that its payer says to pay, in lower case. */
      payee?: string
    }
  | { kind: 'hold-accepted'; paymentHash: Hex; amountMsat: bigint; claimDeadlineHeight: number }
  | { kind: 'hold-settled'; paymentHash: Hex; amountMsat: bigint }
  | { kind: 'hold-cancelled'; paymentHash: Hex }
  /** Perhaps long after `hold-settled`. `amountMsat` is all that was held, also when only a part of it was lost. */
  | { kind: 'hold-lost'; paymentHash: Hex; amountMsat: bigint }
  | { kind: 'payment-succeeded'; paymentId: Hex; paymentHash: Hex; amountMsat: bigint; feeMsat: bigint }
  | { kind: 'payment-failed'; paymentId: Hex; paymentHash: Hex | null; reason: PaymentFailure }
  | { kind: 'channel-ready'; channelId: Hex; peer: Hex }
  | { kind: 'channel-closed'; channelId: Hex; peer: Hex; reason: string }
  /** Not an event but the lack of some: up to this cursor. What they told has to be looked up. */
  | { kind: 'events-forgotten' }
)

export type NodeErrorCode = 'offline' | 'invalid' | 'not-held' | 'unsupported' | 'conflict'

export class NodeError extends Error {
  readonly code: NodeErrorCode
  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NodeError'
    this.code = code
  }
}
