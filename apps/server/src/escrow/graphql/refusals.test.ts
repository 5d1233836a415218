import { REFUSALS, type RefusalCode } from '@holdfast/core'
import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { secretKey } from '@holdfast/protocols/testing/points'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { HOUR_MS, PAYOUT_MSAT } from '../testing/escrow-world.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, type Parties, planOf, taskClient } from './testing/task-client.ts'

/** Every refusal that an escrow has for its parties, as GraphQL tells it. */
const database = withDatabase()
let world: GraphqlWorld
let client: ReturnType<typeof taskClient>

beforeAll(async () => {
  world = await startGraphqlWorld(database)
  client = taskClient(world)
})
afterAll(() => world.close())

async function expectRefusal(
  answer: Promise<Awaited<ReturnType<GraphqlWorld['send']>>>,
  code: RefusalCode,
  data: object,
) {
  const { errors, status } = await answer
  expect(errors?.[0]?.extensions).toEqual({
    code,
    status: REFUSALS[code].status,
    hint: REFUSALS[code].hint,
    requestId: expect.any(String),
    data: expect.objectContaining(data),
  })
  expect({ message: errors?.[0]?.message, status }).toEqual({ message: REFUSALS[code].title, status: 200 })
}

const MILESTONE = planOf().milestones[0]!
const of = (parts: object) => ({ milestones: [{ ...MILESTONE, ...parts }] })
const DAY_MS = 24 * HOUR_MS

describe('createTask', () => {
  test.each<[string, object, object, RefusalCode, object]>([
    ['no title', {}, { title: '' }, 'ESCROW_TERMS_INVALID', { field: 'title' }],
    [
      'a title of 201 bytes',
      {},
      { title: `${'é'.repeat(100)}x` },
      'ESCROW_TERMS_INVALID',
      { field: 'title' },
    ],
    [
      'a description of 16,385 bytes',
      {},
      { description: 'x'.repeat(16_385) },
      'ESCROW_TERMS_INVALID',
      { field: 'description' },
    ],
    ['a deadline that has passed', {}, { deadlineAt: 1 }, 'ESCROW_TERMS_INVALID', { field: 'deadlineAt' }],
    [
      'a deadline in two years',
      {},
      { deadlineAt: Date.now() + 730 * DAY_MS },
      'ESCROW_TERMS_INVALID',
      { field: 'deadlineAt' },
    ],
    ['no milestone', {}, { milestones: [] }, 'ESCROW_TERMS_INVALID', { field: 'milestones' }],
    [
      '21 milestones',
      {},
      { milestones: Array(21).fill(MILESTONE) },
      'ESCROW_TERMS_INVALID',
      { field: 'milestones' },
    ],
    [
      'a milestone without a title',
      {},
      of({ title: '' }),
      'ESCROW_TERMS_INVALID',
      { field: 'milestones.title' },
    ],
    [
      'a payout below 1,000 sat',
      {},
      of({ payoutMsat: '999999' }),
      'ESCROW_TERMS_INVALID',
      { field: 'milestones.payoutMsat' },
    ],
    ['no time to work', {}, of({ workMs: 0 }), 'ESCROW_TERMS_INVALID', { field: 'milestones.workMs' }],
    [
      'less than a minute to object',
      {},
      of({ objectionMs: 59_999 }),
      'ESCROW_TERMS_INVALID',
      { field: 'milestones.objectionMs' },
    ],
    [
      'a hold of 865 blocks',
      {},
      of({ holdBlocks: 865 }),
      'ESCROW_TERMS_INVALID',
      { field: 'milestones.holdBlocks' },
    ],
    [
      'a hold that is too short for the work',
      {},
      of({ holdBlocks: 200 }),
      'ESCROW_HOLD_TOO_SHORT',
      { neededBlocks: 415 },
    ],
    [
      'work that fits into no hold',
      {},
      of({ workMs: 30 * DAY_MS }),
      'ESCROW_HOLD_TOO_SHORT',
      { mostBlocks: 864 },
    ],
    [
      'a task that has a worker',
      { worker: 'a1'.repeat(32) },
      {},
      'ESCROW_TERMS_INVALID',
      { field: 'worker' },
    ],
    ['an order that has none', { kind: 'ORDER' }, {}, 'ESCROW_TERMS_INVALID', { field: 'worker' }],
  ])('%s', async (_, input, plan, code, data) => {
    await expectRefusal(
      client.send(newParties().buyer, 'createTask', { ...input, plan: planOf(plan) }),
      code,
      data,
    )
  })

  test('the buyer cannot be the arbiter, nor the seller', async () => {
    const { buyer } = newParties()
    const plan = planOf({ arbiter: buyer.owner })
    await expectRefusal(client.send(buyer, 'createTask', { plan }), 'ESCROW_TERMS_INVALID', {
      field: 'arbiter',
    })
    const order = { kind: 'ORDER', worker: buyer.owner, plan: planOf() }
    await expectRefusal(client.send(buyer, 'createTask', order), 'ESCROW_TERMS_INVALID', { field: 'worker' })
  })

  test.each<[string, object]>([
    ['an amount that is a number', of({ payoutMsat: 50_000_000 })],
    ['an amount of nothing', of({ payoutMsat: '0' })],
    ['a negative amount', of({ payoutMsat: '-1' })],
    ['an amount with a fraction', of({ payoutMsat: '1.5' })],
    ['more than there is', of({ payoutMsat: '9999999999999999999' })],
    ['a time with a fraction', of({ workMs: 1.5 })],
    ['a negative time', of({ workMs: -1 })],
    ['a time as a string', of({ workMs: '1' })],
    ['a key in capitals', { arbiter: 'A1'.repeat(32) }],
    ['a key that is the operator', { arbiter: 'operator' }],
    ['a field that is not there', { colour: 'red' }],
    ['a field that is missing', { title: undefined }],
  ])('%s does not have the documented form', async (_, plan) => {
    const { errors } = await client.send(newParties().buyer, 'createTask', { plan: planOf(plan) })
    expect(errors).toHaveLength(1)
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'REQUEST_INVALID', status: 400 })
  })
})

