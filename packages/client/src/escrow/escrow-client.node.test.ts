import { setTimeout as sleep } from 'node:timers/promises'
import { startGraphqlWorld } from '@holdfast/server/escrow/graphql/testing/graphql-world'
import { FEE_MSAT, HOUR_MS, PAYOUT_MSAT } from '@holdfast/server/escrow/testing/escrow-world'
import { withDatabase } from '@holdfast/server/platform/testing/with-database'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createHoldfastClient,
  invoiceTerms,
  makeWorkerSecret,
  secretKeySigner,
  type Task,
  type TaskUpdate,
  type WorkerSecret,
} from '../index.ts'

const database = withDatabase()
const buyerKey = secretKeySigner(new Uint8Array(32).fill(1))
const workerKey = secretKeySigner(new Uint8Array(32).fill(2))

let world: Awaited<ReturnType<typeof startGraphqlWorld>>
/** Everything that left this process towards the server. */
let sent: string[]
/** What the network does to the next streams. */
let cutNext: AbortController | null

beforeEach(async () => {
  world = await startGraphqlWorld(database)
  sent = []
  cutNext = null
})
afterEach(() => world.close())

const fetchWatched = async (url: string, init: RequestInit): Promise<Response> => {
  sent.push(`${url} ${JSON.stringify(init.headers)} ${init.body ?? ''}`)
  const isStream = JSON.stringify(init.headers).includes('text/event-stream')
  if (!isStream || cutNext === null) return fetch(url, init)
  const signal = init.signal ? AbortSignal.any([init.signal, cutNext.signal]) : cutNext.signal
  cutNext = null
  return fetch(url, { ...init, signal })
}

const clientOf = (signer?: typeof buyerKey) =>
  createHoldfastClient({ baseUrl: world.url, fetch: fetchWatched, ...(signer && { signer }) }).escrow

/** A task with a worker who has locked it to a secret of theirs. */
async function reachReadyToFund(secret: WorkerSecret): Promise<string> {
  const [buyer, worker] = [clientOf(buyerKey), clientOf(workerKey)]
  const { task } = await buyer.createTask({
    plan: {
      title: 'Translate a page',
      deadlineAt: Date.now() + 240 * HOUR_MS,
      milestones: [
        { title: 'All of it', payoutMsat: PAYOUT_MSAT, workMs: 10 * HOUR_MS, objectionMs: 2 * HOUR_MS },
      ],
    },
  })
  const taskId = task.id
  await buyer.publishTask({ taskId })
  await worker.applyToTask({ taskId, message: 'I speak it.' })
  const assigned = await buyer.assignWorker({ taskId, worker: workerKey.pubkey })
  const [milestone] = assigned.task.milestones
  expect(milestone && invoiceTerms(milestone, Date.now())).toMatchObject({ amountMsat: PAYOUT_MSAT })
  const invoice = world.invoiceOf({ paymentHash: secret.paymentHash })
  await worker.submitInvoice({ taskId, milestone: 0, invoice })
  return taskId
}

async function reachHeld(secret: WorkerSecret): Promise<string> {
  const taskId = await reachReadyToFund(secret)
  const { funding } = await clientOf(buyerKey).fundMilestone({ taskId, milestone: 0 })
  expect(funding).toMatchObject({ paymentHash: secret.paymentHash, amountMsat: PAYOUT_MSAT + FEE_MSAT })
  world.node.buyerPays(secret.paymentHash)
  await world.slice.follow()
  return taskId
}

const phaseOf = async (taskId: string) => (await clientOf(buyerKey).task(taskId)).milestones[0]?.phase

