import { createHash, randomBytes } from 'node:crypto'
import type { LdkWorld } from '@holdfast/devnet/nodes/ldk-world'
import type { HoldState } from '@holdfast/lightning'
import type { LdkNode } from '@holdfast/lightning/ldk'
import { describe, expect, test } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import {
  BUYER,
  FEE_MSAT,
  FUNDING_MSAT,
  HOUR_MS,
  type NodesStory,
  PAYOUT_MSAT,
  type StartWorld,
  tellOnNodes,
  WORKER,
} from './nodes-story.ts'

/** As short as a hold can be, because every block is a commit of every node. */
const SHORT = { workMs: HOUR_MS / 2, objectionMs: HOUR_MS / 6, holdBlocks: 230 }
/** Hundreds of blocks on a busy machine. */
const MANY_BLOCKS_MS = 240_000
/** What transactions cost at most here, for all of a node's closed channels. */
const MOST_CHAIN_FEES_SAT = 10_000n

const approve = (milestone: number) => ({ kind: 'approve', by: BUYER, milestone }) as const
const refund = (milestone: number) => ({ kind: 'refund', by: WORKER, milestone }) as const

async function undoSixBlocks({ rpc, height }: LdkWorld): Promise<void> {
  await rpc.call('invalidateblock', [await rpc.call('getblockhash', [(await height()) - 5])])
}

/** Asks again after every block. */
function whileMining<T>(world: LdkWorld, ask: () => Promise<T>) {
  const mineAndAsk = async () => {
    await world.mine(1)
    return ask()
  }
  return expect.poll(mineAndAsk, { timeout: MANY_BLOCKS_MS / 3, interval: 1 })
}

/** The buyer’s node is away when the operator claims: that goes its way all the same, and the milestone says so. */
async function releaseInSilence(story: NodesStory) {
  const id = await story.order(1, SHORT)
  const { held, buyersPayment } = await story.fund(id)
  const said = await story.world.hub.holdInvoices.lookup(held.paymentHash)
  await story.world.payer.stop()
  await story.ask(id, approve(0))
  await story.reach(id, 'released')
  const { claimDeadlineHeight } = said as Extract<HoldState, { state: 'held' }>
  return { id, held, buyersPayment, claimDeadlineHeight }
}

