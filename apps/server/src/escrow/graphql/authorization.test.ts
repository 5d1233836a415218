import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { FEE_MSAT, PAYOUT_MSAT } from '../testing/escrow-world.ts'
import { escrowSchema } from './schema.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, type Parties, planOf, taskClient } from './testing/task-client.ts'

/** Who may do what, and that it is done once: every mutation, in a phase in which it can be done, by everybody. */
const database = withDatabase()
let world: GraphqlWorld
let client: ReturnType<typeof taskClient>

beforeAll(async () => {
  world = await startGraphqlWorld(database)
  client = taskClient(world)
})
afterAll(() => world.close())

type Role = keyof Parties
type Case = {
  by: readonly Role[]
  /** Brings a task to where the mutation can be done, and answers its input. */
  reach: (parties: Parties) => Promise<object>
  /** What others are told; a task that is not shown does not exist. */
  others?: string
}

const first = (taskId: string) => ({ taskId, milestone: 0 })
const fundingMsat = PAYOUT_MSAT + FEE_MSAT

const CASES: Record<string, Case> = {
  updateTask: {
    by: ['buyer'],
    reach: async (parties) => ({ taskId: await client.open(parties), plan: planOf() }),
  },
  publishTask: {
    by: ['buyer'],
    reach: async (parties) => ({ taskId: await client.draft(parties) }),
    others: 'ESCROW_NOT_FOUND',
  },
  applyToTask: {
    by: ['worker', 'stranger'],
    reach: async (parties) => ({ taskId: await client.open(parties) }),
  },
  assignWorker: {
    by: ['buyer'],
    async reach(parties) {
      const taskId = await client.open(parties)
      await client.mutate(parties.worker, 'applyToTask', { taskId })
      return { taskId, worker: parties.worker.owner }
    },
  },
  cancelTask: { by: ['buyer'], reach: async (parties) => ({ taskId: await client.open(parties) }) },
  submitInvoice: {
    by: ['worker'],
    async reach(parties) {
      const taskId = await client.assigned(parties)
      return { ...first(taskId), invoice: world.invoiceOf({ paymentHash: world.newHash() }) }
    },
  },
  fundMilestone: {
    by: ['buyer'],
    async reach(parties) {
      const taskId = await client.assigned(parties)
      await client.invoice(parties, taskId)
      return first(taskId)
    },
  },
  submitProof: {
    by: ['worker'],
    reach: async (parties) => ({ ...first((await client.held(parties)).taskId), text: 'Done.' }),
  },
  approveMilestone: { by: ['buyer'], reach: async (parties) => first((await client.proven(parties)).taskId) },
  requestRevision: {
    by: ['buyer'],
    reach: async (parties) => ({ ...first((await client.proven(parties)).taskId), reason: 'A comma.' }),
  },
  openDispute: {
    by: ['buyer', 'worker'],
    reach: async (parties) => ({ ...first((await client.held(parties)).taskId), reason: 'Nobody answers.' }),
  },
  resolveDispute: {
    by: ['arbiter'],
    async reach(parties) {
      const { taskId } = await client.proven(parties)
      await client.mutate(parties.buyer, 'openDispute', { ...first(taskId), reason: 'It is empty.' })
      return { ...first(taskId), to: 'REFUND' }
    },
  },
  refundMilestone: { by: ['worker'], reach: async (parties) => first((await client.held(parties)).taskId) },
  submitRefundInvoice: {
    by: ['buyer'],
    async reach(parties) {
      const { taskId } = await client.premature(parties)
      const invoice = world.invoiceOf({ paymentHash: world.newHash(), amountMsat: fundingMsat })
      return { ...first(taskId), invoice }
    },
  },
  reportPreimage: {
    by: ['buyer'],
    async reach(parties) {
      const { taskId, preimage } = await client.held(parties)
      return { ...first(taskId), preimage }
    },
  },
}

