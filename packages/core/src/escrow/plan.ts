import { utf8ToBytes } from '@noble/hashes/utils.js'
import { SUPPLY_MSAT } from '../money.ts'
import { type Refusal, refuse } from '../refusals.ts'
import type { EscrowPlan, MilestonePlan } from './escrow-states.ts'
import { type FeePolicy, platformFee, routingFeeLimit } from './fees.ts'
import type { MilestoneTerms } from './milestone-states.ts'
import {
  DEFAULT_HOLD_BLOCKS,
  finalCltvCap,
  holdBlocksFor,
  LEAST_PAYOUT_FINAL_CLTV,
  MAX_HOLD_BLOCKS,
} from './schedule.ts'

export const MAX_MILESTONES = 20
export const MAX_TITLE_BYTES = 200
export const MAX_DESCRIPTION_BYTES = 16_384
export const MAX_MESSAGE_BYTES = 2_048
/** Below the dust limit an HTLC cannot be claimed on chain, and the promise would be worth nothing. */
export const LEAST_PAYOUT_MSAT = 1_000_000n
/** Less is no time to object, and more does not fit into a hold. */
export const LEAST_OBJECTION_MS = 60_000
/** A deadline further away is a mistake. */
export const LONGEST_DEADLINE_MS = 366 * 24 * 3600 * 1000

/** Null: nothing is wrong with it. */
export function checkPlan(plan: EscrowPlan, policy: FeePolicy, buyer: string, now: number): Refusal | null {
  const wrong = (field: string): Refusal => refuse('ESCROW_TERMS_INVALID', { field })
  if (!isTitle(plan.title)) return wrong('title')
  if (!isText(plan.description, 0, MAX_DESCRIPTION_BYTES)) return wrong('description')
  if (plan.arbiter === buyer) return wrong('arbiter')
  const isTime = Number.isSafeInteger(plan.deadlineAt) && plan.deadlineAt > now
  if (!isTime || plan.deadlineAt > now + LONGEST_DEADLINE_MS) return wrong('deadlineAt')
  if (plan.milestones.length === 0 || plan.milestones.length > MAX_MILESTONES) return wrong('milestones')
  for (const milestone of plan.milestones) {
    const refusal = checkMilestone(milestone, policy)
    if (refusal !== null) return refusal
  }
  return null
}

function checkMilestone(plan: MilestonePlan, policy: FeePolicy): Refusal | null {
  const wrong = (field: string): Refusal => refuse('ESCROW_TERMS_INVALID', { field: `milestones.${field}` })
  const { payoutMsat, workMs, objectionMs, holdBlocks } = plan
  if (!isTitle(plan.title)) return wrong('title')
  // BOLT 4 lets a payer send up to twice the amount, and that must be payable back.
  const funding = payoutMsat + platformFee(payoutMsat, policy)
  if (payoutMsat < LEAST_PAYOUT_MSAT || 2n * funding > SUPPLY_MSAT) return wrong('payoutMsat')
  if (!Number.isSafeInteger(workMs) || workMs <= 0) return wrong('workMs')
  if (!Number.isSafeInteger(objectionMs) || objectionMs < LEAST_OBJECTION_MS) return wrong('objectionMs')
  if (!Number.isSafeInteger(holdBlocks) || holdBlocks < 1 || holdBlocks > MAX_HOLD_BLOCKS)
    return wrong('holdBlocks')
  if (finalCltvCap(plan) >= LEAST_PAYOUT_FINAL_CLTV) return null
  return refuse('ESCROW_HOLD_TOO_SHORT', { neededBlocks: holdBlocksFor(plan), mostBlocks: MAX_HOLD_BLOCKS })
}

/** The terms that follow from a checked plan. */
export function termsOf(plan: MilestonePlan, policy: FeePolicy): MilestoneTerms {
  const { title, payoutMsat, workMs, objectionMs, holdBlocks } = plan
  const feeMsat = platformFee(payoutMsat, policy)
  return {
    title,
    payoutMsat,
    feeMsat,
    routingFeeLimitMsat: routingFeeLimit(payoutMsat, feeMsat),
    workMs,
    objectionMs,
    holdBlocks,
    finalCltvCap: finalCltvCap(plan),
  }
}

/** The hold for spans that name none: the default, or as long as they and any worker's wallet need. */
export function usualHoldBlocks(spans: { workMs: number; objectionMs: number }): number {
  const roomy = Math.min(holdBlocksFor(spans), MAX_HOLD_BLOCKS)
  return Math.max(roomy, DEFAULT_HOLD_BLOCKS)
}

/** One line of which something can be seen. */
function isTitle(text: string): boolean {
  return isText(text, 1, MAX_TITLE_BYTES) && /[^\p{Z}\p{C}]/u.test(text) && !/\p{Cc}/u.test(text)
}

/** Unicode that a database can keep: no NUL, no half of a surrogate pair; the limits are bytes of UTF-8. */
export function isText(text: string, least: number, most: number): boolean {
  if (text.includes('\0') || !text.isWellFormed()) return false
  const { length } = utf8ToBytes(text)
  return length >= least && length <= most
}
