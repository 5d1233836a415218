import type { Msat } from '../money.ts'
import { type Refusal, refuse } from '../refusals.ts'
import { payoutCostMsat } from './milestone-facts.ts'
import type { MilestoneState } from './milestone-states.ts'

/**
 * How many holds are open at once. A channel has 483 places for HTLCs in one direction (BOLT 2), a hold keeps one for
 * days, and taking it costs its buyer nothing but the patience: whoever may take them all keeps everybody else out.
 */
export type HoldLimits = {
  /** Invoices that may still be paid included: they fill nobody else's places. */
  readonly ofOneBuyer: number
  /** Only what was paid: an invoice costs nothing, and whoever asks for many may not keep out who pays. */
  readonly ofAll: number
}

/** Whether one hold more is too many. Null: there is room. */
export function checkRoom(open: HoldLimits, most: HoldLimits): Refusal | null {
  if (open.ofOneBuyer >= most.ofOneBuyer)
    return refuse('ESCROW_HOLDS_FULL', { of: 'buyer', most: most.ofOneBuyer })
  return open.ofAll >= most.ofAll ? refuse('ESCROW_HOLDS_FULL', { of: 'operator', most: most.ofAll }) : null
}

/**
 * Whether there is no room for money that has just arrived: the limit of all, or what the node can send besides what it
 * owes to workers already (`spendableMsat`).
 */
export function lacksRoom(
  milestone: Pick<MilestoneState, 'terms'>,
  { spendableMsat, taken }: { readonly spendableMsat: Msat; readonly taken: number },
  most: HoldLimits,
): boolean {
  return taken >= most.ofAll || spendableMsat < payoutCostMsat(milestone)
}