describe('a task', () => {
  test('goes its whole way through the client, and the worker’s secret stays on the device', async () => {
    const secret = makeWorkerSecret()
    const taskId = await reachHeld(secret)
    const [buyer, worker] = [clientOf(buyerKey), clientOf(workerKey)]
    const proven = await worker.submitProof({ taskId, milestone: 0, text: 'It is in the post.' })
    expect(proven.milestone).toMatchObject({ phase: 'PROOF_SUBMITTED', heldMsat: PAYOUT_MSAT + FEE_MSAT })
    await buyer.approveMilestone({ taskId, milestone: 0 })
    await expect.poll(() => world.node.payments.size).toBe(1)
    world.node.payeeAnswers(true)
    await world.slice.follow()
    await expect.poll(() => phaseOf(taskId)).toBe('RELEASED')
    expect(await worker.task(taskId)).toMatchObject({ phase: 'COMPLETED', role: 'WORKER' })
    const changes = await buyer.changes(taskId, { after: 2, first: 3 })
    expect(changes.map(({ seq, kind }) => [seq, kind])).toEqual([
      [3, 'apply'],
      [4, 'assign'],
      [5, 'submit-invoice'],
    ])
    expect(sent.some((request) => request.includes('submitInvoice'))).toBe(true)
    expect(sent.filter((request) => request.includes(secret.reveal()))).toEqual([])
  })

  test('is found in lists, by everybody and by its parties', async () => {
    const { task } = await clientOf(buyerKey).createTask({
      plan: { title: 'Carry water', deadlineAt: Date.now() + 240 * HOUR_MS, milestones: [milestoneOf()] },
    })
    const titles = async (role?: 'BUYER') => {
      const { nodes } = await clientOf(role && buyerKey).tasks({ filter: role ? { role } : {}, first: 100 })
      return nodes.map(({ title }) => title)
    }
    expect(await titles()).not.toContain('Carry water')
    expect(await titles('BUYER')).toContain('Carry water')
    await clientOf(buyerKey).publishTask({ taskId: task.id })
    expect(await titles()).toContain('Carry water')
    const first = await clientOf().tasks({ first: 1 })
    expect(first).toMatchObject({ nodes: [{ id: task.id }] })
  })

  test('asked for twice under one key is made once', async () => {
    const input = {
      plan: { title: 'Once', deadlineAt: Date.now() + 240 * HOUR_MS, milestones: [milestoneOf()] },
    }
    const buyer = clientOf(buyerKey)
    const first = await buyer.createTask(input, { idempotencyKey: 'once' })
    const second = await buyer.createTask(input, { idempotencyKey: 'once' })
    expect([first.replayed, second.replayed]).toEqual([false, true])
    expect(second.task.id).toBe(first.task.id)
  })

  test('what is refused has the catalogue’s code, what to do, and what the code adds', async () => {
    const taskId = await reachReadyToFund(makeWorkerSecret())
    await expect(clientOf(buyerKey).approveMilestone({ taskId, milestone: 0 })).rejects.toMatchObject({
      code: 'ESCROW_WRONG_PHASE',
      status: 409,
      requestId: expect.any(String),
      data: { phase: expect.any(String) },
    })
    await expect(clientOf().task('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({
      code: 'ESCROW_NOT_FOUND',
    })
    await expect(clientOf().publishTask({ taskId })).rejects.toMatchObject({ code: 'SIGNER_REQUIRED' })
  })

  test('a fee is known before anything is agreed', async () => {
    expect(await clientOf().custodies()).toContain('HASH_LOCKED')
    expect(await clientOf().quote(PAYOUT_MSAT)).toEqual({
      payoutMsat: PAYOUT_MSAT,
      feeMsat: FEE_MSAT,
      fundingMsat: PAYOUT_MSAT + FEE_MSAT,
    })
  })
})

const milestoneOf = () => ({
  title: 'It',
  payoutMsat: PAYOUT_MSAT,
  workMs: 10 * HOUR_MS,
  objectionMs: 2 * HOUR_MS,
})

describe('a watch', () => {
  test('tells how a task is now, each change in its order, and ends with the task', async () => {
    const taskId = await reachReadyToFund(makeWorkerSecret())
    const phases: Task['phase'][] = []

    for await (const { task } of clientOf(buyerKey).watchTask(taskId)) {
      phases.push(task.phase)
      if (phases.length === 1) await clientOf(buyerKey).cancelTask({ taskId })
    }
    expect([phases[0], phases.at(-1)]).toEqual(['ASSIGNED', 'CANCELLED'])
  })

  test('goes on behind a lost connection, and misses nothing of what happened meanwhile', async () => {
    const secret = makeWorkerSecret()
    const taskId = await reachReadyToFund(secret)
    const cut = new AbortController()
    cutNext = cut
    const updates = clientOf(buyerKey).watchTask(taskId, { onTrouble: (error) => troubles.push(error.code) })
    const troubles: string[] = []
    const first = (await updates.next()).value as TaskUpdate
    cut.abort()
    await clientOf(buyerKey).fundMilestone({ taskId, milestone: 0 })
    world.node.buyerPays(secret.paymentHash)
    await world.slice.follow()
    const seen: string[] = []
    while (!seen.includes('hold-seen')) {
      const { value } = await updates.next()
      seen.push(...(value as TaskUpdate).changes.map(({ kind }) => kind))
    }
    expect(seen.slice(0, 2)).toEqual(['fund', 'hold-created'])
    expect(troubles).toEqual(['NETWORK_FAILED'])
    expect(first.changes).toEqual([])
    await updates.return()
  })

  test('of a milestone, begun again with an earlier token, tells what has happened since', async () => {
    const taskId = await reachReadyToFund(makeWorkerSecret())
    const which = { taskId, milestone: 0 }
    const before = clientOf(workerKey).watchMilestone(which)
    const { resume } = (await before.next()).value as { resume: string }
    await before.return()
    await clientOf(buyerKey).cancelTask({ taskId })
    const after = clientOf(workerKey).watchMilestone(which, { after: resume })
    const end = (await after.next()).value as { resume: string }
    expect(end).toMatchObject({ milestone: { phase: 'CANCELLED' } })
    expect((await after.next()).done).toBe(true)
    // A program that starts again does not know that it has seen the end.
    const again = clientOf(workerKey).watchMilestone(which, { after: end.resume })
    expect((await again.next()).value).toMatchObject({ milestone: { phase: 'CANCELLED' } })
    expect((await again.next()).done).toBe(true)
  })

  test('ends when it is told to, and throws what no other connection can mend', async () => {
    const taskId = await reachReadyToFund(makeWorkerSecret())
    const stop = new AbortController()
    const updates = clientOf(buyerKey).watchTask(taskId, { signal: stop.signal })
    await updates.next()
    const next = updates.next()
    stop.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
    const never = clientOf().watchTask('00000000-0000-4000-8000-000000000000')
    await expect(never.next()).rejects.toMatchObject({ code: 'ESCROW_NOT_FOUND' })
  })
})

