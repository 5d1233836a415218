import { afterAll, beforeAll, describe } from 'vitest'
import type { ContractWorld } from './contract-world.ts'
import { describeHoldInvoices } from './hold-invoices.contract.ts'
import { describeInvoices } from './invoices.contract.ts'
import { describeNodeEvents } from './node-events.contract.ts'
import { describeOffers } from './offers.contract.ts'
import { describePayer } from './payer.contract.ts'

/** The contract of every port, in one world. `more` may add what only this backend promises. */
export function describeNode<World extends ContractWorld>(
  name: string,
  makeWorld: () => Promise<World>,
  more: (world: () => World) => void = () => undefined,
): void {
  describe(name, () => {
    let made: World | null = null
    const world = () => {
      if (!made) throw new Error('The world is made before the first test.')
      return made
    }
    beforeAll(async () => {
      made = await makeWorld()
    })
    afterAll(() => made?.stop())

    describeInvoices(world)
    describeOffers(world)
    describePayer(world)
    describeNodeEvents(world)
    // Last: it mines so many blocks at once that their times run ahead of the clock, and LDK's time with them.
    describeHoldInvoices(world)
    more(world)
  })
}
