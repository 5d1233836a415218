import { refuse } from '@holdfast/core'
import { NEVER_SENT_GRACE_MS, replayPayment } from '@holdfast/core/payments/payment-machine'
import { NodeError } from '@holdfast/lightning'
import { parseBitcoinUri } from '@holdfast/protocols/bip321'
import pg from 'pg'
import { beforeEach, describe, expect, type Mock, test, vi } from 'vitest'
import { makeTestNode } from '../nodes/testing/test-node.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { decodeCommand } from './payment-codec.ts'
import { invoiceOf, makePaymentsWorld, offerOf, type PaymentsWorld } from './testing/payments-world.ts'

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

const resolvedTo = (uri: string) => ({
  name: 'alice@shop.test',
  parsed: parseBitcoinUri(uri),
  expiresAt: world.time.now + 60_000,
})

test.each(['pay', 'look-up'])(
  'what a node says beyond the port, as of the preimage, is not kept: %s',
  async (task) => {
    const { id } = await world.start()
    const gossip = { ...SUCCEEDED, preimage: 'ef'.repeat(32), route: { preimage: 'ef'.repeat(32) } }
    world.node.payer!.pay = async () => gossip
    world.node.payer!.lookup = async () => gossip
    if (task === 'look-up') await world.slice.reconcile()
    await world.run(task)
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded', paymentHash: SUCCEEDED.paymentHash })
    const kept = [await world.read(id), await world.entriesOf(id)]
    expect(JSON.stringify(kept, (_, value) => (typeof value === 'bigint' ? `${value}` : value))).not.toMatch(
      /preimage|efefef/,
    )
  },
)

describe('the node is told what it will pay', () => {
  const expecting = () => {
    const said = vi.fn()
    world.node.payer!.expect = said
    return said
  }

  test('while the intention is kept, as it is asked to pay it then', async () => {
    const said = expecting()
    const to = offerOf()
    await world.start({ to, amountMsat: '1000', note: 'for the shoes' })
    expect(said.mock.calls).toEqual([[{ kind: 'bolt12', offer: to, payerNote: 'for the shoes' }]])
    expect(world.node.payCalls).toBe(0)
    await world.run('pay')
    expect([...world.node.paid.values()].map(({ destination }) => destination)).toEqual([
      said.mock.calls[0]![0],
    ])
  })

  test('an invoice too; not what has to be resolved first, or is refused', async () => {
    const said = expecting()
    const to = invoiceOf()
    await world.start({ to, amountMsat: '1000' })
    await world.start({ to: 'alice@shop.test', amountMsat: '1000' })
    expect(await world.request({ to, amountMsat: '0' })).toHaveProperty('refused')
    expect(said.mock.calls).toEqual([[{ kind: 'bolt11', invoice: to }]])
  })
})

describe('what this process has just written', () => {
  const reads = (query: Mock) =>
    query.mock.calls.filter(([sent]) => sent?.text === 'select "state" from "payment" where "id" = $1')

  test('a job that is begun at once does not read; one that runs again does', async () => {
    const { id } = await world.start()
    const job = world.take('pay')
    const query = vi.spyOn(pg.Client.prototype, 'query') as unknown as Mock
    await world.performAtOnce(job)
    expect(reads(query)).toHaveLength(0)
    await world.perform(job)
    expect(reads(query)).toHaveLength(1)
    query.mockRestore()
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
    expect(world.node.payCalls).toBe(1)
  })

  test('a report on it locks it and is kept without reading it', async () => {
    const { id } = await world.start()
    const query = vi.spyOn(pg.Client.prototype, 'query') as unknown as Mock
    await world.performAtOnce(world.take('pay'))
    const texts = query.mock.calls.map(([sent]) => String(sent?.text ?? sent))
    query.mockRestore()
    expect(texts.filter((text) => text.includes('is_as_believed'))).toHaveLength(1)
    expect(texts.filter((text) => text.startsWith('select "state" from "payment"'))).toEqual([])
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
  })

  test('is not believed where it has changed: a late report is heard by what the payment is now', async () => {
    const { id } = await world.start()
    const job = world.take('pay')
    const { pay } = world.node.payer!
    world.node.payer!.pay = async () => {
      world.node.payer!.pay = pay
      await world.perform(job)
      return { state: 'failed', paymentHash: null, reason: 'rejected' }
    }
    await world.perform(job)
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
    expect((await world.entriesOf(id)).map(({ kind }) => kind)).toEqual([
      'payment.request',
      'payment.outcome',
    ])
  })

  test('and that somebody else has locked is waited for without holding up the journal', async () => {
    const { id } = await world.start()
    const other = await database.pool.connect()
    try {
      await other.query('begin')
      await other.query('select from payment where id = $1 for update', [id])
      const heard = world.run('pay')
      await expect.poll(() => world.node.payCalls).toBe(1)
      await database.transact(async (tx) =>
        tx.append({ stream: 'payment', entityId: id, kind: 'payment.tested', data: {}, actor: 'test' }),
      )
      await other.query('commit')
      await heard
    } finally {
      other.release()
    }
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
    expect((await world.entriesOf(id)).map(({ kind }) => kind)).toEqual([
      'payment.request',
      'payment.tested',
      'payment.outcome',
    ])
  })

  test('keeps no job of a later attempt from its work', async () => {
    const { id } = await world.start()
    const other = makePaymentsWorld(database, world.node)
    other.connected.node = null
    await other.perform(world.take('pay'))
    await world.perform(other.take('pay'))
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
    expect(world.node.payCalls).toBe(1)
  })
})

