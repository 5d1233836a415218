import { isRefusal } from '@holdfast/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import {
  BUYER,
  type EscrowWorld,
  FEE_MSAT,
  HOUR_MS,
  makeEscrowWorld,
  WORKER,
} from './testing/escrow-world.ts'

const database = withDatabase()
let world: EscrowWorld

beforeEach(() => {
  world = makeEscrowWorld(database)
})

const fund = { kind: 'fund', by: BUYER, milestone: 0 } as const

/** A task that is funded before anybody has applied for it. */
async function reachFunded(): Promise<{ id: string; hash: string }> {
  const id = await world.startTask()
  await world.ask(id, fund)
  await world.run('create-hold')
  const { paymentHash: hash } = await world.milestoneIn(id, 'awaiting-funds')
  world.node.buyerPays(hash)
  await world.slice.follow()
  return { id, hash }
}

async function reachClaiming() {
  const { id, hash } = await reachFunded()
  await world.ask(id, { kind: 'apply', by: WORKER, message: 'me' })
  await world.ask(id, { kind: 'assign', by: BUYER, worker: WORKER })
  await world.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice: world.invoiceOf() })
  await world.ask(id, { kind: 'submit-proof', by: WORKER, milestone: 0, text: 'done', digest: null })
  await world.ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
  await world.run('pay-out')
  expect(world.node.holds.get(hash)!.state.state).toBe('held')
  world.node.payeeAnswers(true)
  await world.slice.follow()
  await world.milestoneIn(id, 'claiming')
  return { id, hash }
}

describe('a coordinated escrow', () => {
  test('is funded before its worker is known; the worker is paid first, and then the operator claims', async () => {
    const { id, hash } = await reachClaiming()
    expect(world.node.holds.get(hash)!.state.state).toBe('held')
    await world.run('settle-hold')
    expect(world.node.holds.get(hash)!.state.state).toBe('settled')
    expect(await world.milestoneIn(id, 'released')).toMatchObject({ custody: 'coordinated' })
    expect(world.node.gainMsat()).toBe(FEE_MSAT - 5n)
    expect(await world.replayed(id)).toEqual(await world.read(id))
  })

  test('whose claim is heard of while its job asks has nothing left to do, whatever the job was told', async () => {
    const { id } = await reachClaiming()
    const job = world.take('settle-hold')
    const { lookup } = world.node.holdInvoices
    world.node.holdInvoices.lookup = async () => {
      world.node.holdInvoices.lookup = lookup
      await world.slice.follow()
      return { state: 'settling', amountMsat: 1n }
    }
    const before = [...world.queue]
    await world.performAtOnce(job)
    await world.milestoneIn(id, 'released')
    expect(world.queue).toEqual(before)
  })

  test.each(['answer-lost', 'offline', 'twice'])('is claimed once, whatever happens: %s', async (what) => {
    const { id, hash } = await reachClaiming()
    const job = world.take('settle-hold')
    world.node.offline = what === 'offline'
    world.node.loseAnswers = what === 'answer-lost' ? 1 : 0
    await world.perform(job)
    if (what === 'twice') await world.perform(job)
    world.node.offline = false
    await world.slice.follow()
    await world.runNext(4)
    await world.milestoneIn(id, 'released')
    const settled = world.node.happened.filter(
      (event) => event.kind === 'hold-settled' && event.paymentHash === hash,
    )
    expect(settled).toHaveLength(1)
  })

  test('whose hold was gone when the operator came to claim it has cost the operator the payout, and says so', async () => {
    const { id, hash } = await reachClaiming()
    world.node.holds.get(hash)!.state = { state: 'cancelled' }
    await world.run('settle-hold')
    await world.milestoneIn(id, 'lost')
  })

  test('that was not paid for in time is funded again, on another hash; the first one is finished for ever', async () => {
    const id = await world.startTask()
    await world.ask(id, fund)
    await world.run('create-hold')
    const first = (await world.milestoneIn(id, 'awaiting-funds')).paymentHash
    world.time.now += 1.1 * HOUR_MS
    await world.run('wake')
    await world.slice.sweep()
    await world.run('cancel-hold')
    await world.milestoneIn(id, 'planned')
    await world.ask(id, fund)
    const second = (await world.milestoneIn(id, 'awaiting-funds')).paymentHash
    expect(second).not.toBe(first)
    world.node.buyerPays(first)
    expect(world.node.holds.get(first)!.state).toEqual({ state: 'cancelled' })
  })

  test('is taken back by the buyer as long as nobody works on it', async () => {
    const { id, hash } = await reachFunded()
    await world.ask(id, { kind: 'cancel', by: BUYER })
    await world.run('cancel-hold')
    expect(await world.milestoneIn(id, 'refunded')).toMatchObject({ cause: 'no-worker' })
    expect(world.node.holds.get(hash)!.state).toEqual({ state: 'cancelled' })
  })

  test('is not of an order, whose seller is known', async () => {
    const wish = { kind: 'order', worker: WORKER, custody: 'coordinated' } as const
    expect(await world.tryCreate(wish)).toMatchObject({ refused: 'ESCROW_TERMS_INVALID' })
  })
})

describe('what the operator’s node can do decides which custody there is', () => {
  test.each([
    ['bought-holds', 'hash-locked', 'coordinated'],
    ['own-holds', 'coordinated', 'hash-locked'],
  ] as const)('with %s alone: %s', async (capability, possible, impossible) => {
    world = makeEscrowWorld(database, undefined, [capability])
    expect(world.slice.custodies).toEqual([possible])
    const task = { kind: 'task', worker: null } as const
    expect(isRefusal(await world.tryCreate({ ...task, custody: possible }))).toBe(false)
    expect(await world.tryCreate({ ...task, custody: impossible })).toMatchObject({
      refused: 'ESCROW_CUSTODY_UNAVAILABLE',
      data: { custodies: possible },
    })
  })

  test('a coordinated hold is not made when the node does not answer', async () => {
    const id = await world.startTask()
    world.node.offline = true
    expect(await world.tryAsk(id, fund)).toMatchObject({ refused: 'NODE_OFFLINE' })
  })
})