/** What becomes of escrows when the chain has to decide: channels closed by force, a node that is away, undone blocks. */
export function describeEscrowsOnChain(startWorld: StartWorld): void {
  describe('when the buyer’s node closes its channel by force while two holds are in it', () => {
    const database = withDatabase()
    const story = tellOnNodes(database, startWorld)

    test(
      'the released one is claimed on the chain and swept, through a reorganisation of six blocks; the refunded one goes back to the buyer at its expiry',
      async () => {
        const { world, slice } = story
        const fortuneSat = async () => {
          const { lightningMsat, onchainSat, claimableSat } = await world.hub.funds.balance()
          return lightningMsat / 1000n + onchainSat + claimableSat
        }
        const before = await fortuneSat()
        const id = await story.order(2, SHORT)
        const first = await story.fund(id, 0)
        const second = await story.fund(id, 1)
        const [channel] = await world.payer.listChannels()
        await world.payer.closeChannel(channel!.channelId, { force: true })
        await world.mine(1)
        const alone = async () => (await world.hub.listChannels()).length
        await expect.poll(alone).toBe(1)

        await story.ask(id, approve(0))
        const claiming = await story.reach(id, 'claiming', 0)
        expect(claiming).toMatchObject({ paidMsat: PAYOUT_MSAT, heldMsat: FUNDING_MSAT })
        await whileMining(world, async () => (await first.buyersPayment())?.state).toBe('succeeded')
        // The worker is paid and the claim is in a block, which is undone with those around it.
        await world.mine(4)
        await undoSixBlocks(world)
        await world.mine(6)
        expect(await story.phaseOf(id, 0)).toBe('claiming')
        await whileMining(world, () => story.phaseOf(id, 0)).toBe('released')

        await story.ask(id, refund(1))
        expect(await story.reach(id, 'refunded', 1)).toMatchObject({ cause: 'by-worker' })
        expect(await second.buyersPayment()).toMatchObject({ state: 'pending' })
        await world.mine(SHORT.holdBlocks)
        await whileMining(world, async () => (await second.buyersPayment())?.state).toBe('failed')

        await whileMining(world, async () => (await world.hub.funds.balance()).claimableSat).toBe(0n)
        const gained = (await fortuneSat()) - before
        expect(gained).toBeLessThanOrEqual(FEE_MSAT / 1000n)
        expect(gained).toBeGreaterThan(FEE_MSAT / 1000n - MOST_CHAIN_FEES_SAT)
        expect((await slice.find(id))!.phase).toBe('completed')
        expect(await story.replayed(id)).toEqual(await slice.find(id))
      },
      MANY_BLOCKS_MS,
    )
  })

  describe('when the worker’s node closes its channel by force while two payouts are on their way', () => {
    const database = withDatabase()
    const story = tellOnNodes(database, startWorld)

    test(
      'the one that is taken on the chain brings the preimage, and the other comes back before its hold is refunded',
      async () => {
        const { world, slice } = story
        const secrets = [randomBytes(32), randomBytes(32)]
        const hashes = secrets.map((secret) => createHash('sha256').update(secret).digest('hex'))
        const id = await story.order(2, SHORT)
        const buyers = [
          await story.fund(id, 0, () => story.hesitantInvoice(hashes[0]!)),
          await story.fund(id, 1, () => story.hesitantInvoice(hashes[1]!)),
        ]
        for (const milestone of [0, 1]) {
          await story.ask(id, approve(milestone))
          const arrived = async () => (await world.payee.holdInvoices.lookup(hashes[milestone]!))?.state
          await expect.poll(arrived).toBe('held')
        }
        const [channel] = await world.payee.listChannels()
        await world.payee.closeChannel(channel!.channelId, { force: true })
        await world.mine(1)
        await world.payee.holdInvoices.settle(hashes[0]!, secrets[0]!.toString('hex'))
        await whileMining(world, () => story.phaseOf(id, 0)).toBe('released')
        expect(await buyers[0]!.buyersPayment()).toMatchObject({ state: 'succeeded' })

        // Whether the worker takes the second one is open until its HTLC has run out, and nothing is refunded before.
        expect(['releasing', 'payout-unknown']).toContain(await story.phaseOf(id, 1))
        expect(await buyers[1]!.buyersPayment()).toMatchObject({ state: 'pending' })
        const latest = (await slice.find(id))!.milestones[1]!
        const { deadlineHeight } = (latest as { schedule: { deadlineHeight: number } }).schedule
        await whileMining(world, async () => {
          await slice.guard()
          return story.phaseOf(id, 1)
        }).toBe('refunded')
        expect(await world.height()).toBeLessThan(deadlineHeight)
        await expect.poll(buyers[1]!.buyersPayment).toMatchObject({ state: 'failed' })
        expect(await story.replayed(id)).toEqual(await slice.find(id))
      },
      MANY_BLOCKS_MS,
    )
  })

  describe('when the buyer’s node does not answer from the release on', () => {
    const database = withDatabase()
    const story = tellOnNodes(database, startWorld)
    const mineFor = async (nodes: readonly LdkNode[], blocks = 1) => {
      const { rpc } = story.world
      await rpc.generateToAddress(blocks, await rpc.getNewAddress())
      await Promise.all(nodes.map((node) => node.sync()))
    }
    const openClaims = async (id: string) => {
      await story.slice.guard()
      await story.slice.followClaims()
      const row = database.db.selectFrom('escrow').select('open_claims').where('id', '=', id)
      return (await row.executeTakeFirstOrThrow()).open_claims
    }

    test(
      'a claim that the chain takes in time is final under seven blocks, and what was released stays so',
      async () => {
        const { world, slice } = story
        const { id, held, claimDeadlineHeight } = await releaseInSilence(story)
        const entries = await story.entriesOf(id)
        expect(await openClaims(id)).toEqual([held.paymentHash])
        const { hub, payee } = world
        await mineFor([hub, payee], claimDeadlineHeight - (await world.height()))
        expect(await openClaims(id)).toEqual([held.paymentHash])
        const ask = async () => {
          await mineFor([hub, payee])
          return openClaims(id)
        }
        await expect.poll(ask, { timeout: MANY_BLOCKS_MS / 3, interval: 1 }).toEqual([])
        expect(await story.phaseOf(id)).toBe('released')
        expect(await story.entriesOf(id)).toEqual(entries)
        expect(await story.replayed(id)).toEqual(await slice.find(id))
      },
      MANY_BLOCKS_MS,
    )
  })

  describe('when the buyer’s node comes back only after the HTLC of a release has run out, and finds it unclaimed', () => {
    const database = withDatabase()
    const story = tellOnNodes(database, startWorld)

    test(
      'it takes the money back, and state and journal say that the operator has lost it',
      async () => {
        const { world, slice } = story
        const { id, buyersPayment, claimDeadlineHeight } = await releaseInSilence(story)
        await world.hub.stop()
        const { rpc } = world
        await rpc.generateToAddress(
          claimDeadlineHeight - (await world.height()) + 25,
          await rpc.getNewAddress(),
        )
        const payer = await world.open('payer')
        const takenBack = async () => {
          await rpc.generateToAddress(1, await rpc.getNewAddress())
          await payer.sync()
          return (await buyersPayment())?.state
        }
        await expect.poll(takenBack, { timeout: MANY_BLOCKS_MS / 3, interval: 1 }).toBe('failed')
        expect(await story.phaseOf(id)).toBe('released')
        await world.open('hub')
        const lost = await story.reach(id, 'lost')
        expect(lost).toMatchObject({ paidMsat: PAYOUT_MSAT, heldMsat: FUNDING_MSAT })
        expect((await story.entriesOf(id)).at(-1)).toMatchObject({ kind: 'escrow.hold-seen', actor: 'node' })
        expect((await slice.find(id))!.phase).toBe('completed')
        expect(await story.replayed(id)).toEqual(await slice.find(id))
      },
      MANY_BLOCKS_MS,
    )
  })

  describe('when the operator’s node is away', () => {
    const database = withDatabase()
    const story = tellOnNodes(database, startWorld)
    const mineWithoutHub = async (blocks: number) => {
      const { rpc, payer, payee } = story.world
      await rpc.generateToAddress(blocks, await rpc.getNewAddress())
      await Promise.all([payer.sync(), payee.sync()])
    }

    test(
      'for hours, a hold stays what it was; six blocks less are no reason to end it',
      async () => {
        const { world, slice } = story
        const id = await story.order(1, SHORT)
        const { held, buyersPayment } = await story.fund(id)
        await world.hub.stop()
        await mineWithoutHub(held.schedule.guardianHeight - (await world.height()) - 1)
        await expect(slice.guard()).rejects.toThrow()
        await world.open('hub')
        await world.usable()
        expect(await slice.guard()).toBe(0)
        await undoSixBlocks(world)
        await world.mine(6)
        expect(await slice.guard()).toBe(0)
        expect(await story.phaseOf(id)).toBe('held')
        await story.ask(id, approve(0))
        await story.reach(id, 'released')
        await expect.poll(buyersPayment).toMatchObject({ state: 'succeeded' })
      },
      MANY_BLOCKS_MS,
    )

    test(
      'beyond the deadline, the buyer has taken the money back on the chain, and the milestone says so',
      async () => {
        const { world, slice } = story
        const id = await story.order(1, SHORT)
        const { held, buyersPayment } = await story.fund(id)
        const { onchainSat } = await world.hub.funds.balance()
        // Senders add blocks of their own: the HTLC may run out long after what the terms promise.
        const said = await world.hub.holdInvoices.lookup(held.paymentHash)
        const { claimDeadlineHeight } = said as Extract<HoldState, { state: 'held' }>
        await world.hub.stop()
        await mineWithoutHub(claimDeadlineHeight - (await world.height()) + 40)
        await world.open('hub')
        await world.mine(1)
        await slice.reconcile()
        // Whoever looks first says why: the guardian, who is too late, or the node.
        const { cause } = await story.reach(id, 'refunded')
        expect(['not-approved', 'hold-ended']).toContain(cause)
        await whileMining(world, async () => (await buyersPayment())?.state).toBe('failed')
        const swept = async () => (await world.hub.funds.balance()).onchainSat - onchainSat
        await whileMining(world, swept).toBeGreaterThan(0n)
        expect(await story.replayed(id)).toEqual(await slice.find(id))
      },
      MANY_BLOCKS_MS,
    )
  })
}
