import { GraphQLObjectType, getNamedType } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { FEE_MSAT, HOUR_MS, PAYOUT_MSAT } from '../testing/escrow-world.ts'
import { escrowSchema } from './schema.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, type Parties, taskClient } from './testing/task-client.ts'

/** What a task shows its buyer in each phase: every field that the schema has. */
const database = withDatabase()
let world: GraphqlWorld
let client: ReturnType<typeof taskClient>

beforeAll(async () => {
  world = await startGraphqlWorld(database)
  client = taskClient(world)
})
afterAll(() => world.close())

/** All fields that need no argument, and theirs; of lists of milestones, changes and applications the test asks itself. */
function everythingOf(name: string): string {
  const type = escrowSchema.getType(name) as GraphQLObjectType
  return Object.values(type.getFields())
    .filter(({ name: field, args }) => args.length === 0 && field !== 'milestones')
    .map(({ name: field, type: of }) => {
      const named = getNamedType(of)
      return named instanceof GraphQLObjectType ? `${field} { ${everythingOf(named.name)} }` : field
    })
    .join(' ')
}

const QUERY = `${everythingOf('Task')} milestone(index: 0) { ${everythingOf('Milestone')} }`

async function look({ buyer }: Parties, taskId: string) {
  const { milestone, ...task } = await client.read(buyer, taskId, QUERY)
  return { task, milestone }
}

const ALWAYS = {
  custody: 'HASH_LOCKED',
  index: 0,
  title: 'All of it',
  payoutMsat: `${PAYOUT_MSAT}`,
  feeMsat: `${FEE_MSAT}`,
  fundingMsat: `${PAYOUT_MSAT + FEE_MSAT}`,
  workMs: 10 * HOUR_MS,
  objectionMs: 2 * HOUR_MS,
  holdBlocks: 415,
  maxFinalCltv: 144,
  invoiceNeededUntil: expect.any(Number),
  revisions: 0,
}
const UNLESS_SAID = {
  workerInvoice: null,
  paymentHash: null,
  funding: null,
  heldMsat: null,
  heldAt: null,
  fundBy: null,
  dueAt: null,
  autoReleaseAt: null,
  deadlines: null,
  proof: null,
  dispute: null,
  approval: null,
  paidMsat: null,
  refundCause: null,
  owedMsat: null,
  claimLost: null,
  endedAt: null,
}
const HASH = expect.stringMatching(/^[0-9a-f]{64}$/)
const INVOICE = expect.stringMatching(/^lnbcrt/)
const TIME = expect.any(Number)
const HELD = {
  workerInvoice: INVOICE,
  paymentHash: HASH,
  heldMsat: `${PAYOUT_MSAT + FEE_MSAT}`,
  heldAt: TIME,
  dueAt: TIME,
  deadlines: expect.objectContaining({ deadlineHeight: expect.any(Number) }),
}

const OWED = { paymentHash: HASH, owedMsat: `${PAYOUT_MSAT + FEE_MSAT}` }

/** The peer of the channel by which the buyer's money came does not let go of what is claimed meanwhile. */
async function fromSilentPeer<T>(claim: () => Promise<T>): Promise<T> {
  world.node.peerIsSilent = true
  try {
    return await claim()
  } finally {
    world.node.peerIsSilent = false
  }
}

async function loseClaim(claimed: string): Promise<void> {
  world.node.endClaims('lost', (paymentHash) => paymentHash === claimed)
  await world.slice.follow()
}

/** What the task makes it pay arrives. */
async function nodePays({ buyer }: Parties, taskId: string, phase: string): Promise<void> {
  const isPending = () => [...world.node.payments.values()].some(({ outcome }) => outcome.state === 'pending')
  await expect.poll(isPending).toBe(true)
  world.node.payeeAnswers(true)
  await world.slice.follow()
  await expect
    .poll(() => client.read(buyer, taskId, 'milestones { phase }'))
    .toEqual({ milestones: [{ phase }] })
}

test('a task itself', async () => {
  const parties = newParties()
  const taskId = await client.assigned(parties)
  const { task } = await look(parties, taskId)
  expect(task).toEqual({
    id: taskId,
    kind: 'TASK',
    custody: 'HASH_LOCKED',
    phase: 'ASSIGNED',
    title: 'Translate a page',
    description: 'From Catalan.',
    buyer: parties.buyer.owner,
    worker: parties.worker.owner,
    arbiter: parties.arbiter.owner,
    role: 'BUYER',
    createdAt: world.time.now,
    deadlineAt: TIME,
    endedAt: null,
    applications: [
      {
        worker: parties.worker.owner,
        message: 'I can.',
        appliedAt: world.time.now,
        prematureSettlements: 0,
      },
    ],
    applicationCount: 1,
    payoutMsat: `${PAYOUT_MSAT}`,
    feeMsat: `${FEE_MSAT}`,
  })
})