const first = (taskId: string) => ({ taskId, milestone: 0 })
type Asked = [by: keyof Parties, field: string, input: object]

/** Each brings a task to a phase, and answers what is asked too much in it. */
describe('later', () => {
  test.each<[string, (parties: Parties) => Promise<Asked>, RefusalCode, object]>([
    [
      'there is no such task',
      async () => ['buyer', 'publishTask', { taskId: '00000000-0000-4000-8000-000000000000' }],
      'ESCROW_NOT_FOUND',
      {},
    ],
    [
      'an id that is none',
      async () => ['buyer', 'publishTask', { taskId: "' or 1=1" }],
      'ESCROW_NOT_FOUND',
      {},
    ],
    [
      'there is no such milestone',
      async (parties) => ['buyer', 'approveMilestone', { taskId: await client.open(parties), milestone: 1 }],
      'ESCROW_NOT_FOUND',
      { milestone: 1 },
    ],
    [
      'milestones count from 0',
      async (parties) => ['buyer', 'approveMilestone', { taskId: await client.open(parties), milestone: -1 }],
      'ESCROW_NOT_FOUND',
      { milestone: -1 },
    ],
    [
      'it is published already',
      async (parties) => ['buyer', 'publishTask', { taskId: await client.open(parties) }],
      'ESCROW_WRONG_PHASE',
      { phase: 'open' },
    ],
    [
      'nothing is locked yet',
      async (parties) => ['buyer', 'approveMilestone', first(await client.open(parties))],
      'ESCROW_WRONG_PHASE',
      { phase: 'planned', milestone: 0 },
    ],
    [
      'somebody relies on it',
      async (parties) => ['buyer', 'updateTask', { taskId: await client.assigned(parties), plan: planOf() }],
      'ESCROW_WRONG_PHASE',
      { phase: 'assigned' },
    ],
    [
      'a message of 2,049 bytes',
      async (parties) => [
        'worker',
        'applyToTask',
        { taskId: await client.open(parties), message: 'x'.repeat(2_049) },
      ],
      'ESCROW_TEXT_INVALID',
      { most: 2_048 },
    ],
    [
      'whoever has applied',
      async (parties) => {
        const taskId = await client.open(parties)
        await client.mutate(parties.worker, 'applyToTask', { taskId })
        return ['worker', 'applyToTask', { taskId, message: 'Me again.' }]
      },
      'ESCROW_ALREADY_APPLIED',
      {},
    ],
    [
      'whoever has not',
      async (parties) => [
        'buyer',
        'assignWorker',
        { taskId: await client.open(parties), worker: parties.worker.owner },
      ],
      'ESCROW_NOT_AN_APPLICANT',
      {},
    ],
    [
      'money is locked',
      async (parties) => ['buyer', 'cancelTask', { taskId: (await client.held(parties)).taskId }],
      'ESCROW_FUNDED',
      {},
    ],
    [
      'an empty proof',
      async (parties) => [
        'worker',
        'submitProof',
        { ...first((await client.held(parties)).taskId), text: '' },
      ],
      'ESCROW_TEXT_INVALID',
      { most: 8_192 },
    ],
    [
      'a proof of 8,193 bytes',
      async (parties) => [
        'worker',
        'submitProof',
        { ...first((await client.held(parties)).taskId), text: 'x'.repeat(8_193) },
      ],
      'ESCROW_TEXT_INVALID',
      { most: 8_192 },
    ],
    [
      'an objection without words',
      async (parties) => [
        'buyer',
        'requestRevision',
        { ...first((await client.proven(parties)).taskId), reason: '' },
      ],
      'ESCROW_TEXT_INVALID',
      { most: 4_096 },
    ],
    [
      'a sixth revision',
      async (parties) => {
        const { taskId } = await client.proven(parties)
        for (let left = 5; left > 0; left--) {
          await client.mutate(parties.buyer, 'requestRevision', { ...first(taskId), reason: `${left}` })
          await client.mutate(parties.worker, 'submitProof', { ...first(taskId), text: `${left}` })
        }
        return ['buyer', 'requestRevision', { ...first(taskId), reason: 'Once more.' }]
      },
      'ESCROW_REVISIONS_EXHAUSTED',
      { most: 5 },
    ],
    [
      'not the preimage',
      async (parties) => [
        'buyer',
        'reportPreimage',
        { ...first((await client.held(parties)).taskId), preimage: '00'.repeat(32) },
      ],
      'ESCROW_PREIMAGE_WRONG',
      {},
    ],
    [
      'a preimage of nothing',
      async (parties) => [
        'buyer',
        'reportPreimage',
        { ...first(await client.assigned(parties)), preimage: '00'.repeat(32) },
      ],
      'ESCROW_WRONG_PHASE',
      { phase: 'awaiting-invoice' },
    ],
  ])('%s', async (_, reach, code, data) => {
    const parties = newParties()
    const [by, field, input] = await reach(parties)
    await expectRefusal(client.send(parties[by], field, input), code, data)
  })
})

