import { DOCUMENTS } from '@holdfast/client/escrow/operations.generated'
import type { BenchWorld } from '../bench-world.ts'
import type { Figure } from '../figure.ts'
import type { LoadRequest } from '../load/requests.ts'
import { runLoad } from '../load/run-load.ts'
import { openSession } from '../open-session.ts'
import { median, percentile } from '../statistics.ts'
import type { Order } from './orders.ts'

const PER_SECOND = 200
const WARM_UP = 2 * PER_SECOND
const ALONE_WARM_UP = 50
const of = 'escrow'

/** What the SDK asks for the status of a held order, as its buyer: the milestone, its deadlines, all of it. */
async function readOf(world: BenchWorld, { taskId, buyer }: Order): Promise<LoadRequest> {
  const token = await openSession(world.url, buyer.device.signer)
  const read: LoadRequest = {
    method: 'POST',
    path: '/graphql',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: DOCUMENTS.task, variables: { id: taskId } }),
  }
  // GraphQL has status 200 for errors, too, and the load looks at nothing else.
  const answer = await (await fetch(`${world.url}${read.path}`, { ...read, body: read.body ?? '' })).text()
  if (!answer.includes('"phase":"HELD"')) throw new Error(`Not the status of a held order: ${answer}`)
  return read
}

/** Status of a held order, so many a second whether or not those before were answered. */
export async function benchStatusReads(world: BenchWorld, order: Order, seconds: number): Promise<Figure[]> {
  const read = await readOf(world, order)
  const requests = Array.from({ length: WARM_UP + Math.round(seconds * PER_SECOND) }, () => read)
  const answers = (await runLoad({ url: world.url, requests, perSecond: PER_SECOND })).slice(WARM_UP)
  const took = timesOf(answers)
  const at = `status by GraphQL at ${PER_SECOND}/s`
  return [
    { of, what: `${at}, p50`, value: median(took), unit: 'ms' },
    { of, what: `${at}, p99`, value: percentile(took, 0.99), unit: 'ms' },
  ]
}

/** Status of a held order, asked for so many times, one after the other. */
export async function timeStatuses(world: BenchWorld, order: Order, times: number): Promise<number[]> {
  const read = await readOf(world, order)
  const requests = Array.from({ length: ALONE_WARM_UP + times }, () => read)
  return timesOf((await runLoad({ url: world.url, requests })).slice(ALONE_WARM_UP))
}

function timesOf(answers: readonly { status: number; ms: number }[]): number[] {
  if (answers.some(({ status }) => status !== 200)) throw new Error('A status was not answered 200.')
  return answers.map(({ ms }) => ms)
}
