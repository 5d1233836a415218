import { afterEach, describe, expect, test } from 'vitest'
import type { AskResolvers, ResolverReport } from '../dns/resolvers/ask-resolvers.ts'
import type { AwaitedRecord } from '../dns/resolvers/record-verdict.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type SlicesWorld, startSlicesWorld } from './testing/slices-world.ts'

const database = withDatabase()
let world: SlicesWorld
afterEach(() => world.stop())

type Decision = ResolverReport['decision']

/** Two resolvers that decide like this, one after the other, and then like the last. */
async function worldWhoseResolversSay(decisions: Decision[], deadlineMs = 20_000) {
  const asked: AwaitedRecord[] = []
  const askResolvers: AskResolvers = async (record) => {
    asked.push(record)
    const decision = decisions[Math.min(asked.length, decisions.length) - 1]!
    return { decision, seen: decision === 'confirmed' ? 2 : 0, needed: 2, retryAfterMs: null, results: [] }
  }
  world = await startSlicesWorld(database, {
    askResolvers,
    rules: { deadlineMs, maxNamesPerOwner: 5, quarantineMs: 0 },
  })
  return asked
}

const steps = (job: { stepsDone: { step: string }[] }) => job.stepsDone.map(({ step }) => step)

describe('where resolvers are asked', () => {
  test('a name is active once enough of them have seen its record, before which nobody is told so', async () => {
    const asked = await worldWhoseResolversSay(['waiting', 'waiting', 'confirmed'])
    const { device } = world.newUser()
    const { id } = (await world.register(device, 'alice')).json()
    const job = await world.jobEnds(id)
    expect(job).toMatchObject({ state: 'succeeded', percent: 100 })
    expect(steps(job).slice(-3)).toEqual(['record-seen', 'resolvers-confirmed', 'chain-validated'])
    const value = world.zone.records.get('alice.user._bitcoin-payment.shop.test')
    const record = { name: 'alice.user._bitcoin-payment.shop.test', value, previous: [] }
    expect(asked).toEqual([record, record, record])
  })

  test('they are told what stood there before, when the offer is changed', async () => {
    const asked = await worldWhoseResolversSay(['confirmed'])
    const { device } = world.newUser()
    await world.jobEnds((await world.register(device, 'bob')).json().id)
    const before = asked[0]!.value
    const changed = await world.send('PUT', '/v1/names/bob@shop.test', device, {})
    expect(await world.jobEnds(changed.json().id)).toMatchObject({ state: 'succeeded' })
    expect(asked).toHaveLength(2)
    expect(asked[1]!.previous).toEqual([before])
    expect(asked[1]!.value).not.toBe(before)
  })

  test.each([
    ['waiting', 'RECORD_NOT_CONFIRMED'],
    ['contradicted', 'RECORD_OCCUPIED'],
  ] as const)(
    'a registration that stays %s is undone at its deadline and says %s',
    async (decision, code) => {
      await worldWhoseResolversSay([decision], 4_000)
      const { device } = world.newUser()
      const { id } = (await world.register(device, 'carol')).json()
      expect(await world.jobEnds(id)).toMatchObject({ state: 'failed', error: { code } })
      await expect.poll(() => world.zone.records.size, { timeout: 10_000 }).toBe(0)
    },
  )
})

test('where none are configured, nobody claims that they have confirmed', async () => {
  world = await startSlicesWorld(database, {
    askResolvers: async () => ({
      decision: 'confirmed',
      seen: 0,
      needed: 0,
      retryAfterMs: null,
      results: [],
    }),
  })
  const { device } = world.newUser()
  const job = await world.jobEnds((await world.register(device, 'dave')).json().id)
  expect(job).toMatchObject({ state: 'succeeded', percent: 100 })
  expect(steps(job)).not.toContain('resolvers-confirmed')
})