/** The worker's invoice, with one thing wrong. */
function invoice(
  parts: {
    network?: 'regtest' | 'bitcoin'
    amountMsat?: bigint
    expiry?: number
    cltv?: number
    hash?: string
  } = {},
) {
  const {
    network = 'regtest',
    amountMsat = PAYOUT_MSAT,
    expiry = 20 * 86_400,
    cltv = 40,
    hash = world.newHash(),
  } = parts
  const fields = [fieldOf.hex('p', hash), fieldOf.hex('s', '22'.repeat(32)), fieldOf.description('work')]
  return encodeInvoice({
    network,
    createdAt: Math.floor(Date.now() / 1000) * 1000,
    fields: [...fields, fieldOf.number('x', expiry), fieldOf.number('c', cltv)],
    secretKey: secretKey(9),
    ...(amountMsat > 0n && { amountMsat }),
  })
}

describe('submitInvoice', () => {
  test.each<[string, () => string, RefusalCode, object]>([
    ['no invoice', () => 'lnbcrt1', 'INVOICE_INVALID', {}],
    [
      'a wrong character',
      () => invoice().replace(/.$/, (last) => (last === 'q' ? 'p' : 'q')),
      'INVOICE_INVALID',
      {},
    ],
    ['another network', () => invoice({ network: 'bitcoin' }), 'INVOICE_FOREIGN_CHAIN', {}],
    [
      'a millisatoshi too much',
      () => invoice({ amountMsat: PAYOUT_MSAT + 1n }),
      'ESCROW_INVOICE_AMOUNT_WRONG',
      { amountMsat: `${PAYOUT_MSAT + 1n}`, neededMsat: `${PAYOUT_MSAT}` },
    ],
    [
      'a millisatoshi too little',
      () => invoice({ amountMsat: PAYOUT_MSAT - 1n }),
      'ESCROW_INVOICE_AMOUNT_WRONG',
      {},
    ],
    ['no amount', () => invoice({ amountMsat: 0n }), 'ESCROW_INVOICE_AMOUNT_WRONG', { amountMsat: null }],
    [
      'it expires too soon',
      () => invoice({ expiry: 3_600 }),
      'ESCROW_INVOICE_EXPIRES_SOON',
      { neededUntil: expect.any(Number) },
    ],
    [
      'its final CLTV has no room',
      () => invoice({ cltv: 145 }),
      'ESCROW_INVOICE_CLTV_TOO_HIGH',
      { finalCltv: 145, cap: 144 },
    ],
  ])('%s', async (_, text, code, data) => {
    const parties = newParties()
    const taskId = await client.assigned(parties)
    const input = { ...first(taskId), invoice: text() }
    await expectRefusal(client.send(parties.worker, 'submitInvoice', input), code, data)
  })

  test('a hash that another task has, also when both come at once', async () => {
    const parties = newParties()
    const [one, other] = [await client.assigned(parties), await client.assigned(newParties(parties))]
    const shared = invoice()
    const answers = await Promise.all(
      [one, other].map((taskId) =>
        client.send(parties.worker, 'submitInvoice', { ...first(taskId), invoice: shared }),
      ),
    )
    const codes = answers.map(({ errors }) => errors?.[0]?.extensions.code)
    expect(new Set(codes)).toEqual(new Set([undefined, 'ESCROW_INVOICE_HASH_USED']))
    const late = answers[0]?.errors ? one : other
    await expectRefusal(
      client.send(parties.worker, 'submitInvoice', { ...first(late), invoice: shared }),
      'ESCROW_INVOICE_HASH_USED',
      {},
    )
  })
})

