import { randomBytes } from 'node:crypto'
import { isRefusal } from '@holdfast/core'
import type { Phase } from '@holdfast/core/escrow/milestone-states'
import { NodeError } from '@holdfast/lightning'
import { sql } from 'kysely'
import pg from 'pg'
import { beforeEach, describe, expect, type Mock, test, vi } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import {
  ARBITER,
  BUYER,
  type EscrowWorld,
  FEE_MSAT,
  HOUR_MS,
  makeEscrowWorld,
  PAYOUT_MSAT,
  POLICY,
  WORKER,
} from './testing/escrow-world.ts'

const database = withDatabase()
let world: EscrowWorld

beforeEach(() => {
  world = makeEscrowWorld(database)
})

const phaseOf = async (id: string): Promise<Phase> => (await world.milestone(id)).phase
const approve = { kind: 'approve', by: BUYER, milestone: 0 } as const
const refund = { kind: 'refund', by: WORKER, milestone: 0 } as const
const GAIN = FEE_MSAT - 5n

/** Another escrow on the same node, for which the money has arrived. */
async function other(): Promise<string> {
  const id = await world.start()
  const paymentHash = randomBytes(32).toString('hex')
  const invoice = world.invoiceOf({ paymentHash })
  await world.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice })
  await world.ask(id, { kind: 'fund', by: BUYER, milestone: 0 })
  await world.run('create-hold')
  world.node.buyerPays(paymentHash)
  return id
}

async function finish(id: string) {
  await world.slice.follow()
  await world.runNext(30)
  expect(await world.replayed(id)).toEqual(await world.read(id))
}

test('an order goes its way, its journal replays to its state, and nothing is left to do', async () => {
  const id = await world.reachReleasing()
  expect(await phaseOf(id)).toBe('releasing')
  world.node.payeeAnswers(true)
  await finish(id)
  expect(await world.read(id)).toMatchObject({ phase: 'completed', milestones: [{ phase: 'released' }] })
  expect(world.node.gainMsat()).toBe(GAIN)
  const entries = await world.entriesOf(id)
  expect(entries.map(({ kind, actor }) => `${kind} ${actor.slice(0, 6)}`)).toEqual([
    'escrow.create b1b1b1',
    'escrow.publish b1b1b1',
    'escrow.submit-invoice a2a2a2',
    'escrow.fund b1b1b1',
    'escrow.hold-created node',
    'escrow.hold-seen node',
    'escrow.approve b1b1b1',
    'escrow.payout node',
    'escrow.payout node',
    'escrow.hold-seen node',
  ])
  expect(entries[0]!.data).toMatchObject({ phase: 'draft', height: 1_000 })
  const { rows } = await sql<{ open: boolean }>`
    select look_at is not null as open from escrow where id = ${id}`.execute(database.db)
  expect(rows).toEqual([{ open: false }])
})

test('the fee is known before anything is agreed, and stays what it was whatever the operator takes later', async () => {
  const fundingMsat = PAYOUT_MSAT + FEE_MSAT
  expect(world.slice.quote(PAYOUT_MSAT)).toEqual({ payoutMsat: PAYOUT_MSAT, feeMsat: FEE_MSAT, fundingMsat })
  const id = await world.start()
  const dearer = makeEscrowWorld(database, { fixedMsat: 9_000n, ppm: 500_000n, capMsat: 1_000_000_000n })
  expect(dearer.slice.quote(PAYOUT_MSAT).feeMsat).toBe(25_009_000n)
  await dearer.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice: world.invoiceOf() })
  await dearer.ask(id, { kind: 'fund', by: BUYER, milestone: 0 })
  await world.perform(dearer.take('create-hold'))
  expect(world.node.holds.get(world.paymentHash)!.request.amountMsat).toBe(fundingMsat)
})

