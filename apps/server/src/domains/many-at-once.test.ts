import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Device } from '../identity/testing/identity-world.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type DomainsWorld, startDomainsWorld } from './testing/domains-world.ts'

const CONNECTIONS = 4

const database = withDatabase({ maxConnections: CONNECTIONS })
let world: DomainsWorld
let owner: Device

beforeEach(async () => {
  world = await startDomainsWorld(database)
  owner = world.newDevice()
  world.prove((await world.claim(owner)).json())
  await world.checkNow(owner)
  await world.until(async () => (await world.own(owner)).state === 'active')
})
afterEach(() => world.stop())

test('requests about a merchant’s domain take one connection each: as many at once as there are do not wait for each other', async () => {
  const users = Array.from({ length: 4 * CONNECTIONS }, (_, index) => `name${'abcdefghijklmnop'[index]}`)
  const answers = await Promise.all(users.map((user) => world.register(owner, user)))
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(users.map(() => 202))
})