describe('a payment is made once', () => {
  test('when its job crashed between the node and the report, and is run again', async () => {
    const { id } = await world.start()
    const job = world.take('pay')
    world.node.loseAnswers = 0
    // The first run gets as far as the node; its report never reaches the database.
    await world.node.payer!.pay({
      paymentId: (await world.read(id)).nodePaymentId,
      destination: { kind: 'bolt12', offer: 'as the job would' },
      amountMsat: 1000n,
      maxFeeMsat: 10_000n,
      timeoutMs: 1,
    })
    expect((await world.read(id)).phase).toBe('sending')
    await world.perform(job)
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
    expect([world.node.paid.size, world.node.payCalls]).toEqual([1, 2])
  })

  test('when its job runs twice at once, and once more after the end', async () => {
    const { id } = await world.start()
    const job = world.take('pay')
    await Promise.all([world.perform(job), world.perform(job)])
    const calls = world.node.payCalls
    await world.perform(job)
    expect(world.node.payCalls).toBe(calls)
    expect(world.node.paid.size).toBe(1)
    expect((await world.entriesOf(id)).map(({ kind }) => kind)).toEqual([
      'payment.request',
      'payment.outcome',
    ])
  })

  test('when its owner connects another node after an answer got lost', async () => {
    const { id } = await world.start()
    world.node.loseAnswers = 1
    await world.run('pay')
    const other = makeTestNode({ nodeId: '02'.padEnd(66, 'b') })
    world.connected.node = other
    await world.runNext(12)
    expect(other.payCalls).toBe(0)
    world.connected.node = world.node
    await world.runNext(3)
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
    expect(world.node.paid.size).toBe(1)
  })

  test('when its job comes after the deadline: then the node is only asked', async () => {
    const { id, deadlineAt } = await world.start()
    world.time.now = deadlineAt
    await world.run('pay')
    expect(await world.read(id)).toMatchObject({ phase: 'unknown' })
    await world.runNext(3)
    expect(world.time.now).toBeGreaterThanOrEqual(deadlineAt + NEVER_SENT_GRACE_MS)
    expect(await world.read(id)).toMatchObject({ phase: 'failed', cause: 'PAYMENT_NOT_SENT' })
    expect(world.node.payCalls).toBe(0)
  })

  test('when finding the node takes beyond the deadline: then it is only asked', async () => {
    const { id, deadlineAt } = await world.start()
    world.nodes.nodeOf.mockImplementationOnce(async () => {
      world.time.now = deadlineAt
      return world.node
    })
    await world.run('pay')
    expect(world.node.payCalls).toBe(0)
    expect(await world.read(id)).toMatchObject({ phase: 'unknown' })
  })

  test('and is told to try no longer than until the deadline, however long finding the node took', async () => {
    const { id, nodePaymentId, deadlineAt } = await world.start()
    world.nodes.nodeOf.mockImplementationOnce(async () => {
      world.time.now = deadlineAt - 1_000
      return world.node
    })
    await world.run('pay')
    expect(world.node.paid.get(nodePaymentId)).toMatchObject({ timeoutMs: 1_000 })
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
  })

  test('when the process stops in the middle: after a start the node is asked, not paid', async () => {
    const { id, nodePaymentId } = await world.start()
    world.queue.length = 0
    world.node.outcomes.set(nodePaymentId, SUCCEEDED)
    expect(await world.slice.reconcile()).toBeGreaterThan(0)
    const job = world.queue.find(({ payload }) => payload.id === id)!
    expect(job.task).toBe('payments:look-up')
    await world.perform(job)
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded', amountMsat: 1000n, feeMsat: 3n })
    expect(world.node.payCalls).toBe(0)
  })
})

