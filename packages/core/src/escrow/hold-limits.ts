import { type Refusal, refuse } from '../refusals.ts'

/**
 * How many holds are open at once. A channel has 483 places for HTLCs in one direction (BOLT 2), a hold keeps one for
 * days, and taking it costs its buyer nothing but the patience: whoever may take them all keeps everybody else out.
 */
export type HoldLimits = { readonly ofOneBuyer: number; readonly ofAll: number }

/** Whether one hold more is too many. Null: there is room. */
export function checkRoom(open: HoldLimits, most: HoldLimits): Refusal | null {
  if (open.ofOneBuyer >= most.ofOneBuyer)
    return refuse('ESCROW_HOLDS_FULL', { of: 'buyer', most: most.ofOneBuyer })
  return open.ofAll >= most.ofAll ? refuse('ESCROW_HOLDS_FULL', { of: 'operator', most: most.ofAll }) : null
}
