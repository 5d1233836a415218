import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { feePolicy, platformFee, quote, routingFeeLimit } from './fees.ts'
import {
  blocksFor,
  CLAIM_LEAD_BLOCKS,
  CLAIM_SAFETY_BLOCKS,
  DEFAULT_HOLD_BLOCKS,
  finalCltvCap,
  holdBlocksFor,
  invoiceNeededUntil,
  LEAST_PAYOUT_FINAL_CLTV,
  MAX_PAYOUT_FINAL_CLTV,
  payoutCltvCap,
  scheduleOf,
} from './schedule.ts'

const HOUR_MS = 3_600_000
const spans = fc.record({
  workMs: fc.integer({ min: 1, max: 40 * HOUR_MS }),
  objectionMs: fc.integer({ min: 1, max: 20 * HOUR_MS }),
})

describe('the schedule of a hold', () => {
  test('of the default length, accepted at height 1000', () => {
    const spans = { workMs: 6 * HOUR_MS, objectionMs: 2 * HOUR_MS, holdBlocks: DEFAULT_HOLD_BLOCKS }
    const terms = { ...spans, finalCltvCap: finalCltvCap(spans) }
    expect(terms.finalCltvCap).toBe(47)
    // LDK: claim_deadline = height + CLTV − 17, and more when the payer added blocks of its own.
    expect(scheduleOf(terms, { height: 1_000, claimDeadlineHeight: 1_351 })).toEqual({
      dueHeight: 1_045,
      guardianHeight: 1_096,
      latestPayoutHeight: 1_108,
      deadlineHeight: 1_271,
    })
    expect(scheduleOf(terms, { height: 1_000, claimDeadlineHeight: 1_261 }).deadlineHeight).toBe(1_261)
  })

  test('leaves work, objection and arbitration their time, and every payout room for its final CLTV', () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 200, max: 864 }), (spans, holdBlocks) => {
        const cap = finalCltvCap({ ...spans, holdBlocks })
        fc.pre(cap >= LEAST_PAYOUT_FINAL_CLTV)
        const height = 5_000
        const schedule = scheduleOf(
          { ...spans, holdBlocks, finalCltvCap: cap },
          { height, claimDeadlineHeight: height + holdBlocks - CLAIM_LEAD_BLOCKS },
        )
        expect(schedule.dueHeight - height).toBeGreaterThanOrEqual(blocksFor(spans.workMs))
        expect(schedule.guardianHeight).toBeLessThan(schedule.latestPayoutHeight)
        for (const at of [height, schedule.guardianHeight, schedule.latestPayoutHeight]) {
          const room = payoutCltvCap(schedule, at)!
          expect(room).toBeGreaterThan(cap)
          // Outgoing total CLTV + safety margin < blocks left until the incoming deadline.
          expect(room + CLAIM_SAFETY_BLOCKS).toBeLessThan(schedule.deadlineHeight - at)
        }
        expect(payoutCltvCap(schedule, schedule.latestPayoutHeight + 1)).toBeNull()
      }),
    )
  })

  test('a hold that is asked for by its needs takes any worker’s invoice', () => {
    fc.assert(
      fc.property(spans, (spans) => {
        const holdBlocks = holdBlocksFor(spans)
        expect(holdBlocks).toBeGreaterThanOrEqual(DEFAULT_HOLD_BLOCKS)
        expect(finalCltvCap({ ...spans, holdBlocks })).toBe(MAX_PAYOUT_FINAL_CLTV)
      }),
    )
  })

  test('a payout may never use more than a route of 1008 blocks', () => {
    expect(payoutCltvCap({ latestPayoutHeight: 5_000, deadlineHeight: 9_000 }, 0)).toBe(1_008)
  })

  test('an invoice must outlive the slowest hold', () => {
    expect(invoiceNeededUntil(0, 288)).toBe(2 * HOUR_MS + 288 * 12 * 60_000)
  })
})

describe('fees', () => {
  const policy = feePolicy({ fixedSat: 1, ppm: 10_000, capSat: 5_000 })
  test.each([
    [1_000_000n, 11_000n],
    [1_000_001n, 11_001n],
    [499_900_000n, 5_000_000n],
    [10_000_000_000n, 5_000_000n],
  ])('of %s msat the platform takes %s, and the buyer locks both', (payoutMsat, feeMsat) => {
    expect(platformFee(payoutMsat, policy)).toBe(feeMsat)
    expect(quote(payoutMsat, policy)).toEqual({ payoutMsat, feeMsat, fundingMsat: payoutMsat + feeMsat })
  })

  test.each([
    [1_000_000n, 10_000n],
    [5_000_000n, 10_000n],
    [100_000_000n, 200_000n],
  ])('routing a payout of %s msat may cost %s', (payout, limit) =>
    expect(routingFeeLimit(payout, platformFee(payout, policy))).toBe(limit),
  )

  test('a route never costs the operator more than it earns, whatever the fee and the amount are', () => {
    const amount = fc.bigInt({ min: 1_000_000n, max: 2_000_000_000_000_000n })
    const policies = fc.record({
      fixedSat: fc.nat(100),
      ppm: fc.nat(20_000),
      capSat: fc.nat(100_000),
    })
    fc.assert(
      fc.property(amount, policies, (payoutMsat, said) => {
        const feeMsat = platformFee(payoutMsat, feePolicy(said))
        expect(routingFeeLimit(payoutMsat, feeMsat)).toBeLessThanOrEqual(feeMsat)
        expect(routingFeeLimit(2n * (payoutMsat + feeMsat), feeMsat)).toBeLessThanOrEqual(feeMsat)
      }),
    )
  })
})