describe('a buyer’s wallet that watches its funding', () => {
  test('hands over a preimage that came before the release, until the server has it', async () => {
    const secret = makeWorkerSecret()
    const taskId = await reachHeld(secret)
    world.node.offline = true
    const troubles: unknown[] = []
    const stop = new AbortController()
    const end = clientOf(buyerKey).watchFunding({
      taskId,
      milestone: 0,
      paymentHash: secret.paymentHash,
      // The worker has leaked it to a node on the buyer's route, which has taken the money.
      lookUp: async () => ({ state: 'succeeded', preimage: secret.reveal() }),
      onTrouble: (error) => {
        troubles.push(error)
        world.node.offline = false
      },
      signal: stop.signal,
    })
    expect(await end).toMatchObject({ outcome: 'premature' })
    expect(troubles[0]).toMatchObject({ code: 'NODE_OFFLINE' })
    await world.slice.follow()
    await expect.poll(() => phaseOf(taskId)).toBe('PREMATURE')
  })

  test('sees the release as what it is', async () => {
    const secret = makeWorkerSecret()
    const taskId = await reachHeld(secret)
    const isReleased = { now: false }
    const end = clientOf(buyerKey).watchFunding({
      taskId,
      milestone: 0,
      paymentHash: secret.paymentHash,
      pollMs: 5,
      lookUp: async () =>
        isReleased.now ? { state: 'succeeded', preimage: secret.reveal() } : { state: 'pending' },
    })
    await clientOf(buyerKey).approveMilestone({ taskId, milestone: 0 })
    await expect.poll(() => world.node.payments.size).toBe(1)
    world.node.payeeAnswers(true)
    await world.slice.follow()
    await expect.poll(() => phaseOf(taskId)).toBe('RELEASED')
    isReleased.now = true
    expect(await end).toEqual({ outcome: 'released', phase: 'RELEASED' })
  })

  test('sees the money come back', async () => {
    const secret = makeWorkerSecret()
    const taskId = await reachHeld(secret)
    await clientOf(workerKey).refundMilestone({ taskId, milestone: 0 })
    const answers = [{ state: 'pending' }, { state: 'failed' }] as const
    let asked = 0
    const end = await clientOf(buyerKey).watchFunding({
      taskId,
      milestone: 0,
      paymentHash: secret.paymentHash,
      pollMs: 1,
      lookUp: async () => {
        await sleep(1)
        return answers[asked++] ?? { state: 'failed' }
      },
    })
    expect(end).toEqual({ outcome: 'returned', phase: null })
  })
})

test('a change that is signed itself has its own event in the journal, any other that of its session', async () => {
  const plan = {
    title: 'Translate a page',
    deadlineAt: Date.now() + 240 * HOUR_MS,
    milestones: [{ title: 'All', payoutMsat: PAYOUT_MSAT, workMs: HOUR_MS, objectionMs: HOUR_MS }],
  }
  for (const [signsEach, path] of [
    [true, '/graphql'],
    [false, '/v1/sessions'],
  ] as const) {
    const options = { baseUrl: world.url, signer: buyerKey, signsEach }
    const { escrow } = createHoldfastClient(options)
    const { task } = await escrow.createTask({ plan })
    const [change] = await escrow.changes(task.id)
    const { rows } = await database.pool.query(
      `select event from signed_request where id = decode($1, 'hex')`,
      [change?.signedRequest],
    )
    const { pubkey, tags } = rows[0].event
    expect([pubkey, tags[0]]).toEqual([buyerKey.pubkey, ['u', `${world.url}${path}`]])
  }
})
