import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, type Parties, planOf, taskClient } from './testing/task-client.ts'

/** Who may read what. */
const database = withDatabase()
let world: GraphqlWorld
let client: ReturnType<typeof taskClient>

beforeAll(async () => {
  world = await startGraphqlWorld(database)
  client = taskClient(world)
})
afterAll(() => world.close())

type Reader = keyof Parties | 'applicant' | 'nobody'
const READERS: readonly Reader[] = ['buyer', 'worker', 'arbiter', 'applicant', 'stranger', 'nobody']
type People = Parties & { applicant: Parties['buyer'] }

const people = (): People => ({ ...newParties(), applicant: newParties().stranger })
const readerOf = (all: People, reader: Reader) => (reader === 'nobody' ? null : all[reader])

async function order({ buyer, worker, arbiter }: Parties, publish: boolean): Promise<string> {
  const plan = planOf({ arbiter: arbiter.owner })
  const { task } = await client.mutate(buyer, 'createTask', { kind: 'ORDER', worker: worker.owner, plan })
  if (publish) await client.mutate(buyer, 'publishTask', { taskId: task.id })
  return task.id
}

async function appliedFor(all: People): Promise<string> {
  const taskId = await client.open(all)
  await client.mutate(all.applicant, 'applyToTask', { taskId, message: 'Me.' })
  await client.mutate(all.worker, 'applyToTask', { taskId, message: 'Or me.' })
  return taskId
}

async function assigned(all: People): Promise<string> {
  const taskId = await appliedFor(all)
  await client.mutate(all.buyer, 'assignWorker', { taskId, worker: all.worker.owner })
  return taskId
}

async function cancelled(all: People, reach: (all: People) => Promise<string>): Promise<string> {
  const taskId = await reach(all)
  await client.mutate(all.buyer, 'cancelTask', { taskId })
  return taskId
}

describe.each<[string, (all: People) => Promise<string>, readonly Reader[]]>([
  ['a draft', (all) => client.draft(all), ['buyer']],
  ['a draft of an order', (all) => order(all, false), ['buyer']],
  ['an open task', appliedFor, READERS],
  ['an assigned task', assigned, READERS],
  ['an order', (all) => order(all, true), ['buyer', 'worker', 'arbiter']],
  ['a draft that was cancelled', (all) => cancelled(all, (one) => client.draft(one)), ['buyer']],
  ['an open task that was cancelled', (all) => cancelled(all, appliedFor), ['buyer', 'worker', 'applicant']],
])('%s', (_, reach, readers) => {
  test(`is seen by ${readers.join(', ')}`, async () => {
    const all = people()
    const id = await reach(all)
    const seeing: Reader[] = []
    for (const reader of READERS) {
      const query = `{ task(id: "${id}") { id } }`
      const { data, errors } = await world.send(readerOf(all, reader), { query })
      if (data?.task) seeing.push(reader)
      else expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['ESCROW_NOT_FOUND'])
    }
    expect(seeing).toEqual(readers)
  })
})

test('invoices, hashes, proofs, disputes and who did what are for the parties; the funding invoice for the buyer', async () => {
  const all = people()
  const taskId = await appliedFor(all)
  await client.mutate(all.buyer, 'assignWorker', { taskId, worker: all.worker.owner })
  const { paymentHash } = await client.invoice(all, taskId)
  await client.mutate(all.buyer, 'fundMilestone', { taskId, milestone: 0 }, 'funding { invoice }')
  const secrets = 'workerInvoice paymentHash proof { text } dispute { reason } funding { invoice }'
  const look = (reader: Reader) =>
    client.read(
      readerOf(all, reader),
      taskId,
      `milestone(index: 0) { ${secrets} } changes { kind actor reason } applications { worker }`,
    )
  const seen = async (reader: Reader) => {
    const { milestone, changes, applications } = await look(reader)
    const { workerInvoice, proof, dispute, funding } = milestone
    return {
      invoice: workerInvoice !== null,
      hash: milestone.paymentHash === paymentHash,
      proof: proof?.text ?? null,
      dispute: dispute?.reason ?? null,
      funding: funding !== null,
      actors: changes.filter(({ actor }: { actor: string | null }) => actor !== null).length,
      applications: applications.length,
    }
  }
  const nothing = {
    invoice: false,
    hash: false,
    proof: null,
    dispute: null,
    funding: false,
    actors: 0,
    applications: 0,
  }
  const party = { ...nothing, invoice: true, hash: true }
  // create, publish, apply, apply, assign, submit-invoice, fund, hold-created
  expect(await seen('buyer')).toEqual({ ...party, funding: true, actors: 8, applications: 2 })
  expect(await seen('worker')).toEqual({ ...party, actors: 7, applications: 1 })
  expect(await seen('arbiter')).toEqual({ ...party, actors: 6 })
  expect(await seen('applicant')).toEqual({ ...nothing, actors: 1, applications: 1 })
  expect(await seen('stranger')).toEqual(nothing)
  expect(await seen('nobody')).toEqual(nothing)

  world.node.buyerPays(paymentHash)
  await world.slice.follow()
  await client.mutate(all.worker, 'submitProof', { taskId, milestone: 0, text: 'Look.' })
  expect(await seen('buyer')).toMatchObject({ proof: 'Look.', funding: false })
  expect(await seen('applicant')).toEqual({ ...nothing, actors: 1, applications: 1 })
  await client.mutate(all.worker, 'openDispute', { taskId, milestone: 0, reason: 'No answer.' })
  expect(await seen('arbiter')).toMatchObject({ proof: 'Look.', dispute: 'No answer.' })
  expect(await seen('stranger')).toEqual(nothing)
  const { changes } = await look('arbiter')
  expect(changes.at(-1)).toEqual({ kind: 'open-dispute', actor: all.worker.owner, reason: 'No answer.' })
})
