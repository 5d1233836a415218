import type { BenchWorld } from '../bench-world.ts'
import type { Figure } from '../figure.ts'
import { makeNodePayer } from '../pay-on-node.ts'
import { median, percentile } from '../statistics.ts'
import { copyHeld } from './copy-held.ts'
import { makeTimeCycle, makeTimePair, type Parties, takeTurns } from './cycle.ts'
import { makeTimeGuard } from './guard-rounds.ts'
import { inLanes } from './in-flight.ts'
import { makeInvoice } from './node-payments.ts'
import { fundOrder, makeParty, type Order, type Party, placeOrder, withFollowing } from './orders.ts'
import { timeStatuses } from './status-reads.ts'

/** BOLT 2 allows 483 HTLCs in one direction of a channel, and the operator has one channel here. */
const STAGES = [
  { held: 10, htlcs: 10 },
  { held: 100, htlcs: 100 },
  { held: 400, htlcs: 400 },
  { held: 5_000, htlcs: 400 },
] as const
const FUNDED_AT_ONCE = 50
const FEWEST_ROUNDS = 4
const STATUS_READS = 300
const GUARD_ROUNDS = 100
/** The operator refuses what it could not pay out, and its half of the devnet's channel is less than 5,000 payouts. */
const MORE_LIQUIDITY_MSAT = 500_000_000n
const of = 'escrow'

/**
 * What a cycle, a status and a round of the guardian cost while ever more money is held. The HTLCs are real, of buyers
 * other than the one whose cycle is timed; what is held beyond them is copied rows, with no HTLC behind.
 */
export async function benchHeld(world: BenchWorld, parties: Parties, seconds: number): Promise<Figure[]> {
  const holders = [await makeParty(world, 'carol'), await makeParty(world, 'dave')] as const
  for (const holder of holders) await giveLiquidity(world, holder)
  const timeCycle = makeTimeCycle(parties)
  const timePair = await makeTimePair(world, parties)
  const timeGuard = makeTimeGuard(world)
  const orders: Order[] = []
  const figures: Figure[] = []
  for (const { held, htlcs } of STAGES) {
    await inLanes(FUNDED_AT_ONCE, htlcs - orders.length, async (index) => {
      const order = await placeOrder(holders[index % 2] as Party, parties.worker)
      await withFollowing(order, (told) => fundOrder(order, told))
      orders.push(order)
    })
    const [order] = orders as [Order]
    await copyHeld(world, order, held - htlcs)
    const { pairs, cycles } = await takeTurns(timePair, timeCycle, {
      rounds: FEWEST_ROUNDS,
      seconds: seconds / STAGES.length,
    })
    const statuses = await timeStatuses(world, order, STATUS_READS)
    const rounds: number[] = []
    for (let round = 0; round < GUARD_ROUNDS; round++) rounds.push(await timeGuard())
    const at = `${held} held, ${htlcs} HTLCs`
    figures.push(
      ...both(`${at}: two bare payments`, pairs),
      ...both(`${at}: cycle`, cycles),
      ...both(`${at}: status by GraphQL`, statuses),
      ...both(`${at}: round of the guardian`, rounds),
    )
  }
  return figures
}

function both(what: string, took: readonly number[]): Figure[] {
  return [
    { of, what: `${what}, p50`, value: median(took), unit: 'ms' },
    { of, what: `${what}, p99`, value: percentile(took, 0.99), unit: 'ms' },
  ]
}

async function giveLiquidity({ operator }: BenchWorld, { node }: Party): Promise<void> {
  const payer = makeNodePayer(node)
  await payer.catchUp()
  await payer.pay({
    destination: {
      kind: 'bolt11',
      invoice: await makeInvoice(operator.node, { amountMsat: MORE_LIQUIDITY_MSAT }),
    },
    amountMsat: MORE_LIQUIDITY_MSAT,
    maxFeeMsat: MORE_LIQUIDITY_MSAT / 100n,
  })
}
