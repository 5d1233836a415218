import { replayPayment } from '@holdfast/core/payments/payment-machine'
import { beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { decodeCommand } from './payment-codec.ts'
import { makePaymentsWorld, type PaymentsWorld } from './testing/payments-world.ts'

const database = withDatabase()
let world: PaymentsWorld

beforeEach(() => {
  world = makePaymentsWorld(database)
})

const SUCCEEDED = {
  state: 'succeeded',
  paymentHash: 'cd'.repeat(32),
  amountMsat: 1000n,
  feeMsat: 3n,
} as const

describe('a payment that the node has given up', () => {
  const NO_ROUTE = { state: 'failed', paymentHash: null, reason: 'no-route' } as const

  test('is tried again under another id, and then succeeds', async () => {
    world.node.becomes = NO_ROUTE
    const { id, nodePaymentId } = await world.start()
    await world.run('pay')
    const second = await world.read(id)
    expect(second).toMatchObject({ phase: 'sending', tries: 2 })
    expect(second.nodePaymentId).not.toBe(nodePaymentId)
    world.node.becomes = SUCCEEDED
    await world.run('pay')
    expect(await world.read(id)).toMatchObject({
      phase: 'succeeded',
      nodePaymentId: second.nodePaymentId,
    })
    expect([...world.node.paid.keys()]).toEqual([nodePaymentId, second.nodePaymentId])
  })

  test('has failed when it was given up three times, and each time under its own id', async () => {
    world.node.becomes = NO_ROUTE
    const { id, requestedAt } = await world.start()
    await world.runNext(5)
    expect(await world.read(id)).toMatchObject({ phase: 'failed', cause: 'PAYMENT_NO_ROUTE', tries: 3 })
    expect(new Set(world.node.paid.keys()).size).toBe(3)
    expect(world.node.payCalls).toBe(3)
    expect(world.time.now - requestedAt).toBe(60_000)
    const kinds = (await world.entriesOf(id)).map(({ kind }) => kind)
    expect(kinds).toEqual(['payment.request', 'payment.outcome', 'payment.outcome', 'payment.outcome'])
    const history = (await world.entriesOf(id)).map(({ data, at }) => ({
      command: decodeCommand(data.command as never),
      at: at.getTime(),
    }))
    expect(replayPayment(history)).toEqual(await world.read(id))
  })

  test('and whose old job comes late: the old id is not paid', async () => {
    world.node.becomes = NO_ROUTE
    const { id, nodePaymentId } = await world.start()
    const late = world.take('pay')
    await world.perform(late)
    world.node.becomes = { state: 'pending', paymentHash: null }
    await world.run('pay')
    await world.perform(late)
    expect(world.node.outcomes.get(nodePaymentId)).toEqual(NO_ROUTE)
    expect(await world.read(id)).toMatchObject({ phase: 'sending', tries: 2, accepted: true })
    expect(world.node.payCalls).toBe(2)
  })

  test('is asked about by its new id after a start', async () => {
    world.node.becomes = NO_ROUTE
    const { id } = await world.start()
    await world.run('pay')
    const { nodePaymentId } = await world.read(id)
    world.queue.length = 0
    world.node.outcomes.set(nodePaymentId, SUCCEEDED)
    await world.slice.reconcile()
    await world.perform(world.queue.find(({ payload }) => payload.id === id)!)
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded', tries: 2 })
    expect(world.node.payCalls).toBe(1)
  })
})
