import { hasEnded } from '@holdfast/core/escrow/milestone-facts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import type { EscrowWish } from './escrow-slice.ts'
import {
  ARBITER,
  BUYER,
  type EscrowWorld,
  FEE_MSAT,
  HOUR_MS,
  makeEscrowWorld,
  WORKER,
} from './testing/escrow-world.ts'

const database = withDatabase()

type Move = (world: EscrowWorld, id: string) => Promise<unknown>
const wishes: EscrowWish[] = [
  { kind: 'fund', by: BUYER, milestone: 0 },
  { kind: 'submit-proof', by: WORKER, milestone: 0, text: 'done', digest: null },
  { kind: 'approve', by: BUYER, milestone: 0 },
  { kind: 'request-revision', by: BUYER, milestone: 0, reason: 'no' },
  { kind: 'open-dispute', by: WORKER, milestone: 0, reason: 'yes' },
  { kind: 'resolve-dispute', by: ARBITER, milestone: 0, to: 'release' },
  { kind: 'resolve-dispute', by: ARBITER, milestone: 0, to: 'refund' },
  { kind: 'refund', by: WORKER, milestone: 0 },
  { kind: 'cancel', by: BUYER },
]

/** The first job that is due runs; its worker dies before (`never`) or after it has reached the node, or goes on. */
const work =
  (fate: 'done' | 'crash' | 'answer-lost' | 'offline' | 'twice'): Move =>
  async (world) => {
    const job = world.queue.shift()
    if (!job) return
    if (fate === 'crash') world.queue.push(job)
    if (fate === 'answer-lost') world.node.loseAnswers = 1
    if (fate === 'offline') world.node.offline = true
    await world.perform(job)
    if (fate === 'twice') await world.perform(job)
    world.node.loseAnswers = 0
    world.node.offline = false
  }

const submit: Move = (world, id) =>
  world.tryAsk(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice: world.invoiceOf() })

const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('done', 'done', 'crash', 'answer-lost', 'offline', 'twice').map(work),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(...wishes).map(
      (wish): Move =>
        (world, id) =>
          world.tryAsk(id, wish),
    ),
  },
  {
    weight: 10,
    arbitrary: fc.constantFrom<Move>(
      submit,
      async (world) => world.node.buyerPays(world.paymentHash),
      async (world) => world.node.payeeAnswers(true),
      async (world) => world.node.payeeAnswers(false),
      (world) => world.slice.follow(),
      (world) => world.slice.guard(),
      (world) => world.slice.sweep(),
      (world, id) => world.slice.reportPreimage({ id, milestone: 0, preimage: world.preimage }),
      async (world) => pass(world, 61_000),
      async (world) => pass(world, 7 * HOUR_MS),
    ),
  },
)

/** A payout never outlives its CLTV cap, and a hold never its deadline. */
function pass(world: EscrowWorld, ms: number): void {
  world.time.now += ms
  world.node.height += Math.floor(ms / 600_000)
  for (const { outcome, request } of world.node.payments.values()) {
    if (outcome.state === 'pending' && (request.maxTotalCltvExpiryDelta ?? 9_999) < 400) {
      if (ms > HOUR_MS) world.node.payeeAnswers(ms % 2 === 1)
    }
  }
}

async function settle(world: EscrowWorld, id: string): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    await world.slice.follow()
    for (let job = 0; job < 3; job++) await work('done')(world, id)
    const milestone = await world.milestone(id)
    if (hasEnded(milestone) && world.queue.length === 0) return
    if (turn % 3 === 0) world.node.payeeAnswers(turn % 2 === 0)
    if (milestone.phase === 'premature') {
      const paymentHash = turn.toString(16).padStart(64, world.paymentHash)
      const invoice = world.invoiceOf({ paymentHash, amountMsat: milestone.owedMsat })
      await world.tryAsk(id, { kind: 'submit-refund-invoice', by: BUYER, milestone: 0, invoice })
    }
    pass(world, turn % 4 === 0 ? 5 * HOUR_MS : 30_000)
    if (turn % 2 === 0) continue
    await world.slice.guard()
    await world.slice.sweep()
  }
  throw new Error(`no end: ${(await world.milestone(id)).phase}`)
}

const BEGINNINGS = ['start', 'startFunding', 'reachHeld', 'reachReleasing'] as const

test('whatever happens, in the tables as at the node: the phase is where the money is, and the journal tells how', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...BEGINNINGS),
      fc.array(moves, { maxLength: 25 }),
      async (begin, story) => {
        const world = makeEscrowWorld(database)
        const id = await world[begin]()
        for (const go of story) await go(world, id)
        await settle(world, id)
        const { phase } = await world.milestone(id)
        const workerWasPaid = [...world.node.payments.values()].some(
          ({ outcome, paymentHash }) => outcome.state === 'succeeded' && paymentHash === world.paymentHash,
        )
        expect({ phase, workerWasPaid }).toEqual({ phase, workerWasPaid: phase === 'released' })
        const hold = world.node.holds.get(world.paymentHash)?.state.state ?? 'absent'
        const mayBe = {
          released: ['settled'],
          repaid: ['settled'],
          refunded: ['cancelled'],
          expired: ['cancelled', 'absent'],
          cancelled: ['cancelled', 'absent'],
        }
        expect(Object.keys(mayBe)).toContain(phase)
        expect(mayBe[phase as keyof typeof mayBe]).toContain(hold)
        const gain = world.node.gainMsat()
        expect({ phase, gain }).toEqual({
          phase,
          gain: { released: FEE_MSAT - 5n, repaid: -5n }[phase as string] ?? 0n,
        })
        expect(await world.replayed(id)).toEqual(await world.read(id))
      },
    ),
    { numRuns: 12 },
  )
}, 300_000)
