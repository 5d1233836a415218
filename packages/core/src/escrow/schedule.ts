/**
 * How long money may be held, in blocks and in milliseconds. Heights are absolute block heights; a hold's only hard
 * deadline is the height at which the node fails the buyer's HTLC back by itself, and everything else is counted back
 * from there.
 */

/** A hold's final CLTV when its creator names none, and the most that one may ask for (BOLT 4 allows 2016 in all). */
export const DEFAULT_HOLD_BLOCKS = 288
export const MAX_HOLD_BLOCKS = 864

/** LDK fails a held HTLC back this many blocks before the final CLTV that the invoice asked for has run out. */
export const CLAIM_LEAD_BLOCKS = 17

/**
 * Between the end of a payout (its HTLC may end on chain, at its expiry) and the deadline of the hold: the time to
 * see the preimage on chain, also after a reorganisation of six blocks, and to claim the buyer's HTLC with it.
 */
export const CLAIM_SAFETY_BLOCKS = 36

/**
 * Room for the hops to the worker on top of the invoice's own final CLTV: LND asks 80 for one hop, others less. A
 * payout that begins before the last height has more, by every block.
 */
const ROUTE_BLOCKS = 80

/**
 * The guardian decides this many blocks before the last height at which a payout may begin: some two hours in which a
 * payout that found no route is tried again, and in which six blocks may be reorganised or a node be away.
 */
const GUARDIAN_LEAD_BLOCKS = 12

/** What arbiters have between the end of the buyer's time to object and the guardian's decision. */
const ARBITRATION_BLOCKS = 36

/** The most that a worker's invoice may ask as its final CLTV; phones that sleep ask for 144. */
export const MAX_PAYOUT_FINAL_CLTV = 144
/** The least that a schedule must leave for it: BOLT 11's default. */
export const LEAST_PAYOUT_FINAL_CLTV = 18

/** Many senders cap the CLTV of a whole route here, and so do we. */
const MAX_ROUTE_CLTV = 1008

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Blocks come faster than ten minutes for days at a time: a span that must fit into blocks is counted at eight. */
const FAST_BLOCK_MS = 8 * MINUTE_MS
/** And slower: what must outlive blocks is counted at twelve. */
const SLOW_BLOCK_MS = 12 * MINUTE_MS

/** How long the buyer may take to pay the funding invoice. */
export const FUNDING_MS = HOUR_MS
/** A payment on its way when the funding invoice expires may still arrive. */
export const FUNDING_GRACE_MS = MINUTE_MS
/** A worker's invoice must outlive its hold by this. */
const INVOICE_MARGIN_MS = HOUR_MS

/** The blocks that surely have not passed before `ms` have. */
export function blocksFor(ms: number): number {
  return Math.ceil(ms / FAST_BLOCK_MS)
}

/** Blocks of a hold that neither work nor objection nor the worker's final CLTV may use. */
const RESERVED_BLOCKS =
  CLAIM_LEAD_BLOCKS + CLAIM_SAFETY_BLOCKS + ROUTE_BLOCKS + GUARDIAN_LEAD_BLOCKS + ARBITRATION_BLOCKS

type Spans = { readonly workMs: number; readonly objectionMs: number }

/** The hold that leaves room for any worker's invoice, at least the default; it may be above `MAX_HOLD_BLOCKS`. */
export function holdBlocksFor({ workMs, objectionMs }: Spans): number {
  const needed = RESERVED_BLOCKS + MAX_PAYOUT_FINAL_CLTV + blocksFor(workMs) + blocksFor(objectionMs)
  return Math.max(DEFAULT_HOLD_BLOCKS, needed)
}

/** The final CLTV that a worker's invoice may ask for; below `LEAST_PAYOUT_FINAL_CLTV` the hold is too short. */
export function finalCltvCap({ holdBlocks, workMs, objectionMs }: Spans & { holdBlocks: number }): number {
  const left = holdBlocks - RESERVED_BLOCKS - blocksFor(workMs) - blocksFor(objectionMs)
  return Math.min(left, MAX_PAYOUT_FINAL_CLTV)
}

/** Until when an invoice must be payable whose milestone is funded `now` at the earliest. */
export function invoiceNeededUntil(now: number, holdBlocks: number): number {
  return now + FUNDING_MS + holdBlocks * SLOW_BLOCK_MS + INVOICE_MARGIN_MS
}

/** Absolute heights, ascending. */
export type HoldSchedule = {
  /** A proof that was submitted up to here and met no objection is released, at the latest by the guardian. */
  readonly dueHeight: number
  /** From here on the guardian ends the hold: it releases what was approved and refunds the rest. */
  readonly guardianHeight: number
  /** No payout begins above this height. */
  readonly latestPayoutHeight: number
  /** The hold has ended by here, whatever happened. */
  readonly deadlineHeight: number
}

/**
 * The heights of a hold that was accepted at `height`. The HTLC's own deadline obliges (an HTLC may expire long after
 * what the invoice asked for); money is not held longer than the terms say.
 */
export function scheduleOf(
  terms: { readonly holdBlocks: number; readonly finalCltvCap: number; readonly objectionMs: number },
  accepted: { readonly height: number; readonly claimDeadlineHeight: number },
): HoldSchedule {
  const promised = accepted.height + terms.holdBlocks - CLAIM_LEAD_BLOCKS
  const deadlineHeight = Math.min(accepted.claimDeadlineHeight, promised)
  const latestPayoutHeight = deadlineHeight - CLAIM_SAFETY_BLOCKS - ROUTE_BLOCKS - terms.finalCltvCap
  const guardianHeight = latestPayoutHeight - GUARDIAN_LEAD_BLOCKS
  const dueHeight = guardianHeight - ARBITRATION_BLOCKS - blocksFor(terms.objectionMs)
  return { dueHeight, guardianHeight, latestPayoutHeight, deadlineHeight }
}

/**
 * Cap on the total CLTV of a payout that begins at `height`: outgoing CLTV + safety margin must be *less* than what is
 * left of the hold, so that the preimage is known while the buyer's HTLC can still be claimed. Null: it is too late.
 */
export function payoutCltvCap(
  schedule: Pick<HoldSchedule, 'latestPayoutHeight' | 'deadlineHeight'>,
  height: number,
): number | null {
  if (height > schedule.latestPayoutHeight) return null
  return Math.min(schedule.deadlineHeight - height - CLAIM_SAFETY_BLOCKS - 1, MAX_ROUTE_CLTV)
}
