import { describe, expect, test } from 'vitest'
import type { Hex, HoldInvoices } from '../ports.ts'
import { eventually, freshSecret } from './contract-world.ts'

export type Claimed = {
  readonly holdInvoices: Pick<HoldInvoices, 'lookup' | 'lookupAll'>
  readonly paymentHash: Hex
  readonly amountMsat: bigint
}

/** What every backend, simulated ones too, promises of a hold that it has claimed; `claim` does so while the peer is there. */
export function describeHoldClaims(claim: () => Promise<Claimed>): void {
  describe('a hold that was claimed', () => {
    test('is settled, and final as soon as the channel’s peer has let go of it', async () => {
      const { holdInvoices, paymentHash, amountMsat } = await claim()
      const settled = await eventually('it is settled', async () => {
        const said = await holdInvoices.lookup(paymentHash)
        return said?.state === 'settled' ? said : null
      })
      expect(settled).toEqual({ state: 'settled', amountMsat, isFinal: expect.any(Boolean) })
      const final = await eventually('it is final', async () => {
        const said = await holdInvoices.lookup(paymentHash)
        return said?.state === 'settled' && said.isFinal ? said : null
      })
      expect(final).toEqual({ state: 'settled', amountMsat, isFinal: true })
    })

    test('is one answer of many, in the order in which they were asked for', async () => {
      const [first, second] = [await claim(), await claim()]
      const { holdInvoices } = first
      const hashes = [second.paymentHash, freshSecret().paymentHash, first.paymentHash]
      const said = await eventually('both are final', async () => {
        const all = await holdInvoices.lookupAll(hashes)
        return [0, 2].every((at) => all[at]?.state === 'settled' && all[at].isFinal) ? all : null
      })
      const final = ({ amountMsat }: Claimed) => ({ state: 'settled', amountMsat, isFinal: true })
      expect(said).toEqual([final(second), null, final(first)])
      expect(await holdInvoices.lookupAll([])).toEqual([])
    })
  })
}