describe('whatever is done twice is done once', () => {
  test('each job runs twice, and once more after the end', async () => {
    const id = await world.reachHeld()
    await world.ask(id, approve)
    const job = world.take('pay-out')
    await Promise.all([world.perform(job), world.perform(job)])
    world.node.payeeAnswers(true)
    await finish(id)
    await world.perform(job)
    expect(world.node.payments.size).toBe(1)
    expect(await phaseOf(id)).toBe('released')
  })

  test('the node’s events are heard again from the beginning', async () => {
    const id = await world.reachReleasing()
    world.node.payeeAnswers(true)
    await world.slice.follow()
    const state = await world.read(id)
    await database.queryAsOwner('update escrow_node set event_cursor = 0')
    expect(await world.slice.follow()).toBeGreaterThan(0)
    expect(await world.read(id)).toEqual(state)
    expect(await world.slice.follow()).toBe(0)
  })

  test('an event that cannot be heard keeps the others waiting only for a while', async () => {
    const first = await world.startFunding()
    await world.run('create-hold')
    world.node.buyerPays(world.paymentHash)
    // A row that nobody may change stands for whatever may be wrong with one escrow alone.
    await database.queryAsOwner('alter table escrow disable trigger escrow_change')
    await database.queryAsOwner(`update escrow set state = state - 'milestones' where id = $1`, [first])
    const second = await other()
    for (let time = 0; time < 3; time++) await expect(world.slice.follow()).rejects.toThrow()
    await world.slice.follow()
    expect(await phaseOf(second)).toBe('held')
    await database.queryAsOwner('update escrow set look_at = null, guardian_height = null where id = $1', [
      first,
    ])
    await database.queryAsOwner('alter table escrow enable trigger escrow_change')
  })

  test.each(['create-hold', 'pay-out', 'cancel-hold'])('the answer to %s gets lost', async (task) => {
    const id = task === 'create-hold' ? await world.startFunding() : await world.reachHeld()
    if (task === 'pay-out') await world.ask(id, approve)
    if (task === 'cancel-hold') await world.ask(id, refund)
    world.node.loseAnswers = 1
    await world.run(task)
    if (task === 'pay-out') world.node.payeeAnswers(true)
    await world.runNext(1)
    if (task === 'create-hold') {
      expect((await world.milestoneIn(id, 'awaiting-funds')).fundingInvoice).not.toBeNull()
      return
    }
    await finish(id)
    expect(await phaseOf(id)).toBe(task === 'pay-out' ? 'released' : 'refunded')
    expect(world.node.gainMsat()).toBe(task === 'pay-out' ? GAIN : 0n)
  })

  test('200 ask for release and refund at once: one outcome', async () => {
    const id = await world.reachHeld()
    const asked = await Promise.allSettled(
      Array.from({ length: 200 }, (_, index) => world.tryAsk(id, index % 2 === 0 ? approve : refund)),
    )
    const answers = asked.filter((one) => one.status === 'fulfilled').map(({ value }) => value)
    expect(answers.filter((answer) => !isRefusal(answer))).toHaveLength(1)
    // On a slow machine some do not get a connection in time: those were not asked at all.
    for (const one of asked)
      if (one.status === 'rejected') expect(String(one.reason)).toMatch(/timeout exceeded/)
    const { phase } = await world.milestone(id)
    const isReleasing = phase === 'releasing'
    expect(phase).toBe(isReleasing ? 'releasing' : 'refunding')
    await world.runNext(2)
    world.node.payeeAnswers(true)
    await finish(id)
    expect(await phaseOf(id)).toBe(isReleasing ? 'released' : 'refunded')
    expect(world.node.gainMsat()).toBe(isReleasing ? GAIN : 0n)
  }, 60_000)
})

