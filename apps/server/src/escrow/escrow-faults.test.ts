import { setTimeout } from 'node:timers/promises'
import { isRefusal } from '@holdfast/core'
import type { Phase } from '@holdfast/core/escrow/milestone-states'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { auditEntity } from '../platform/journal/audit-entity.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { ESCROW_REPLAY } from './replay-escrow.ts'
import {
  BUYER,
  type EscrowWorld,
  FEE_MSAT,
  HOUR_MS,
  makeEscrowWorld,
  PAYOUT_MSAT,
  WORKER,
} from './testing/escrow-world.ts'

const database = withDatabase()
let world: EscrowWorld

beforeEach(() => {
  world = makeEscrowWorld(database)
})

const phaseOf = async (id: string): Promise<Phase> => (await world.milestone(id)).phase
const approve = { kind: 'approve', by: BUYER, milestone: 0 } as const
const submit = (invoice: string) => ({ kind: 'submit-invoice', by: WORKER, milestone: 0, invoice }) as const

/** Sweeping looks at the escrows of other tests, too. */
async function finishHash(id: string): Promise<void> {
  const job = world.queue.find(({ task, payload }) => task === 'escrow:cancel-hold' && payload.id === id)
  await world.perform(job!)
}

describe('PostgreSQL goes away', () => {
  const { query } = pg.Client.prototype
  type Query = (this: pg.Client, ...args: unknown[]) => Promise<unknown>
  type Cut = { readonly at: number; readonly when: 'before' | 'after' }
  let said: string[] = []

  /** Counts the statements from now on; the connection breaks before that one arrives, or before its answer does. */
  function watchStatements(cut?: Cut): void {
    said = []
    const watching: Query = async function (...args) {
      const [first] = args
      const text = typeof first === 'string' ? first : (first as { text: string }).text
      const answering = () => (query as unknown as Query).apply(this, args)
      // A pool itself is asked only by what tells others of a commit, now and then: that has tests of its own.
      if (typeof args.at(-1) === 'function') return answering()
      said.push(text)
      const isCut = said.length - 1 === cut?.at
      const { stream } = (this as unknown as { connection: { stream: { destroy(): void } } }).connection
      if (isCut && cut.when === 'before') stream.destroy()
      const answer = await answering()
      if (!isCut || cut.when === 'before') return answer
      stream.destroy()
      throw new Error('the connection broke before the answer came')
    }
    pg.Client.prototype.query = watching as unknown as typeof query
  }

  afterEach(() => {
    pg.Client.prototype.query = query
  })

  const outlive = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch {
      // The pool hears a little later that its connection is gone. What was asked is asked again; what was to be done is
      // found by the sweeper.
      await setTimeout(10)
      return work()
    }
  }

  /** From the worker's invoice to the end, by a client and a worker that try twice. */
  async function live(id: string): Promise<void> {
    const ask = (wish: Parameters<EscrowWorld['tryAsk']>[1]) => outlive(() => world.tryAsk(id, wish))
    await ask(submit(world.invoiceOf()))
    await ask({ kind: 'fund', by: BUYER, milestone: 0 })
    let hasApproved = false
    for (let turn = 0; turn < 40; turn++) {
      for (const job of world.queue.splice(0)) await outlive(() => world.perform(job))
      world.node.buyerPays(world.paymentHash)
      await outlive(() => world.slice.follow())
      if (!hasApproved && world.node.happened.length > 0) {
        await ask(approve)
        hasApproved = true
      }
      world.node.payeeAnswers(true)
      if ((await outlive(() => phaseOf(id))) === 'released') return
      world.time.now += 61_000
      await outlive(() => world.slice.sweep())
    }
    throw new Error(`no end: ${await phaseOf(id)}`)
  }

  async function liveWith(cut?: Cut): Promise<string[]> {
    world = makeEscrowWorld(database)
    const id = await world.start()
    watchStatements(cut)
    await live(id)
    pg.Client.prototype.query = query
    expect(await phaseOf(id)).toBe('released')
    expect(world.node.gainMsat()).toBe(FEE_MSAT - 5n)
    expect(world.node.payments.size).toBe(1)
    expect(await auditEntity(database, { stream: 'escrow', id }, ESCROW_REPLAY)).toMatchObject({
      verdict: 'intact',
    })
    return said
  }

  test('at the first or last of each statement of an escrow, or with the answer to any COMMIT: all of it is done, once', async () => {
    const statements = await liveWith()
    expect(statements.length).toBeGreaterThan(30)
    for (const [at, statement] of statements.entries()) {
      const isFirst = statements.indexOf(statement) === at
      const isLast = statements.lastIndexOf(statement) === at
      if (isFirst || isLast) await liveWith({ at, when: 'before' })
      if (/^commit/i.test(statement)) await liveWith({ at, when: 'after' })
    }
  }, 300_000)
})

