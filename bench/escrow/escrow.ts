import type { BenchWorld } from '../bench-world.ts'
import type { Figure } from '../figure.ts'
import { benchCycle } from './cycle.ts'
import { benchHeld } from './held.ts'
import { benchInFlight } from './in-flight.ts'
import { fundOrder, makeParty, placeOrder, withFollowing } from './orders.ts'
import { benchStatusReads } from './status-reads.ts'

/** bob, and where many buy at once carol and dave, buy from alice through the server, as the SDK does, each with a node of their own. */
export async function benchEscrow(world: BenchWorld, seconds: number): Promise<Figure[]> {
  const party = (name: string) => makeParty(world, name)
  const [buyer, worker, carol, dave] = await Promise.all([
    party('bob'),
    party('alice'),
    party('carol'),
    party('dave'),
  ])
  const parties = { buyer, worker }
  const cycle = await benchCycle(world, parties, seconds)
  const inFlight = await benchInFlight(world, { buyers: [buyer, carol, dave], worker }, seconds)
  const order = await placeOrder(buyer, worker)
  await withFollowing(order, (told) => fundOrder(order, told))
  const reads = await benchStatusReads(world, order, seconds)
  const held = await benchHeld(world, parties, seconds)
  return [...cycle, ...inFlight, ...reads, ...held]
}