describe('a payment hash', () => {
  test('is used once, also by two escrows at once, also after its escrow has ended', async () => {
    const ids = await Promise.all([world.start(), world.start(), world.start()])
    const invoice = world.invoiceOf()
    const submit = (id: string) =>
      world.tryAsk(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice })
    const answers = await Promise.all(ids.slice(0, 2).map(submit))
    expect(answers.filter(isRefusal)).toMatchObject([{ refused: 'ESCROW_INVOICE_HASH_USED' }])
    const winner = ids[answers.findIndex((answer) => !isRefusal(answer))]!
    await world.ask(winner, { kind: 'cancel', by: BUYER })
    expect(await submit(ids[2]!)).toMatchObject({ refused: 'ESCROW_INVOICE_HASH_USED' })
    expect(await phaseOf(ids[2]!)).toBe('awaiting-invoice')
  })

  test('of a hold that was never made is finished at the node all the same', async () => {
    const id = await world.startFunding()
    const create = world.take('create-hold')
    await world.ask(id, { kind: 'cancel', by: BUYER })
    await world.run('cancel-hold')
    expect(await phaseOf(id)).toBe('cancelled')
    // The request to make it was only late.
    await world.perform(create)
    world.node.buyerPays(world.paymentHash)
    expect(world.node.holds.get(world.paymentHash)!.state).toEqual({ state: 'cancelled' })
  })

  test('that an ordinary invoice of the operator’s node has is never held, and keeps nobody waiting', async () => {
    const fundingInVain = async () => {
      world = makeEscrowWorld(database)
      world.node.holdInvoices.create = async () => {
        throw new NodeError('conflict', 'An ordinary invoice of this node has this payment hash.')
      }
      return world.startFunding()
    }
    const made = await fundingInVain()
    await world.run('create-hold')
    expect(await phaseOf(made)).toBe('awaiting-invoice')

    const cancelled = await fundingInVain()
    await world.ask(cancelled, { kind: 'cancel', by: BUYER })
    await world.run('cancel-hold')
    expect(await phaseOf(cancelled)).toBe('cancelled')
    expect(await world.replayed(cancelled)).toEqual(await world.read(cancelled))
  })

  test.each([
    ['is no invoice', 'lnbcrt1nonsense', 'INVOICE_INVALID'],
    ['has another amount', undefined, 'ESCROW_INVOICE_AMOUNT_WRONG'],
  ])('an invoice that %s takes no hash', async (_what, text, code) => {
    const id = await world.start()
    const invoice = text ?? world.invoiceOf({ amountMsat: PAYOUT_MSAT + 1n })
    const wish = { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice } as const
    expect(await world.tryAsk(id, wish)).toMatchObject({ refused: code })
    await world.ask(id, { ...wish, invoice: world.invoiceOf() })
  })
})

describe('a node that does not answer', () => {
  test('refuses nothing that is a report, and funding waits for it', async () => {
    const id = await world.startFunding()
    world.node.offline = true
    for (let turn = 0; turn < 5; turn++) await world.run('create-hold')
    expect((await world.milestoneIn(id, 'awaiting-funds')).attempt).toBe(5)
    expect(await world.tryAsk(id, { kind: 'fund', by: BUYER, milestone: 0 })).toMatchObject({
      refused: 'NODE_OFFLINE',
    })
    world.node.offline = false
    await world.run('create-hold')
    expect((await world.milestoneIn(id, 'awaiting-funds')).fundingInvoice).not.toBeNull()
  })

  test('while paying leaves the outcome unknown: neither paid again nor refunded, by nobody', async () => {
    const id = await world.reachReleasing()
    world.node.offline = true
    world.time.now += 61_000
    await world.runNext(6)
    expect(await phaseOf(id)).toBe('payout-unknown')
    for (const wish of [refund, { ...refund, by: 'operator' }, approve]) {
      expect(await world.tryAsk(id, wish)).toMatchObject({ refused: 'ESCROW_WRONG_PHASE' })
    }
    world.node.offline = false
    world.node.height += 1_000
    await world.slice.guard()
    await world.slice.sweep()
    await world.runNext(6)
    expect(world.node.calls.filter((call) => call === 'pay')).toHaveLength(1)
    expect(world.node.calls).not.toContain('cancel')
    world.node.payeeAnswers(true)
    await finish(id)
    expect(await phaseOf(id)).toBe('released')
  })

  test('about a pending payout is asked for days, and the journal tells only what happened', async () => {
    const id = await world.reachReleasing()
    const entries = (await world.entriesOf(id)).length
    const began = world.time.now
    await world.runNext(60)
    expect(world.time.now - began).toBeGreaterThan(10 * 60_000)
    expect((await world.entriesOf(id)).length).toBeLessThanOrEqual(entries + 1)
  })
})

