import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchWorld } from '../bench-world.ts'
import type { Figure } from '../figure.ts'
import { makeNodePayer } from '../pay-on-node.ts'
import { median, percentile } from '../statistics.ts'
import { MAX_FEE_MSAT, makeInvoice } from './node-payments.ts'
import { PAYOUT_MSAT, type Party, placeOrder, playOrder, withFollowing } from './orders.ts'

const FEWEST_ROUNDS = 8
/** After a payment has ended the nodes still exchange signatures, which the next one must not have to wait for. */
const QUIET_MS = 150
const MOST = 1.5
const of = 'escrow'

export type Parties = { readonly buyer: Party; readonly worker: Party }

/** Times one cycle; what precedes the money is not part of it. */
export type TimeCycle = () => Promise<number>
/** Times the two payments that a cycle consists of, made on the nodes alone: buyer to operator, operator to worker. */
export type TimePair = () => Promise<number>

/** A cycle against its two bare payments, in turns, so that whatever else the machine does falls on both alike. */
export async function benchCycle(world: BenchWorld, parties: Parties, seconds: number): Promise<Figure[]> {
  const cycle = makeTimeCycle(parties)
  const pair = await makeTimePair(world, parties)
  const [firstPair, firstCycle] = [await pair(), await cycle()]
  const { pairs, cycles } = await takeTurns(pair, cycle, { rounds: FEWEST_ROUNDS, seconds })
  return [
    {
      of,
      what: 'cycle / its two bare payments',
      value: median(cycles) / median(pairs),
      unit: '×',
      atMost: MOST,
    },
    { of, what: 'two bare payments, first', value: firstPair, unit: 'ms' },
    { of, what: 'two bare payments, median', value: median(pairs), unit: 'ms' },
    { of, what: 'two bare payments, p95', value: percentile(pairs, 0.95), unit: 'ms' },
    { of, what: 'cycle, first', value: firstCycle, unit: 'ms' },
    { of, what: 'cycle, median', value: median(cycles), unit: 'ms' },
    { of, what: 'cycle, p95', value: percentile(cycles, 0.95), unit: 'ms' },
  ]
}

export async function takeTurns(
  pair: TimePair,
  cycle: TimeCycle,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<{ pairs: number[]; cycles: number[] }> {
  const pairs: number[] = []
  const cycles: number[] = []
  const until = performance.now() + seconds * 1000
  for (let round = 0; round < rounds || performance.now() < until; round++) {
    const turns = [async () => pairs.push(await pair()), async () => cycles.push(await cycle())]
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn()
  }
  return { pairs, cycles }
}

export function makeTimeCycle({ buyer, worker }: Parties): TimeCycle {
  return async () => {
    const order = await placeOrder(buyer, worker)
    return withFollowing(order, async (told) => {
      await sleep(QUIET_MS)
      return timed(() => playOrder(order, told))
    })
  }
}

export async function makeTimePair({ operator }: BenchWorld, { buyer, worker }: Parties): Promise<TimePair> {
  const [buyerPays, operatorPays] = [makeNodePayer(buyer.node), makeNodePayer(operator.node)]
  const { fundingMsat } = await buyer.client.escrow.quote(PAYOUT_MSAT)
  const orderOf = (invoice: string, amountMsat: bigint) => ({
    destination: { kind: 'bolt11', invoice } as const,
    amountMsat,
    maxFeeMsat: MAX_FEE_MSAT,
  })
  return async () => {
    const funding = orderOf(await makeInvoice(operator.node, { amountMsat: fundingMsat }), fundingMsat)
    const payout = orderOf(await makeInvoice(worker.node, { amountMsat: PAYOUT_MSAT }), PAYOUT_MSAT)
    await Promise.all([buyerPays.catchUp(), operatorPays.catchUp()])
    await sleep(QUIET_MS)
    return timed(async () => {
      await buyerPays.pay(funding)
      await operatorPays.pay(payout)
    })
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
