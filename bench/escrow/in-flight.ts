import type { Figure } from '../figure.ts'
import { median, percentile } from '../statistics.ts'
import type { Parties } from './cycle.ts'
import { type Order, placeOrder, playOrder, withFollowing } from './orders.ts'

const IN_FLIGHT = 20
const LEAST_PER_SECOND = 10
const PLACED_AT_ONCE = 5
const of = 'escrow'

/** So many cycles at once, of orders that were placed before; each begins when another one has ended. */
export async function benchInFlight(parties: Parties, seconds: number): Promise<Figure[]> {
  const count = Math.max(2 * IN_FLIGHT, Math.round(seconds * LEAST_PER_SECOND))
  const orders: Order[] = []
  await inLanes(PLACED_AT_ONCE, count, async () => {
    orders.push(await placeOrder(parties.buyer, parties.worker))
  })
  const took: number[] = []
  const began = performance.now()
  await inLanes(IN_FLIGHT, count, async (index) => {
    const order = orders[index] as Order
    const started = performance.now()
    await withFollowing(order, (told) => playOrder(order, told))
    took.push(performance.now() - started)
  })
  const perSecond = (1000 * count) / (performance.now() - began)
  const with20 = `with ${IN_FLIGHT} in flight`
  return [
    { of, what: `cycles ${with20}`, value: perSecond, unit: '/s', atLeast: LEAST_PER_SECOND },
    { of, what: `cycle ${with20}, p50`, value: median(took), unit: 'ms' },
    { of, what: `cycle ${with20}, p99`, value: percentile(took, 0.99), unit: 'ms' },
  ]
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