test('a hold of another node is left to that node', async () => {
  const id = await world.reachReleasing()
  await world.slice.reconcile()
  const jobs = world.queue.filter(({ payload }) => payload.id === id)
  const other = makeEscrowWorld(database)
  for (const job of jobs.filter(({ task }) => task !== 'escrow:wake')) await other.perform(job)
  expect(other.node.calls).toEqual([])
  expect(await phaseOf(id)).toBe('releasing')
})

describe('a payout', () => {
  test('that the node failed is tried again under another id, and refunded when time has run out', async () => {
    const id = await world.reachReleasing()
    world.node.payeeAnswers(false)
    await world.slice.follow()
    const waiting = await world.milestoneIn(id, 'releasing')
    expect(waiting.payout).toBeNull()
    world.time.now = waiting.tryAt
    await world.run('wake')
    await world.runNext(1)
    while (world.node.payments.size < 2) await world.runNext(1)
    world.node.payeeAnswers(false)
    await world.slice.follow()
    world.node.height = waiting.schedule.latestPayoutHeight + 1
    expect(await world.slice.guard()).toBe(1)
    await finish(id)
    expect(await world.milestoneIn(id, 'refunded')).toMatchObject({ cause: 'payout-failed' })
    expect(world.node.gainMsat()).toBe(0n)
  })

  test('that is to be tried again is found by the sweeper, also when an old answer was heard twice', async () => {
    const id = await world.reachReleasing()
    world.node.payeeAnswers(false)
    await world.slice.follow()
    const { tryAt } = await world.milestoneIn(id, 'releasing')
    await database.queryAsOwner('update escrow_node set event_cursor = 0')
    await world.slice.follow()
    world.queue.length = 0
    world.time.now = tryAt + 61_000
    await world.slice.sweep()
    expect(await world.milestoneIn(id, 'releasing')).toMatchObject({ tries: 2 })
  })

  test('whose job came too late, or whose hold is gone, is not begun', async () => {
    const late = await world.reachHeld()
    await world.ask(late, approve)
    const { schedule } = await world.milestoneIn(late, 'releasing')
    world.node.height = schedule.latestPayoutHeight + 1
    world.time.now += 1_000
    await world.run('pay-out')
    expect(world.node.calls).not.toContain('pay')

    world = makeEscrowWorld(database)
    const gone = await world.reachHeld()
    await world.ask(gone, approve)
    world.node.holds.get(world.paymentHash)!.state = { state: 'cancelled' }
    await world.run('pay-out')
    expect(world.node.payments.size).toBe(0)
    expect(await world.milestoneIn(gone, 'releasing')).toMatchObject({ hold: 'gone' })
  })

  test('is neither made nor given up while the node does not say what has become of the hold', async () => {
    const id = await world.reachHeld()
    await world.ask(id, approve)
    world.node.holds.get(world.paymentHash)!.state = { state: 'cancelled' }
    const { lookup } = world.node.holdInvoices
    world.node.holdInvoices.lookup = async () => {
      throw new NodeError('offline', 'gone again')
    }
    await world.run('pay-out')
    expect(await world.milestoneIn(id, 'releasing')).toMatchObject({
      hold: 'held',
      payout: { phase: 'sending' },
    })
    world.node.holdInvoices.lookup = lookup
    await finish(id)
    expect(await world.milestoneIn(id, 'refunded')).toMatchObject({ index: 0 })
    expect(world.node.payments.size).toBe(0)
  })

  test('that the node will not make has failed, and one of which it says nothing has not', async () => {
    const id = await world.reachHeld()
    await world.ask(id, approve)
    const { pay } = world.node.payer
    world.node.payer.pay = async () => {
      throw new NodeError('invalid', 'not a payment for this node')
    }
    await world.run('pay-out')
    expect(await world.milestoneIn(id, 'releasing')).toMatchObject({ payout: null, tries: 1 })
    expect(world.node.payments.size).toBe(0)
    world.node.payer.pay = pay
    world.time.now = (await world.milestoneIn(id, 'releasing')).tryAt
    // Jobs of the tests before are not this one's.
    world.queue.length = 0
    await world.slice.reconcile()
    world.queue.splice(0, world.queue.length, ...world.queue.filter(({ payload }) => payload.id === id))
    const job = world.queue.find(({ task, payload }) => task === 'escrow:pay-out' && payload.id === id)!
    world.node.offline = true
    await world.perform(job)
    expect(await world.milestoneIn(id, 'releasing')).toMatchObject({ tries: 2, payout: { phase: 'sending' } })
    world.node.offline = false
    await world.runNext(4)
    world.node.payeeAnswers(true)
    await finish(id)
    expect(world.node.gainMsat()).toBe(GAIN)
  })

  test('whose job has a fault of its own is run again', async () => {
    const id = await world.reachHeld()
    await world.ask(id, approve)
    const job = world.take('pay-out')
    const { pay } = world.node.payer
    world.node.payer.pay = async () => {
      throw new TypeError('a bug')
    }
    await expect(world.perform(job)).rejects.toThrow('a bug')
    world.node.payer.pay = pay
    await world.perform(job)
    expect(world.node.payments.size).toBe(1)
  })

  test.each([
    ['pays for a route what the fee brings', { fixedMsat: 7_000n, ppm: 0n, capMsat: 7_000n }, 7_000n],
    ['without a fee pays for none', { fixedMsat: 0n, ppm: 0n, capMsat: 0n }, 0n],
  ])('of an operator %s', async (_what, policy, maxFeeMsat) => {
    world = makeEscrowWorld(database, policy)
    await world.reachReleasing()
    const [payment] = [...world.node.payments.values()]
    expect(payment!.request).toMatchObject({ amountMsat: PAYOUT_MSAT, maxFeeMsat })
  })

  test('of which the node tells the end is not asked about', async () => {
    world = makeEscrowWorld(database, POLICY, undefined, 10_000)
    const lookups = vi.spyOn(world.node.payer, 'lookup')
    const id = await world.reachHeld()
    await world.ask(id, approve)
    const paying = world.run('pay-out')
    await expect.poll(() => world.node.payments.size).toBe(1)
    world.node.payeeAnswers(true)
    await world.slice.follow()
    await paying
    expect(await world.read(id)).toMatchObject({ milestones: [{ phase: 'released' }] })
    expect(lookups).not.toHaveBeenCalled()
  })

  test('is known to the node before it is asked to pay, and so is the height', async () => {
    const id = await world.reachHeld()
    await world.ask(id, approve)
    const { payee } = await world.milestoneIn(id, 'releasing')
    expect(world.node.expected).toEqual([{ kind: 'bolt11', invoice: payee.invoice }])
    world.node.height += 7
    await world.run('pay-out')
    const [payment] = [...world.node.payments.values()]
    // As it was less than a second before: 400 − 17 (the node's lead) − 36 (safety) − 1.
    expect(payment!.request).toMatchObject({ maxTotalCltvExpiryDelta: 346 })
  })

  test('is capped by what is left of the hold at the moment of paying', async () => {
    const id = await world.reachHeld()
    await world.ask(id, approve)
    world.node.height += 7
    world.time.now += 1_000
    await world.run('pay-out')
    const [payment] = [...world.node.payments.values()]
    // 400 − 17 (the node's lead) − 7 (blocks since) − 36 (safety) − 1.
    expect(payment!.request).toMatchObject({ maxTotalCltvExpiryDelta: 339, maxFeeMsat: 100_000n })
  })
})