const EVERYBODY: readonly Role[] = ['buyer', 'worker', 'arbiter', 'stranger']
/** A worker who has not been assigned, and whoever has not applied, are strangers to a task. */
const REFUND_OF_BUYER = ['ESCROW_REFUND_NOT_YOURS']

describe.each(Object.entries(CASES))('%s', (field, { by, reach, others = 'ESCROW_WRONG_PARTY' }) => {
  test.each(EVERYBODY.filter((role) => by.includes(role)))(
    'may be done by the %s, once a key',
    async (role) => {
      const parties = newParties()
      const input = (await reach(parties)) as { taskId: string }
      const key = randomUUID()
      const ask = async (requestId: string) => {
        const how = { key, headers: { 'x-request-id': requestId } }
        const { errors, data } = await client.send(parties[role], field, input, 'replayed', how)
        return errors ?? data[field]
      }
      expect(await ask('the-first')).toEqual({ replayed: false })
      expect(await ask('the-second')).toEqual({ replayed: true })
      const asked = (await world.entriesOf(input.taskId)).map(({ data }) => data.requestId)
      expect(asked.filter((id) => id === 'the-first')).toHaveLength(1)
      expect(asked).not.toContain('the-second')
    },
  )

  test('by nobody else, and changes nothing then', async () => {
    const parties = newParties()
    const input = (await reach(parties)) as { taskId: string }
    const before = await client.read(parties.buyer, input.taskId, 'changes { hash }')
    for (const role of EVERYBODY.filter((one) => !by.includes(one))) {
      const isRefund = field === 'refundMilestone' && role === 'buyer'
      expect(await client.refusedAs(parties[role], field, input), role).toEqual(
        isRefund ? REFUND_OF_BUYER : [others],
      )
    }
    expect(await client.refusedAs(null, field, input)).toEqual(['AUTH_REQUIRED'])
    expect(await client.read(parties.buyer, input.taskId, 'changes { hash }')).toEqual(before)
  })
})

describe('whoever may not ask is told nothing else', () => {
  test.each(['submitInvoice', 'submitRefundInvoice'])(
    '%s: also of an invoice that is none',
    async (field) => {
      const parties = newParties()
      const { by, reach } = CASES[field] as Case
      const input = await reach(parties)
      const wrong = { ...input, invoice: 'lnbcrt1' }
      for (const role of EVERYBODY) {
        const told = by.includes(role) ? 'INVOICE_INVALID' : 'ESCROW_WRONG_PARTY'
        expect(await client.refusedAs(parties[role], field, wrong), role).toEqual([told])
      }
      const draft = { ...wrong, taskId: await client.draft(parties) }
      expect(await client.refusedAs(parties.worker, field, draft)).toEqual(['ESCROW_NOT_FOUND'])
    },
  )

  test('fundMilestone: also while the node does not answer', async () => {
    const parties = newParties()
    const input = await (CASES.fundMilestone as Case).reach(parties)
    world.node.offline = true
    try {
      expect(await client.refusedAs(parties.stranger, 'fundMilestone', input)).toEqual(['ESCROW_WRONG_PARTY'])
      expect(await client.refusedAs(parties.buyer, 'fundMilestone', input)).toEqual(['NODE_OFFLINE'])
    } finally {
      world.node.offline = false
    }
  })
})

test('no mutation is left out', () => {
  const fields = Object.keys(escrowSchema.getMutationType()?.getFields() ?? {})
  expect([...Object.keys(CASES), 'createTask'].sort()).toEqual(fields.sort())
})

test('a task is created by whoever signs, and by nobody who does not', async () => {
  const { stranger } = newParties()
  expect(await client.refusedAs(null, 'createTask', { plan: planOf() })).toEqual(['AUTH_REQUIRED'])
  const { task } = await client.mutate(stranger, 'createTask', { plan: planOf() }, 'task { buyer role }')
  expect(task).toEqual({ buyer: stranger.owner, role: 'BUYER' })
})
