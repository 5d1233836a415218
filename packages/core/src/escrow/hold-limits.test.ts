import { expect, test } from 'vitest'
import { checkRoom, lacksRoom } from './hold-limits.ts'
import { hasOpenHold, takesPlace } from './milestone-facts.ts'
import { MILESTONE_PHASES } from './milestone-states.ts'
import { only, PAYOUT_MSAT, reach } from './testing/escrow-story.ts'

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

test.each([
  ['enough of both', 4, PAYOUT_MSAT + 100_000n, false],
  ['no place', 5, PAYOUT_MSAT + 100_000n, true],
  ['a millisatoshi too little', 4, PAYOUT_MSAT + 99_999n, true],
])('when the money arrives: %s', (_what, taken, spendableMsat, lacks) =>
  expect(lacksRoom(only(reach('awaiting-funds')), { spendableMsat, taken }, MOST)).toBe(lacks),
)

test('a place is taken once the money is there, an invoice takes none', () => {
  const open = MILESTONE_PHASES.filter((phase) => hasOpenHold(only(reach(phase))))
  const taking = MILESTONE_PHASES.filter((phase) => takesPlace(only(reach(phase))))
  expect(taking).toEqual(open.filter((phase) => phase !== 'awaiting-funds' && phase !== 'closing'))
})

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