describe('what this process has just written', () => {
  /** Statements that read or lock the escrow, and those that write it believing that they know it. */
  async function statementsOf(act: () => Promise<void>): Promise<{ reads: number; believing: number }> {
    const query = vi.spyOn(pg.Client.prototype, 'query') as unknown as Mock
    await act()
    const texts = query.mock.calls.map(([sent]) => String(sent?.text ?? sent))
    query.mockRestore()
    const count = (part: string) => texts.filter((text) => text.includes(part)).length
    return { reads: count('select "state" from "escrow"'), believing: count('is_escrow_as_believed') }
  }

  test('a job that is begun at once does not read, nor does what it reports', async () => {
    const id = await world.startFunding()
    const job = world.take('create-hold')
    expect(await statementsOf(() => world.performAtOnce(job))).toEqual({ reads: 0, believing: 1 })
    expect(await world.milestoneIn(id, 'awaiting-funds')).toMatchObject({
      fundingInvoice: expect.any(String),
    })
    expect(await statementsOf(() => world.perform(job))).toMatchObject({ reads: 2 })
    expect(await world.replayed(id)).toEqual(await world.read(id))
  })

  test('is not believed where it has changed: the hold of a task that was cancelled meanwhile is finished', async () => {
    const id = await world.startFunding()
    const job = world.take('create-hold')
    const { create } = world.node.holdInvoices
    world.node.holdInvoices.create = async (request) => {
      await world.ask(id, { kind: 'cancel', by: BUYER })
      return create(request)
    }
    await world.performAtOnce(job)
    await world.run('cancel-hold')
    expect(await phaseOf(id)).toBe('cancelled')
    expect(world.node.holds.get(world.paymentHash)!.state).toEqual({ state: 'cancelled' })
    expect(await world.replayed(id)).toEqual(await world.read(id))
  })

  test('nor is what was found with an event of the node: money that arrives while its task is cancelled goes back', async () => {
    const id = await world.startFunding()
    await world.run('create-hold')
    world.node.buyerPays(world.paymentHash)
    const { balance } = world.node.funds
    world.node.funds.balance = async () => {
      world.node.funds.balance = balance
      await world.ask(id, { kind: 'cancel', by: BUYER })
      return balance()
    }
    await world.slice.follow()
    expect(await phaseOf(id)).toBe('closing')
    await world.run('cancel-hold')
    expect(await phaseOf(id)).toBe('cancelled')
    expect(world.node.gainMsat()).toBe(0n)
    expect(await world.replayed(id)).toEqual(await world.read(id))
  })

  test('and that somebody else has locked is waited for', async () => {
    const id = await world.startFunding()
    const other = await database.pool.connect()
    try {
      await other.query('begin')
      await other.query('select from escrow where id = $1 for update', [id])
      const heard = world.performAtOnce(world.take('create-hold'))
      await expect.poll(() => world.node.holds.size).toBe(1)
      await other.query('commit')
      await heard
    } finally {
      other.release()
    }
    expect(await world.milestoneIn(id, 'awaiting-funds')).toMatchObject({
      fundingInvoice: expect.any(String),
    })
  })
})