describe('a node that does not decide', () => {
  test('is asked for days, and the journal tells only what happened', async () => {
    world.node.becomes = { state: 'pending', paymentHash: 'ef'.repeat(32) }
    const { id, nodePaymentId, requestedAt } = await world.start()
    await world.runNext(60)
    expect(world.time.now - requestedAt).toBeGreaterThan(20 * 60_000)
    expect(await world.read(id)).toMatchObject({ phase: 'sending', accepted: true })
    expect((await world.entriesOf(id)).map(({ kind }) => kind)).toEqual([
      'payment.request',
      'payment.outcome',
    ])
    expect(world.node.payCalls).toBe(1)
    world.node.outcomes.set(nodePaymentId, SUCCEEDED)
    await world.runNext(1)
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded', paymentHash: 'cd'.repeat(32) })
  })

  test('leaves the payment unknown while it is offline, for weeks, and is asked again', async () => {
    world.node.becomes = { state: 'unknown' }
    const { id, nodePaymentId } = await world.start()
    await world.run('pay')
    world.node.offline = true
    await world.runNext(40)
    expect(await world.read(id)).toMatchObject({ phase: 'unknown' })
    expect(await world.entriesOf(id)).toHaveLength(2)
    world.node.offline = false
    world.node.outcomes.set(nodePaymentId, { state: 'failed', paymentHash: null, reason: 'no-route' })
    await world.runNext(2)
    expect(await world.read(id)).toMatchObject({ phase: 'failed', cause: 'PAYMENT_NO_ROUTE' })
  })

  test('and forgets a payment that it had taken on: it stays unknown', async () => {
    world.node.becomes = { state: 'pending', paymentHash: null }
    const { id, deadlineAt } = await world.start()
    await world.run('pay')
    world.node.outcomes.clear()
    world.time.now = deadlineAt + 2 * NEVER_SENT_GRACE_MS
    await world.runNext(20)
    expect(await world.read(id)).toMatchObject({ phase: 'unknown', accepted: true })
    expect(world.node.payCalls).toBe(1)
  })

  test('or goes away while it is followed: what it said last counts', async () => {
    world.node.becomes = { state: 'pending', paymentHash: 'ef'.repeat(32) }
    const { id } = await world.start()
    vi.spyOn(world.node.payer!, 'lookup').mockRejectedValue(new NodeError('unsupported', 'no look-ups'))
    await world.run('pay')
    expect(await world.read(id)).toMatchObject({ phase: 'sending', accepted: true })
    await world.run('look-up')
    expect(await world.read(id)).toMatchObject({ phase: 'sending', maybeSent: true })
  })

  test('is followed, and a fault while following is not an outcome', async () => {
    world.node.becomes = { state: 'pending', paymentHash: null }
    const { id, nodePaymentId } = await world.start()
    const job = world.take('pay')
    const lookup = vi.spyOn(world.node.payer!, 'lookup').mockRejectedValue(new Error('a bug'))
    await expect(world.perform(job)).rejects.toThrow('a bug')
    lookup.mockRestore()
    expect((await world.read(id)).phase).toBe('sending')
    world.node.outcomes.set(nodePaymentId, SUCCEEDED)
    await world.perform(job)
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
    expect(world.node.paid.size).toBe(1)
  })
})

describe('a node that cannot be found', () => {
  test.each(['pay', 'look-up'])('is asked later: %s', async (task) => {
    const { id } = await world.start()
    if (task === 'look-up') await world.slice.reconcile()
    world.nodes.nodeOf.mockRejectedValueOnce(new NodeError('offline', 'x'))
    await world.run(task)
    expect(await world.read(id)).toMatchObject({ phase: 'sending', maybeSent: task === 'pay' })
    await world.run(task)
    expect((await world.read(id)).phase).toBe(task === 'pay' ? 'succeeded' : 'sending')
  })

  test('because of a fault is no answer', async () => {
    const { id } = await world.start()
    world.nodes.nodeOf.mockRejectedValueOnce(new Error('a bug'))
    await expect(world.run('pay')).rejects.toThrow('a bug')
    expect(await world.read(id)).toMatchObject({ phase: 'sending', attempt: 0 })
  })
})