describe('a milestone', () => {
  test.each<[string, (parties: Parties) => Promise<string>, object]>([
    ['planned', (parties) => client.open(parties), { phase: 'PLANNED', standing: 'UNFUNDED' }],
    [
      'ready to fund',
      async (parties) => {
        const taskId = await client.assigned(parties)
        await client.invoice(parties, taskId)
        return taskId
      },
      { phase: 'READY_TO_FUND', standing: 'UNFUNDED', workerInvoice: INVOICE },
    ],
    [
      'awaiting funds',
      async (parties) => (await client.funding(parties)).taskId,
      {
        phase: 'AWAITING_FUNDS',
        standing: 'FUNDING',
        workerInvoice: INVOICE,
        paymentHash: HASH,
        fundBy: TIME,
        funding: expect.objectContaining({ invoice: INVOICE, expiresAt: TIME, paymentHash: HASH }),
      },
    ],
    [
      'held',
      async (parties) => (await client.held(parties)).taskId,
      { phase: 'HELD', standing: 'LOCKED', ...HELD },
    ],
    [
      'proven',
      async (parties) => (await client.proven(parties)).taskId,
      {
        phase: 'PROOF_SUBMITTED',
        standing: 'LOCKED',
        ...HELD,
        autoReleaseAt: TIME,
        proof: { text: 'Done.', digest: null, submittedAt: TIME, inTime: true },
      },
    ],
    [
      'disputed',
      async (parties) => {
        const { taskId } = await client.proven(parties)
        await client.mutate(parties.buyer, 'openDispute', { taskId, milestone: 0, reason: 'It is empty.' })
        return taskId
      },
      {
        phase: 'DISPUTED',
        standing: 'LOCKED',
        ...HELD,
        proof: { text: 'Done.', digest: null, submittedAt: TIME, inTime: true },
        dispute: { openedBy: HASH, openedAt: TIME, reason: 'It is empty.' },
      },
    ],
    [
      'refunded',
      async (parties) => {
        const { taskId } = await client.held(parties)
        await client.mutate(parties.worker, 'refundMilestone', { taskId, milestone: 0 })
        await expect.poll(() => client.read(parties.buyer, taskId, 'phase')).toEqual({ phase: 'CANCELLED' })
        return taskId
      },
      {
        phase: 'REFUNDED',
        standing: 'OVER',
        paymentHash: HASH,
        heldMsat: HELD.heldMsat,
        refundCause: 'BY_WORKER',
        endedAt: TIME,
      },
    ],
    [
      'claimed before its release',
      async (parties) => (await client.premature(parties)).taskId,
      { phase: 'PREMATURE', standing: 'OWED', ...OWED, claimLost: false },
    ],
    [
      'claimed before its release, which the chain has undone',
      async (parties) => {
        const { taskId, paymentHash } = await fromSilentPeer(() => client.premature(parties))
        await loseClaim(paymentHash)
        return taskId
      },
      { phase: 'PREMATURE', standing: 'OWED', ...OWED, claimLost: true },
    ],
    [
      'repaid, of which the chain has undone the claim',
      async (parties) => {
        const { taskId, paymentHash } = await fromSilentPeer(() => client.premature(parties))
        const invoice = world.invoiceOf({ paymentHash: world.newHash(), amountMsat: BigInt(OWED.owedMsat) })
        await client.mutate(parties.buyer, 'submitRefundInvoice', { taskId, milestone: 0, invoice })
        await nodePays(parties, taskId, 'REPAID')
        await loseClaim(paymentHash)
        return taskId
      },
      { phase: 'REPAID', standing: 'OVER', ...OWED, claimLost: true, endedAt: TIME },
    ],
    [
      'released, of which the chain has undone the claim',
      async (parties) => {
        const { taskId, paymentHash } = await fromSilentPeer(async () => {
          const proven = await client.proven(parties)
          await client.mutate(parties.buyer, 'approveMilestone', { taskId: proven.taskId, milestone: 0 })
          await nodePays(parties, proven.taskId, 'RELEASED')
          return proven
        })
        await loseClaim(paymentHash)
        return taskId
      },
      {
        phase: 'LOST',
        standing: 'OVER',
        paymentHash: HASH,
        heldMsat: HELD.heldMsat,
        paidMsat: `${PAYOUT_MSAT}`,
        endedAt: TIME,
      },
    ],
  ])('%s', async (_, reach, shown) => {
    const parties = newParties()
    const { milestone } = await look(parties, await reach(parties))
    expect(milestone).toEqual({ ...ALWAYS, ...UNLESS_SAID, ...shown })
  })
})

test('a proof has the digest that was sent with it', async () => {
  const parties = newParties()
  const { taskId } = await client.held(parties)
  const digest = world.newHash()
  await client.mutate(parties.worker, 'submitProof', { taskId, milestone: 0, text: 'Here.', digest })
  expect((await look(parties, taskId)).milestone.proof).toMatchObject({ text: 'Here.', digest })
})

test('the journal is read in pieces, each entry with the request that made it', async () => {
  const parties = newParties()
  const taskId = await client.assigned(parties)
  const read = async (args: string) =>
    (
      await client.read(
        parties.buyer,
        taskId,
        `changes(${args}) { seq kind at hash requestId signedRequest }`,
      )
    ).changes
  const [first, ...rest] = [...(await read('first: 2')), ...(await read('after: 2, first: 100'))]
  expect([first, ...rest].map(({ seq, kind }) => `${seq} ${kind}`)).toEqual([
    '1 create',
    '2 publish',
    '3 apply',
    '4 assign',
  ])
  expect(first).toMatchObject({ at: TIME, hash: HASH, requestId: expect.any(String), signedRequest: HASH })
  for (const args of ['first: 0', 'first: 101', 'after: -1'])
    await expect(read(args)).rejects.toThrow('REQUEST_INVALID')
})