describe('the guardian', () => {
  test('of two instances ends a hold once', async () => {
    const id = await world.reachHeld()
    const { schedule } = await world.milestoneIn(id, 'held')
    world.node.height = schedule.guardianHeight
    await Promise.all([world.slice.guard(), world.slice.guard()])
    await finish(id)
    expect(await world.milestoneIn(id, 'refunded')).toMatchObject({ cause: 'not-approved' })
    expect(world.node.calls.filter((call) => call === 'cancel')).toHaveLength(1)
    expect(await world.slice.guard()).toBe(0)
  })

  test('finds a released proof when its wake was lost', async () => {
    const id = await world.reachHeld()
    await world.ask(id, { kind: 'submit-proof', by: WORKER, milestone: 0, text: 'sent', digest: null })
    world.queue.length = 0
    world.time.now += 3 * HOUR_MS
    expect(await world.slice.sweep()).toBeGreaterThan(0)
    expect(await phaseOf(id)).toBe('releasing')
  })

  test('at boot looks at all that has not ended, and pays nothing that may be on its way', async () => {
    const id = await world.reachReleasing()
    world.queue.length = 0
    expect(await world.slice.reconcile()).toBeGreaterThan(0)
    expect(world.queue.map(({ task, payload }) => [task, payload.id])).toContainEqual([
      'escrow:look-up-payout',
      id,
    ])
    expect(world.queue.filter(({ payload, task }) => payload.id === id && task === 'escrow:pay-out')).toEqual(
      [],
    )
  })
})

