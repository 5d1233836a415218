import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createHoldfastClient, secretKeySigner } from '@holdfast/client'
import { sql } from 'kysely'
import type { BenchWorld } from './bench-world.ts'
import type { Figure } from './figure.ts'
import type { LoadRequest } from './load/requests.ts'
import { runLoad } from './load/run-load.ts'
import { openSession } from './open-session.ts'
import { registerName } from './register-name.ts'
import { median, percentile } from './statistics.ts'

const PER_SECOND = 200
/** Sent before: what is measured is a server that has been at it for a while. */
const WARM_UP = 2 * PER_SECOND
/** Between the two nobody asks for anything, as before any rush: the server has time to tidy up. */
const REST_MS = 3_000
/** Merchants who take turns: the server decides one after the other about requests of one owner. */
const OWNERS = 100
const ONE_BY_ONE = 20
const ALL_ACTIVE_WITHIN_MS = 120_000
const of = 'names'

/** Names registered one by one as a merchant does, and 200 a second of many merchants. */
export async function benchNames(world: BenchWorld, seconds: number): Promise<Figure[]> {
  return [...(await oneByOne(world)), ...(await manyAtOnce(world, seconds))]
}

/** From the request until the client knows that the name is live; the owner's own node makes the offer. */
async function oneByOne(world: BenchWorld): Promise<Figure[]> {
  const { device } = await world.user('alice')
  const client = createHoldfastClient({ baseUrl: world.url, signer: device.signer })
  const took: number[] = []
  for (let count = 0; count <= ONE_BY_ONE; count++) {
    const began = performance.now()
    await registerName(client, { user: `one-${count}`, domain: world.domain })
    took.push(performance.now() - began)
  }
  const [first = 0, ...others] = took
  return [
    { of, what: 'request to active, first', value: first, unit: 'ms' },
    { of, what: 'request to active, median', value: median(others), unit: 'ms', atMost: 1_500 },
    { of, what: 'request to active, p95', value: percentile(others, 0.95), unit: 'ms' },
  ]
}

/** With offers that the owners bring, so that no node is the bottleneck; the sagas run along. */
async function manyAtOnce(world: BenchWorld, seconds: number): Promise<Figure[]> {
  const requests = await manyRequests(world, Math.round(seconds * PER_SECOND))
  await runLoad({ url: world.url, requests: requests.splice(0, WARM_UP), perSecond: PER_SECOND })
  await untilAllActive(world)
  await sleep(REST_MS)
  const began = new Date()
  const answers = await runLoad({ url: world.url, requests, perSecond: PER_SECOND })
  await untilAllActive(world)
  const live = await timesToActive(world, began)
  const accepted = answers.filter(({ status }) => status === 202).map(({ ms }) => ms)
  const notAccepted = (100 * (answers.length - accepted.length)) / answers.length
  const at = `at ${PER_SECOND}/s`
  return [
    { of, what: `not accepted ${at}`, value: notAccepted, unit: '%', atMost: 0 },
    { of, what: `accepted ${at}, p50`, value: median(accepted), unit: 'ms' },
    { of, what: `accepted ${at}, p99`, value: percentile(accepted, 0.99), unit: 'ms', atMost: 10 },
    { of, what: `request to active ${at}, p50`, value: median(live), unit: 'ms' },
    { of, what: `request to active ${at}, p95`, value: percentile(live, 0.95), unit: 'ms' },
  ]
}

async function manyRequests(world: BenchWorld, count: number): Promise<LoadRequest[]> {
  const { node } = await world.user('carol')
  const made = await node.offers?.create({ offerId: 'bench', description: 'bench' })
  if (!made) throw new Error('The node of carol makes no offers.')
  const tokens: string[] = []
  for (let owner = 0; owner < OWNERS; owner++)
    tokens.push(await openSession(world.url, secretKeySigner(randomBytes(32))))
  const requests: LoadRequest[] = []
  for (let index = 0; index < count + WARM_UP; index++) {
    const authorization = `Bearer ${tokens[index % OWNERS]}`
    requests.push({
      method: 'POST',
      path: '/v1/names',
      headers: { authorization, 'content-type': 'application/json', 'idempotency-key': `many-${index}` },
      body: JSON.stringify({ user: `many-${index}`, domain: world.domain, offer: made.offer }),
    })
  }
  return requests
}

async function untilAllActive({ database }: BenchWorld): Promise<void> {
  for (const until = performance.now() + ALL_ACTIVE_WITHIN_MS; performance.now() < until; await sleep(100)) {
    const { rows } = await sql<{ open: bigint }>`
      select count(*) as open from name_registration where phase <> 'active'`.execute(database.db)
    if (rows[0]?.open === 0n) return
  }
  throw new Error(`Not all names were active after ${ALL_ACTIVE_WITHIN_MS / 1000} s.`)
}

/** As the journal has it, by the server's own clock, for the names requested since `began`. */
async function timesToActive({ database }: BenchWorld, began: Date): Promise<number[]> {
  const { rows } = await sql<{ ms: number }>`
    select extract(epoch from ended.at - requested.at)::float8 * 1000 as ms
    from journal requested join journal ended using (stream, entity_id)
    where stream = 'name' and requested.kind = 'name.register' and ended.kind = 'name.chain-validated'
      and requested.at >= ${began}`.execute(database.db)
  return rows.map(({ ms }) => ms)
}
