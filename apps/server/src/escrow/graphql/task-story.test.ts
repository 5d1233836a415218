import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDevice } from '../../identity/testing/identity-world.ts'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { FEE_MSAT, HOUR_MS, PAYOUT_MSAT } from '../testing/escrow-world.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'

const database = withDatabase()
const buyer = newDevice()
const worker = newDevice()
let world: GraphqlWorld

beforeAll(async () => {
  world = await startGraphqlWorld(database)
})
afterAll(() => world.close())

/** The one field of a mutation's answer. */
async function mutate(by: typeof buyer, field: string, input: object, answer = 'task { id phase }') {
  const type = `${field[0]!.toUpperCase()}${field.slice(1)}`
  const inputType = TYPES[field] ?? `${type}Input`
  const query = `mutation ($input: ${inputType}!) { ${field}(input: $input) { ${answer} } }`
  const { data, errors, ...rest } = await world.send(by, { query, variables: { input } })
  if (errors || !data) throw new Error(JSON.stringify({ data, errors, rest }))
  return data[field]
}

const TYPES: Record<string, string> = {
  publishTask: 'TaskInput',
  submitInvoice: 'InvoiceInput',
  fundMilestone: 'MilestoneIdInput',
  approveMilestone: 'MilestoneIdInput',
}

test('a task is created, applied for, funded, proven and released over HTTP', async () => {
  const plan = {
    title: 'Translate a page',
    description: 'From Catalan.',
    deadlineAt: Date.now() + 240 * HOUR_MS,
    milestones: [
      { title: 'All of it', payoutMsat: `${PAYOUT_MSAT}`, workMs: 10 * HOUR_MS, objectionMs: 2 * HOUR_MS },
    ],
  }
  const { task } = await mutate(buyer, 'createTask', { plan })
  expect(task.phase).toBe('DRAFT')
  const taskId = task.id
  const milestone = 0
  expect((await mutate(buyer, 'publishTask', { taskId })).task.phase).toBe('OPEN')
  await mutate(worker, 'applyToTask', { taskId, message: 'I speak it.' })
  const assigned = await mutate(
    buyer,
    'assignWorker',
    { taskId, worker: worker.owner },
    'task { phase applications { worker message } milestones { phase standing } }',
  )
  expect(assigned.task).toEqual({
    phase: 'ASSIGNED',
    applications: [{ worker: worker.owner, message: 'I speak it.' }],
    milestones: [{ phase: 'AWAITING_INVOICE', standing: 'UNFUNDED' }],
  })
  await mutate(worker, 'submitInvoice', { taskId, milestone, invoice: world.invoiceOf() })
  const funded = await mutate(
    buyer,
    'fundMilestone',
    { taskId, milestone },
    'funding { invoice uri qrText lightningUri paymentHash amountMsat payoutMsat feeMsat expiresAt } milestone { phase }',
  )
  const { invoice } = funded.funding
  expect(funded).toMatchObject({
    funding: {
      uri: `bitcoin:?lightning=${invoice}`,
      qrText: `BITCOIN:?LIGHTNING=${invoice.toUpperCase()}`,
      lightningUri: `lightning:${invoice}`,
      paymentHash: world.paymentHash,
      amountMsat: `${PAYOUT_MSAT + FEE_MSAT}`,
      payoutMsat: `${PAYOUT_MSAT}`,
      feeMsat: `${FEE_MSAT}`,
    },
    milestone: { phase: 'AWAITING_FUNDS' },
  })
  world.node.buyerPays(world.paymentHash)
  await world.slice.follow()
  await mutate(worker, 'submitProof', { taskId, milestone, text: 'It is in the post.' })
  const approved = await mutate(
    buyer,
    'approveMilestone',
    { taskId, milestone },
    'milestone { phase approval standing proof { text } } replayed',
  )
  expect(approved.milestone).toMatchObject({ approval: 'BUYER', proof: null })
  await expect.poll(() => world.node.payments.size).toBe(1)
  world.node.payeeAnswers(true)
  await world.slice.follow()
  const query = `query ($id: ID!) { task(id: $id) { phase custody role milestones { phase standing paidMsat } } }`
  await expect
    .poll(async () => (await world.send(worker, { query, variables: { id: taskId } })).data)
    .toEqual({
      task: {
        phase: 'COMPLETED',
        custody: 'HASH_LOCKED',
        role: 'WORKER',
        milestones: [{ phase: 'RELEASED', standing: 'OVER', paidMsat: `${PAYOUT_MSAT}` }],
      },
    })
})
