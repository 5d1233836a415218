import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Device } from '../../identity/testing/identity-world.ts'
import { MIGRATIONS_FOLDER } from '../../platform/migrate.ts'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, taskClient } from './testing/task-client.ts'

/** What those who choose a worker are told of the worker's earlier tasks. */
const database = withDatabase()
let world: GraphqlWorld
let client: ReturnType<typeof taskClient>

beforeAll(async () => {
  world = await startGraphqlWorld(database)
  client = taskClient(world)
})
afterEach(() => vi.restoreAllMocks())
afterAll(() => world.close())

const MARKS = 'applications { worker prematureSettlements }'

async function appliedFor(applicants: readonly Device[], parties = newParties()) {
  const taskId = await client.open(parties)
  for (const one of applicants) await client.mutate(one, 'applyToTask', { taskId })
  return { taskId, parties }
}

/** How many statements have counted them so far. */
function watchCounting(): () => number {
  const query = vi.spyOn(pg.Client.prototype, 'query')
  return () => query.mock.calls.filter((call) => JSON.stringify(call[0]).includes('sum(premature_')).length
}

test('a buyer sees of each applicant how many, over all tasks of all buyers', async () => {
  const { worker: thief, stranger: honest } = newParties()
  await client.premature(newParties({ worker: thief }))
  await client.premature(newParties({ worker: thief }))
  await client.held(newParties({ worker: honest }))
  const { taskId, parties } = await appliedFor([thief, honest])
  const look = (by: Device | null) => client.read(by, taskId, MARKS)
  const ofThief = { worker: thief.owner, prematureSettlements: 2 }
  const ofHonest = { worker: honest.owner, prematureSettlements: 0 }
  expect(await look(parties.buyer)).toEqual({ applications: [ofThief, ofHonest] })
  expect(await look(thief)).toEqual({ applications: [ofThief] })
  expect(await look(honest)).toEqual({ applications: [ofHonest] })
  expect(await look(parties.stranger)).toEqual({ applications: [] })
  expect(await look(null)).toEqual({ applications: [] })
})

test('that the buyer was repaid takes none away', async () => {
  const parties = newParties()
  const { taskId } = await client.premature(parties)
  const owed = await client.read(parties.buyer, taskId, 'milestone(index: 0) { owedMsat }')
  const amountMsat = BigInt(owed.milestone.owedMsat)
  const invoice = world.invoiceOf({ paymentHash: world.newHash(), amountMsat })
  await client.mutate(parties.buyer, 'submitRefundInvoice', { taskId, milestone: 0, invoice })
  const isPending = () => [...world.node.payments.values()].some(({ outcome }) => outcome.state === 'pending')
  await expect.poll(isPending).toBe(true)
  world.node.payeeAnswers(true)
  await world.slice.follow()
  await expect
    .poll(() => client.read(parties.buyer, taskId, 'milestone(index: 0) { phase }'))
    .toEqual({ milestone: { phase: 'REPAID' } })
  const { applications } = await client.read(parties.buyer, taskId, MARKS)
  expect(applications).toEqual([{ worker: parties.worker.owner, prematureSettlements: 1 }])
})

test('those of many tasks are counted at once, and not unless somebody asks', async () => {
  const { worker: thief, stranger, arbiter } = newParties()
  await client.premature(newParties({ worker: thief }))
  const parties = newParties()
  for (let count = 0; count < 3; count++) await appliedFor([thief, stranger, arbiter], parties)
  const counted = watchCounting()
  const list = async (answer: string) => {
    const query = `{ tasks(filter: { role: BUYER }) { nodes { ${answer} } } }`
    const { data } = await world.send(null, { query }, { token: await world.session(parties.buyer) })
    return data.tasks.nodes
  }
  await list('applications { worker }')
  expect(counted()).toBe(0)
  const nodes = await list(MARKS)
  const numbers = [1, 0, 0].map((prematureSettlements) => expect.objectContaining({ prematureSettlements }))
  expect(nodes).toEqual(Array(3).fill({ applications: numbers }))
  expect(counted()).toBe(1)
})

test('those from before they were counted are counted by the migration', async () => {
  const parties = newParties()
  const { taskId } = await client.premature(parties)
  const { taskId: other } = await client.held(newParties(parties))
  await database.queryAsOwner('alter table escrow drop column premature_settlements')
  await database.queryAsOwner(await readFile(join(MIGRATIONS_FOLDER, '107-mark-workers.sql'), 'utf8'))
  const rows = database.db.selectFrom('escrow').select(['id', 'premature_settlements as count'])
  expect(await rows.where('id', 'in', [taskId, other]).orderBy('count').execute()).toEqual([
    { id: other, count: 0 },
    { id: taskId, count: 1 },
  ])
})