describe('the buyer pays', () => {
  test('just after the invoice has run out: it is held; a minute later: refused at once, for ever', async () => {
    const late = await world.startFunding()
    await world.run('create-hold')
    world.time.now = (await world.milestoneIn(late, 'awaiting-funds')).fundBy + 59_000
    await world.slice.sweep()
    world.node.buyerPays(world.paymentHash)
    await world.slice.follow()
    expect(await phaseOf(late)).toBe('held')

    world = makeEscrowWorld(database)
    const tooLate = await world.startFunding()
    await world.run('create-hold')
    world.time.now = (await world.milestoneIn(tooLate, 'awaiting-funds')).fundBy + 61_000
    await world.slice.sweep()
    await finishHash(tooLate)
    world.node.buyerPays(world.paymentHash)
    await world.slice.follow()
    expect(world.node.holds.get(world.paymentHash)!.state).toEqual({ state: 'cancelled' })
    expect(await phaseOf(tooLate)).toBe('awaiting-invoice')
  })

  test('in the moment in which the hash is being finished: the node says who was first', async () => {
    const id = await world.startFunding()
    await world.run('create-hold')
    await world.ask(id, { kind: 'cancel', by: BUYER })
    world.node.buyerPays(world.paymentHash)
    await world.slice.follow()
    await world.run('cancel-hold')
    expect(await phaseOf(id)).toBe('cancelled')
    expect(world.node.gainMsat()).toBe(0n)
  })

  test.each([
    ['a millisatoshi short', PAYOUT_MSAT + FEE_MSAT - 1n, 'refunding'],
    ['twice the amount', 2n * (PAYOUT_MSAT + FEE_MSAT), 'held'],
    ['a millisatoshi over that', 2n * (PAYOUT_MSAT + FEE_MSAT) + 1n, 'refunding'],
  ])('%s', async (_what, amountMsat, phase) => {
    const id = await world.startFunding()
    await world.run('create-hold')
    world.node.buyerPays(world.paymentHash, amountMsat)
    await world.slice.follow()
    expect(await phaseOf(id)).toBe(phase)
  })

  test('only a part, which never becomes whole: nothing is held, and the hash is finished when the hour is over', async () => {
    const id = await world.startFunding()
    await world.run('create-hold')
    // A node does not say `held` before all parts are there; it fails the parts back by itself (BOLT 4, `mpp_timeout`).
    await world.slice.follow()
    expect(await world.tryAsk(id, approve)).toMatchObject({ refused: 'ESCROW_WRONG_PHASE' })
    world.time.now += HOUR_MS + 61_000
    await world.slice.sweep()
    await finishHash(id)
    expect(await phaseOf(id)).toBe('awaiting-invoice')
  })
})

test('one invoice for two tasks at once, twenty times: one takes the hash', async () => {
  for (let round = 0; round < 20; round++) {
    const ids = await Promise.all([world.start(), world.start()])
    const wish = submit(world.invoiceOf({ paymentHash: round.toString(16).padStart(64, 'c') }))
    const answers = await Promise.all(ids.map((id) => world.tryAsk(id, wish)))
    expect(answers.filter(isRefusal)).toMatchObject([{ refused: 'ESCROW_INVOICE_HASH_USED' }])
  }
})

test('release and refund by different processes at once: one outcome', async () => {
  const other = makeEscrowWorld(database)
  for (let round = 0; round < 5; round++) {
    world = makeEscrowWorld(database)
    const id = await world.reachHeld()
    const answers = await Promise.all([
      world.tryAsk(id, approve),
      other.tryAsk(id, { kind: 'refund', by: WORKER, milestone: 0 }),
    ])
    expect(answers.filter(isRefusal)).toHaveLength(1)
  }
})

describe('the clock jumps', () => {
  test.each([
    ['back by a day', -24 * HOUR_MS],
    ['ahead by a minute', 60_000],
  ])('%s while money is held: nothing ends by it', async (_what, ms) => {
    const id = await world.reachHeld()
    world.time.now += ms
    await world.slice.guard()
    await world.slice.sweep()
    await world.slice.reconcile()
    expect(await phaseOf(id)).toBe('held')
    await world.ask(id, approve)
    await world.run('pay-out')
    world.node.payeeAnswers(true)
    await world.slice.follow()
    await world.runNext(10)
    expect(await phaseOf(id)).toBe('released')
    expect(await world.replayed(id)).toEqual(await world.read(id))
  })

  test('ahead by a week while a payout is on its way: it is asked about, neither paid again nor refunded', async () => {
    const id = await world.reachReleasing()
    world.time.now += 7 * 24 * HOUR_MS
    await world.slice.sweep()
    await world.runNext(10)
    expect(world.node.calls.filter((call) => call === 'pay' || call === 'cancel')).toEqual(['pay'])
    world.node.payeeAnswers(true)
    await world.slice.follow()
    expect(await phaseOf(id)).toBe('released')
  })
})