describe('fundMilestone', () => {
  test('what the operator could not pay out is not locked', async () => {
    const parties = newParties()
    const taskId = await client.assigned(parties)
    await client.invoice(parties, taskId)
    const spendable = world.node.spendableMsat
    world.node.spendableMsat = PAYOUT_MSAT
    try {
      await expectRefusal(
        client.send(parties.buyer, 'fundMilestone', first(taskId), 'replayed'),
        'ESCROW_LIQUIDITY_LACKING',
        {},
      )
    } finally {
      world.node.spendableMsat = spendable
    }
    const { funding } = await client.mutate(
      parties.buyer,
      'fundMilestone',
      first(taskId),
      'funding { invoice }',
    )
    expect(funding.invoice).toMatch(/^lnbcrt/)
  })
  test.each([
    ['of this buyer', 'ofOneBuyer', 'buyer'],
    ['of all', 'ofAll', 'operator'],
  ] as const)('when as many holds %s are open as may be', async (_, limit, of) => {
    const parties = newParties()
    const taskId = await client.assigned(parties)
    await client.invoice(parties, taskId)
    const most = world.limits[limit]
    world.limits[limit] = 0
    try {
      await expectRefusal(
        client.send(parties.buyer, 'fundMilestone', first(taskId), 'replayed'),
        'ESCROW_HOLDS_FULL',
        { of, most: 0 },
      )
    } finally {
      world.limits[limit] = most
    }
  })
})
