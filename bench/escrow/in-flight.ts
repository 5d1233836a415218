import type { LightningNode } from '@holdfast/lightning'
import type { BenchWorld } from '../bench-world.ts'
import type { Figure } from '../figure.ts'
import { median, percentile } from '../statistics.ts'
import { makeInvoice, startPayment, untilPaid } from './node-payments.ts'
import { type Order, PAYOUT_MSAT, type Party, placeOrder, playOrder, withFollowing } from './orders.ts'

const IN_FLIGHT = 20
const LEAST_PER_SECOND = 10
const PLACED_AT_ONCE = 5
const of = 'escrow'

/** Buyers take turns. */
type Market = { readonly buyers: readonly [Party, ...Party[]]; readonly worker: Party }

/**
 * So many cycles at once, of orders that were placed before; each begins when another one has ended. And as many times
 * their two payments on the nodes alone: what the nodes can do at all.
 */
export async function benchInFlight(world: BenchWorld, market: Market, seconds: number): Promise<Figure[]> {
  const count = Math.max(2 * IN_FLIGHT, Math.round((seconds * LEAST_PER_SECOND) / 2))
  const barePerSecond = await perSecondOf(count, await makePlayPair(world, market))
  const orders: Order[] = []
  await inLanes(PLACED_AT_ONCE, count, async (index) => {
    orders[index] = await placeOrder(buyerOf(market, index), market.worker)
  })
  const took: number[] = []
  const perSecond = await perSecondOf(count, async (index) => {
    const order = orders[index] as Order
    const started = performance.now()
    await withFollowing(order, (told) => playOrder(order, told))
    took.push(performance.now() - started)
  })
  const with20 = `with ${IN_FLIGHT} in flight`
  return [
    { of, what: `cycles ${with20}`, value: perSecond, unit: '/s', atLeast: LEAST_PER_SECOND },
    { of, what: `two bare payments ${with20}`, value: barePerSecond, unit: '/s' },
    { of, what: `cycle ${with20}, p50`, value: median(took), unit: 'ms' },
    { of, what: `cycle ${with20}, p99`, value: percentile(took, 0.99), unit: 'ms' },
  ]
}

async function perSecondOf(count: number, play: (index: number) => Promise<void>): Promise<number> {
  const began = performance.now()
  await inLanes(IN_FLIGHT, count, play)
  return (1000 * count) / (performance.now() - began)
}

function buyerOf({ buyers }: Market, index: number): Party {
  return buyers[index % buyers.length] ?? buyers[0]
}

async function makePlayPair({ operator }: BenchWorld, market: Market) {
  const { worker } = market
  const { fundingMsat } = await worker.client.escrow.quote(PAYOUT_MSAT)
  const pay = async (from: LightningNode, to: LightningNode, amountMsat: bigint) => {
    const invoice = await makeInvoice(to, { amountMsat })
    await untilPaid(from, await startPayment(from, { invoice, amountMsat }))
  }
  return async (index: number) => {
    await pay(buyerOf(market, index).node, operator.node, fundingMsat)
    await pay(operator.node, worker.node, PAYOUT_MSAT)
  }
}

/** Works through 0 … `count` − 1, so many at once. */
export async function inLanes(
  lanes: number,
  count: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