describe('a node that takes nothing on', () => {
  test.each([
    ['conflict', 'INVOICE_ALREADY_PAID'],
    ['invalid', 'NODE_CANNOT'],
    ['unsupported', 'NODE_CANNOT'],
  ] as const)('because of %s: failed with %s', async (said, cause) => {
    vi.spyOn(world.node.payer!, 'pay').mockRejectedValue(new NodeError(said, 'x'))
    const { id } = await world.start()
    await world.run('pay')
    expect(await world.read(id)).toMatchObject({ phase: 'failed', cause })
  })

  test('at a second try, when the first may have got through: nobody can say yet', async () => {
    const { id } = await world.start()
    world.node.offline = true
    await world.run('pay')
    world.node.offline = false
    vi.spyOn(world.node.payer!, 'pay').mockRejectedValue(new NodeError('conflict', 'x'))
    await world.run('pay')
    expect(await world.read(id)).toMatchObject({ phase: 'unknown' })
  })
})

describe('the sweeper', () => {
  test('asks about a payment whose job was lost, once it has been silent for a minute', async () => {
    const { id, requestedAt } = await world.start()
    world.queue.length = 0
    expect(await world.slice.sweep()).toBe(0)
    world.time.now = requestedAt + 60_001
    await world.slice.sweep()
    const job = world.queue.find(({ payload }) => payload.id === id)!
    await world.perform(job)
    expect(await world.read(id)).toMatchObject({ phase: 'unknown' })
    expect(world.node.payCalls).toBe(0)
  })

  test.each(['sweep', 'reconcile'] as const)(
    'goes on past one that cannot be looked at: %s',
    async (what) => {
      const broken = await world.start()
      const others = await Promise.all(Array.from({ length: 3 }, () => world.start()))
      world.queue.length = 0
      world.time.now += 120_001
      world.unlucky.id = broken.id
      await expect(world.slice[what]()).rejects.toThrow(/1 of \d+ payments were passed over/)
      const told = world.queue.map(({ payload }) => payload.id)
      for (const { id } of others) expect(told).toContain(id)
      expect(told).not.toContain(broken.id)
      world.unlucky.id = null
      await world.slice[what]()
      expect(world.queue.map(({ payload }) => payload.id)).toContain(broken.id)
    },
  )

  test('leaves alone what is asked about in time, and what has ended', async () => {
    world.node.becomes = { state: 'pending', paymentHash: null }
    const pending = await world.start()
    await world.runNext(30)
    world.node.becomes = SUCCEEDED
    const ended = await world.start()
    await world.run('pay')
    const before = world.queue.length
    await world.slice.sweep()
    const touched = world.queue.slice(before).map(({ payload }) => payload.id)
    expect(touched).not.toContain(pending.id)
    expect(touched).not.toContain(ended.id)
  })
})

describe('a request', () => {
  test('is refused when the node is offline', async () => {
    world.nodes.nodeOf.mockRejectedValueOnce(new NodeError('offline', 'x'))
    expect(await world.request({ to: offerOf(), amountMsat: '1' })).toEqual(refuse('NODE_OFFLINE'))
  })

  test('to the paying node itself is refused', async () => {
    world.connected.node = makeTestNode()
    expect(await world.request({ to: invoiceOf({ payee: 7 }), amountMsat: '1' })).toEqual(
      refuse('PAYMENT_TO_SELF'),
    )
  })
})

describe('the journal', () => {
  test('rebuilds the state, and names who said what', async () => {
    vi.mocked(world.resolver.resolve).mockResolvedValue(resolvedTo(`bitcoin:?lno=${offerOf()}`))
    const { id } = await world.start({ to: 'alice@shop.test', amountMsat: '70000', maxFeeMsat: '9' })
    await world.run('resolve')
    world.node.offline = true
    await world.run('pay')
    world.node.offline = false
    await world.run('pay')
    const entries = await world.entriesOf(id)
    expect(entries.map(({ kind, actor }) => [kind, actor])).toEqual([
      ['payment.request', world.owner],
      ['payment.resolved', 'dns'],
      ['payment.node-unreachable', 'system'],
      ['payment.outcome', 'node'],
    ])
    const history = entries.map(({ data, at }) => ({
      command: decodeCommand(data.command as never),
      at: at.getTime(),
    }))
    expect(replayPayment(history)).toEqual(await world.read(id))
  })
})
