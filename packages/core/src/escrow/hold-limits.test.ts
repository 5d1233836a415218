import { expect, test } from 'vitest'
import { checkRoom } from './hold-limits.ts'
import { hasOpenHold } from './milestone-facts.ts'
import { MILESTONE_PHASES } from './milestone-states.ts'
import { only, reach } from './testing/escrow-story.ts'

const MOST = { ofOneBuyer: 2, ofAll: 5 }

test.each([
  ['there is room', { ofOneBuyer: 1, ofAll: 4 }, null],
  ['one buyer has enough', { ofOneBuyer: 2, ofAll: 2 }, { of: 'buyer', most: 2 }],
  ['all have enough', { ofOneBuyer: 0, ofAll: 5 }, { of: 'operator', most: 5 }],
])('%s', (_what, open, data) =>
  expect(checkRoom(open, MOST)).toEqual(
    data && expect.objectContaining({ refused: 'ESCROW_HOLDS_FULL', data }),
  ),
)

test('a hold is open from the moment in which it may be paid until its HTLC is gone', () => {
  expect(MILESTONE_PHASES.filter((phase) => hasOpenHold(only(reach(phase))))).toEqual([
    'awaiting-funds',
    'closing',
    'held',
    'proof-submitted',
    'disputed',
    'releasing',
    'payout-unknown',
    'claiming',
    'refunding',
  ])
})