describe('a preimage that came out', () => {
  const report = (id: string, preimage = world.preimage) =>
    world.slice.reportPreimage({ id, milestone: 0, preimage })

  test('is claimed with, owed back, and stays nowhere', async () => {
    const id = await world.reachHeld()
    expect(await report(id)).toMatchObject({ milestones: [{ phase: 'premature' }] })
    const invoice = world.invoiceOf({ paymentHash: 'ab'.repeat(32), amountMsat: PAYOUT_MSAT + FEE_MSAT })
    await world.ask(id, { kind: 'submit-refund-invoice', by: BUYER, milestone: 0, invoice })
    await world.run('repay')
    world.node.payeeAnswers(true)
    await finish(id)
    expect(await phaseOf(id)).toBe('repaid')
    const kept = await database.queryAsOwner(
      "select (select string_agg(data::text, '') from journal) || (select string_agg(state::text, '') from escrow) as text",
    )
    expect(String(kept[0]!.text)).not.toContain(world.preimage)
  })

  test('is refused when it is wrong, not needed, or the node is away', async () => {
    const id = await world.startFunding()
    expect(await report(id)).toMatchObject({ refused: 'ESCROW_WRONG_PHASE' })
    expect(await report('00000000-0000-4000-8000-000000000000')).toMatchObject({
      refused: 'ESCROW_NOT_FOUND',
    })
    await world.run('create-hold')
    world.node.buyerPays(world.paymentHash)
    await world.slice.follow()
    expect(await report(id, 'ab'.repeat(32))).toMatchObject({ refused: 'ESCROW_PREIMAGE_WRONG' })
    expect(await report(id, 'nonsense')).toMatchObject({ refused: 'ESCROW_PREIMAGE_WRONG' })
    world.node.offline = true
    expect(await report(id)).toMatchObject({ refused: 'NODE_OFFLINE' })
    world.node.offline = false
    world.node.holds.get(world.paymentHash)!.state = { state: 'cancelled' }
    expect(await report(id)).toMatchObject({ milestones: [{ phase: 'refunded' }] })
  })
})

describe('the database guards, too', () => {
  const change = (id: string, what: string) =>
    database.queryAsOwner(`update escrow set state = ${what} where id = $1`, [id])

  test.each([
    ['a jump', "jsonb_set(state, '{milestones,0,phase}', '\"released\"')"],
    ['another payout', "jsonb_set(state, '{milestones,0,terms,payoutMsat}', '\"1\"')"],
    ['another hold', `jsonb_set(state, '{milestones,0,paymentHash}', '"${'00'.repeat(32)}"')`],
    ['another amount held', "jsonb_set(state, '{milestones,0,heldMsat}', '\"1\"')"],
    ['no milestone', "jsonb_set(state, '{milestones}', '[]')"],
    ['another node', `jsonb_set(state, '{nodeId}', '"02${'00'.repeat(32)}"')`],
    ['a preimage', `jsonb_set(state, '{milestones,0,preimage}', '"00"')`],
    ['another buyer', `jsonb_set(state, '{buyer}', '"${ARBITER}"')`],
  ])('against %s', async (_what, sqlText) => {
    const id = await world.reachHeld()
    await expect(change(id, sqlText)).rejects.toMatchObject({ code: '23514' })
  })

  test('and a hash is never free again', async () => {
    await world.reachHeld()
    await expect(database.queryAsOwner('delete from escrow_hash')).rejects.toMatchObject({ code: '23514' })
  })
})

test('an escrow that does not exist is not found, and a report about it is heard by nobody', async () => {
  const nobody = '00000000-0000-4000-8000-000000000000'
  expect(await world.tryAsk(nobody, approve)).toMatchObject({ refused: 'ESCROW_NOT_FOUND' })
  expect(await world.slice.find(nobody)).toBeNull()
  for (const task of Object.keys(world.slice.tasks)) {
    await world.perform({ task, payload: { id: nobody, milestone: 0, attempt: 0, try: 1, asked: 0 } })
  }
})
