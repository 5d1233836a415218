import { DOCUMENTS } from '@holdfast/client/escrow/operations.generated'
import type { BenchWorld } from '../bench-world.ts'
import type { Figure } from '../figure.ts'
import type { LoadRequest } from '../load/requests.ts'
import { runLoad } from '../load/run-load.ts'
import { openSession } from '../open-session.ts'
import { median, percentile } from '../statistics.ts'
import type { Order, Party } from './orders.ts'

const PER_SECOND = 200
const WARM_UP = 2 * PER_SECOND
const ALONE_WARM_UP = 50
const of = 'escrow'

/** What the SDK asks for the status of an order, with the buyer's session: its milestone, deadlines and all. */
export async function makeStatusRead(
  world: BenchWorld,
  buyer: Party,
): Promise<(order: Order) => LoadRequest> {
  const token = await openSession(world.url, buyer.device.signer)
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return ({ taskId }) => ({
    method: 'POST',
    path: '/graphql',
    headers,
    body: JSON.stringify({ query: DOCUMENTS.task, variables: { id: taskId } }),
  })
}

/** Status of a held order, so many a second whether or not those before were answered. */
export async function benchStatusReads(world: BenchWorld, order: Order, seconds: number): Promise<Figure[]> {
  const read = await makeStatusRead(world, order.buyer)
  const requests = Array.from({ length: WARM_UP + Math.round(seconds * PER_SECOND) }, () => read(order))
  const answers = (await runLoad({ url: world.url, requests, perSecond: PER_SECOND })).slice(WARM_UP)
  const took = timesOf(answers)
  const at = `status by GraphQL at ${PER_SECOND}/s`
  return [
    { of, what: `${at}, p50`, value: median(took), unit: 'ms' },
    { of, what: `${at}, p99`, value: percentile(took, 0.99), unit: 'ms' },
  ]
}

/** Status of one order, asked for so many times, one after the other. */
export async function makeTimeStatus(world: BenchWorld, buyer: Party) {
  const read = await makeStatusRead(world, buyer)
  return async (order: Order, times: number): Promise<number[]> => {
    const requests = Array.from({ length: ALONE_WARM_UP + times }, () => read(order))
    return timesOf((await runLoad({ url: world.url, requests })).slice(ALONE_WARM_UP))
  }
}

function timesOf(answers: readonly { status: number; ms: number }[]): number[] {
  if (answers.some(({ status }) => status !== 200)) throw new Error('A status was not answered 200.')
  return answers.map(({ ms }) => ms)
}
