import { afterEach, beforeEach, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type NamesOnKnot, startNamesOnKnot } from './testing/names-on-knot.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'
import { tableSizes } from './testing/table-sizes.ts'

const DOMAIN = 'shop.test'
const OWNERS = 20
const NAMES = 1_000
const ONE_BY_ONE = 25
/** As many as the server runs. */
const JOBS_AT_ONCE = 10

const database = withDatabase({ maxConnections: 20 })
let knot: NamesOnKnot
let world: SlicesWorld

beforeEach(async () => {
  knot = await startNamesOnKnot(DOMAIN)
  world = await startSlicesWorld(database, {
    dns: knot,
    concurrency: JOBS_AT_ONCE,
    rules: { deadlineMs: 30 * 60_000 },
  })
})
afterEach(async () => {
  await world?.stop()
  await knot?.stop()
})

test('a thousand names, each wished for by two at the same time, are all live on Knot, none lost and none double', async () => {
  const owners = Array.from({ length: OWNERS }, () => world.newUser())
  const ownerOf = (n: number) => owners[n % OWNERS]!

  const alone: number[] = []
  for (let n = 0; n < ONE_BY_ONE; n++) {
    const began = performance.now()
    const { id } = (await world.register(ownerOf(n).device, `alone${n}`)).json()
    expect(await world.jobEnds(id)).toMatchObject({ state: 'succeeded' })
    alone.push(performance.now() - began)
  }
  alone.sort((a, b) => a - b)

  const began = performance.now()
  const wishes = Array.from({ length: NAMES }, (_, n) => [ownerOf(n), ownerOf(n + 1)] as const)
  const answers = await Promise.all(
    wishes.flatMap((pair, n) =>
      pair.map((owner) =>
        world.insist('POST', '/v1/names', owner.device, { user: `name${n}`, domain: DOMAIN }),
      ),
    ),
  )
  const acceptedAfter = performance.now() - began
  const accepted = answers.filter(({ statusCode }) => statusCode === 202)
  expect(accepted).toHaveLength(NAMES)
  const refused = answers.filter(({ statusCode }) => statusCode !== 202)
  expect(new Set(refused.map((answer) => answer.json().code))).toEqual(new Set(['NAME_TAKEN']))

  for (const answer of accepted) await ends(answer.json().id)
  const allLiveAfter = performance.now() - began

  for (let n = 0; n < NAMES; n++) {
    const name = (await world.get(`/v1/names/name${n}@${DOMAIN}`)).json()
    const found = await knot.resolveTxt(`name${n}.user._bitcoin-payment.${DOMAIN}`, (Date.now() / 1000) | 0)
    expect(found).toMatchObject({ status: 'secure' })
    const values = 'values' in found ? found.values.map((value) => new TextDecoder().decode(value)) : []
    expect(values).toEqual([`bitcoin:?lno=${name.offer}`])
  }
  const total = NAMES + ONE_BY_ONE
  const inZone: string[] = []
  for await (const { name } of knot.zone.list()) inZone.push(name)
  expect(inZone).toHaveLength(total)
  expect(new Set(inZone).size).toBe(total)

  const sizes = await tableSizes(database)
  const perName = sizes.filter(({ rows }) => rows >= total)
  expect(perName.length).toBeGreaterThan(0)
  const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  console.log(
    [
      `measured on Knot with ${total} names`,
      `one by one, until active: ${alone[ONE_BY_ONE >> 1]!.toFixed(0)} ms (median), ${alone.at(-1)!.toFixed(0)} ms (longest of ${ONE_BY_ONE})`,
      `${NAMES} at once, each wished for twice: accepted after ${inSeconds(acceptedAfter)}, all live after ${inSeconds(allLiveAfter)}`,
      ...perName.map(
        ({ table, rows, bytes }) =>
          `${table}: ${(rows / total).toFixed(1)} rows, ${(bytes / total).toFixed(0)} bytes a name`,
      ),
    ].join('\n  '),
  )
}, 1_200_000)

async function ends(id: string): Promise<void> {
  let job = await world.jobEnds(id)
  while (job.state === 'running') job = await world.jobEnds(id)
  expect(job).toMatchObject({ state: 'succeeded' })
}
