import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDevice } from '../../identity/testing/identity-world.ts'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { FEE_MSAT, PAYOUT_MSAT } from '../testing/escrow-world.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, planOf, taskClient } from './testing/task-client.ts'

const database = withDatabase()
const buyer = newDevice()
const worker = newDevice()
let world: GraphqlWorld

beforeAll(async () => {
  world = await startGraphqlWorld(database)
})
afterAll(() => world.close())

const mutate = (by: typeof buyer, field: string, input: object, answer?: string) =>
  taskClient(world).mutate(by, field, input, answer, { signed: true })

test('a task is created, applied for, funded, proven and released over HTTP, each step signed', async () => {
  const { task } = await mutate(buyer, 'createTask', { plan: planOf() })
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
  const proofSeenBy = async (reader: typeof buyer | null) => {
    const { changes } = await taskClient(world).read(reader, taskId, 'changes { kind text }')
    return changes.find(({ kind }: { kind: string }) => kind === 'submit-proof').text
  }
  expect(await Promise.all([buyer, worker, null].map(proofSeenBy))).toEqual([
    'It is in the post.',
    'It is in the post.',
    null,
  ])
})

test('a coordinated task is funded before a worker is known, and says so', async () => {
  const client = taskClient(world)
  const parties = newParties()
  const [{ buyer, worker }, milestone] = [parties, 0]
  const wish = { custody: 'COORDINATED', plan: planOf() }
  const { task } = await client.mutate(buyer, 'createTask', wish, 'task { id custody }')
  expect(task.custody).toBe('COORDINATED')
  const taskId = task.id
  await client.mutate(buyer, 'publishTask', { taskId })
  const { funding } = await client.mutate(
    buyer,
    'fundMilestone',
    { taskId, milestone },
    'funding { paymentHash }',
  )
  world.node.buyerPays(funding.paymentHash)
  await world.slice.follow()
  const state = 'phase worker milestones { phase standing custody }'
  expect(await client.read(null, taskId, state)).toEqual({
    phase: 'ACTIVE',
    worker: null,
    milestones: [{ phase: 'HELD', standing: 'LOCKED', custody: 'COORDINATED' }],
  })
  await client.mutate(worker, 'applyToTask', { taskId })
  await client.mutate(buyer, 'assignWorker', { taskId, worker: worker.owner })
  await client.invoice(parties, taskId)
  await client.mutate(worker, 'submitProof', { taskId, milestone, text: 'Done.' })
  const paid = world.node.payments.size
  await client.mutate(buyer, 'approveMilestone', { taskId, milestone })
  await expect.poll(() => world.node.payments.size).toBe(paid + 1)
  world.node.payeeAnswers(true)
  await world.slice.follow()
  await expect
    .poll(() => client.read(null, taskId, 'phase milestones { phase paidMsat }'))
    .toEqual({ phase: 'COMPLETED', milestones: [{ phase: 'RELEASED', paidMsat: `${PAYOUT_MSAT}` }] })
})

test('a premature settlement is reported by the buyer, who is repaid', async () => {
  const client = taskClient(world)
  const parties = newParties()
  const { taskId, preimage } = await client.held(parties)
  const first = { taskId, milestone: 0 }
  const answer = 'milestone { phase standing owedMsat }'
  const reported = await client.mutate(
    parties.buyer,
    'reportPreimage',
    { ...first, preimage: preimage.toUpperCase() },
    answer,
  )
  const owedMsat = `${PAYOUT_MSAT + FEE_MSAT}`
  expect(reported.milestone).toEqual({ phase: 'PREMATURE', standing: 'OWED', owedMsat })
  const paid = world.node.payments.size
  const invoice = world.invoiceOf({ paymentHash: world.newHash(), amountMsat: BigInt(owedMsat) })
  await client.mutate(parties.buyer, 'submitRefundInvoice', { ...first, invoice })
  await expect.poll(() => world.node.payments.size).toBe(paid + 1)
  world.node.payeeAnswers(true)
  await world.slice.follow()
  await expect
    .poll(() => client.read(parties.buyer, taskId, 'milestones { phase standing owedMsat }'))
    .toEqual({ milestones: [{ phase: 'REPAID', standing: 'OVER', owedMsat }] })
  const entries = await database.db
    .selectFrom('journal')
    .select(['kind', 'actor', 'data'])
    .where('entity_id', '=', taskId)
    .execute()
  expect(entries.filter(({ kind }) => kind === 'escrow-report.preimage')).toMatchObject([
    {
      actor: parties.buyer.owner,
      data: {
        milestone: 0,
        requestId: expect.any(String),
        signedRequest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    },
  ])
  expect(JSON.stringify(entries).toLowerCase()).not.toContain(preimage)
})
