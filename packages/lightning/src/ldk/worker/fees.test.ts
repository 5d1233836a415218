import { ConfirmationTarget } from 'lightningdevkit'
import { beforeEach, expect, test } from 'vitest'
import { FeeRates, FLOOR_SAT_PER_KW } from './fees.ts'

const {
  LDKConfirmationTarget_UrgentOnChainSweep: URGENT,
  LDKConfirmationTarget_NonAnchorChannelFee: CHANNEL,
} = ConfirmationTarget
const LATER_MS = 60_000

/** By blocks; null: the chain cannot tell. */
let said: Record<number, number | null>
const rpc = { feeRate: async (blocks: number) => said[blocks] ?? null }

beforeEach(() => {
  said = {}
})

test('a chain that cannot tell yet has the floor on regtest, and elsewhere what may be needed', async () => {
  const regtest = new FeeRates(rpc, 'regtest')
  const bitcoin = new FeeRates(rpc, 'bitcoin')
  await Promise.all([regtest.refresh(0), bitcoin.refresh(0)])
  expect([URGENT, CHANNEL].map((target) => regtest.for(target))).toEqual([FLOOR_SAT_PER_KW, FLOOR_SAT_PER_KW])
  expect([URGENT, CHANNEL].map((target) => bitcoin.for(target))).toEqual([5_000, 2_000])
})

test('a chain that cannot tell any more, as after a restart of bitcoind, leaves what it told last', async () => {
  const fees = new FeeRates(rpc, 'bitcoin')
  said = { 2: 9_000, 6: 7_000, 144: 1 }
  await fees.refresh(0)
  expect([URGENT, CHANNEL].map((target) => fees.for(target))).toEqual([9_000, 7_000])
  expect(fees.for(ConfirmationTarget.LDKConfirmationTarget_ChannelCloseMinimum)).toBe(FLOOR_SAT_PER_KW)
  said = {}
  await fees.refresh(LATER_MS)
  expect([URGENT, CHANNEL].map((target) => fees.for(target))).toEqual([9_000, 7_000])
})
