import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  bolt11,
  eventOn,
  eventually,
  freshSecret,
  isTrue,
  outcomeOf,
  payRequest,
} from '@holdfast/lightning/contract/contract-world'
import { heldState } from '@holdfast/lightning/contract/hold-invoices.contract'
import type { LdkNode } from '@holdfast/lightning/ldk'
import { startInProcess } from '@holdfast/lightning/ldk/testing/in-process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { type LdkWorld, makeLdkWorld } from './ldk-world.ts'

const AMOUNT_MSAT = 50_000_000n
/** Hundreds of blocks, each a commit of each node, on a busy machine. */
const MANY_BLOCKS_MS = 120_000

const settled = (isFinal: boolean) => ({ state: 'settled', amountMsat: AMOUNT_MSAT, isFinal })

/** A hold that the payee settles while its only peer does not answer. Each of these tests may cost the channel. */
function tellOfSilence() {
  let world: LdkWorld
  beforeAll(async () => {
    world = await makeLdkWorld({ startLink: startInProcess, startChain: (folder) => startChain({ folder }) })
  })
  afterAll(() => world.stop())

  return {
    get world() {
      return world
    },

    /** The payee is killed as soon as it has said that the hold is settled. */
    async settleAndDie() {
      const { payer, hub, payee, folder } = world
      const { paymentHash, preimage } = freshSecret()
      const { invoice } = await payee.holdInvoices.create({
        ...{ paymentHash, amountMsat: AMOUNT_MSAT, description: 'x', expirySeconds: 600 },
        minFinalCltvExpiryDelta: 40,
      })
      const request = payRequest(bolt11(invoice), AMOUNT_MSAT, { maxFeeMsat: 100_000n })
      await payer.payer.pay(request)
      const { claimDeadlineHeight } = await heldState({ payee }, paymentHash)
      await hub.stop()
      await payee.holdInvoices.settle(paymentHash, preimage)
      await eventOn(payee, paymentHash, 'hold-settled')
      expect(await payee.holdInvoices.lookup(paymentHash)).toEqual(settled(false))
      // What a kill -9 at this moment would leave: no order to stop is heard any more.
      cpSync(join(folder, 'payee'), join(folder, 'killed'), { recursive: true })
      await payee.stop()
      rmSync(join(folder, 'payee'), { recursive: true })
      cpSync(join(folder, 'killed'), join(folder, 'payee'), { recursive: true })
      return { paymentId: request.paymentId, paymentHash, claimDeadlineHeight }
    },

    said: (paymentHash: string) => world.payee.holdInvoices.lookup(paymentHash),

    /** Nodes that are away do not hear of it. */
    async mineFor(nodes: readonly LdkNode[], blocks = 1): Promise<void> {
      const { rpc } = world
      await rpc.generateToAddress(blocks, await rpc.getNewAddress())
      await Promise.all(nodes.map((node) => node.sync()))
    },
  }
}

describe('a hold that is settled while the peer does not answer', () => {
  const story = tellOfSilence()

  test('is claimed over the channel when the peer is back, though nobody says the preimage again', async () => {
    const { payer, open, usable } = story.world
    const before = (await story.world.payee.funds.balance()).lightningMsat
    const { paymentId, paymentHash } = await story.settleAndDie()
    const payee = await open('payee')
    expect(await payer.payer.lookup(paymentId)).toMatchObject({ state: 'pending' })
    expect(await story.said(paymentHash)).toEqual(settled(false))
    await open('hub')
    await usable()
    expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded' })
    await isTrue('the money is there', async () => {
      return (await payee.funds.balance()).lightningMsat === before + AMOUNT_MSAT
    })
    const said = () => story.said(paymentHash)
    await expect.poll(said).toEqual(settled(true))
    await payee.stop()
    await open('payee')
    expect(await said()).toEqual(settled(true))
    await usable()
  })

  test(
    'is claimed on the chain in time when the peer stays away, and final under seven blocks',
    async () => {
      const { payer, rpc, open } = story.world
      const { paymentId, paymentHash, claimDeadlineHeight } = await story.settleAndDie()
      await open('payee')
      const mine = (blocks = 1) => story.mineFor([payer, story.world.payee], blocks)
      await mine(claimDeadlineHeight - (await rpc.getBlockCount()) - 2)
      expect(await story.world.payee.listChannels()).toHaveLength(1)
      await isTrue('the payee closes its channel', async () => {
        await mine()
        return (await story.world.payee.listChannels()).length === 0
      })
      // The closing transaction, and then the claim; a payee that is away meanwhile finds both.
      await mine()
      await story.world.payee.stop()
      await open('payee')
      await mine(2)
      // The hub can have the preimage from the chain only: it has not met the payee since.
      await open('hub')
      expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded' })
      expect(await story.said(paymentHash)).toEqual(settled(false))
      const untilFinal = await eventually('it is final', async () => {
        const said = await story.said(paymentHash)
        if (said?.state === 'settled' && said.isFinal) return rpc.getBlockCount()
        await mine()
        return null
      })
      expect(untilFinal).toBeGreaterThan(claimDeadlineHeight + 6)
      await mine(3)
      expect(await story.said(paymentHash)).toEqual(settled(true))
    },
    MANY_BLOCKS_MS,
  )
})

describe('a hold that is settled, and not claimed on the chain before its HTLC has run out', () => {
  const story = tellOfSilence()

  test(
    'is lost when the peer takes it back, and says so',
    async () => {
      const { payer, rpc, open } = story.world
      const { paymentId, paymentHash, claimDeadlineHeight } = await story.settleAndDie()
      await story.mineFor([payer], claimDeadlineHeight - (await rpc.getBlockCount()) + 20)
      const hub = await open('hub')
      await isTrue('the payer has the money back', async () => {
        await story.mineFor([payer, hub])
        return (await payer.payer.lookup(paymentId))?.state === 'failed'
      })
      const payee = await open('payee')
      await isTrue('the chain has decided', async () => {
        await story.mineFor([payer, hub, payee])
        return (await story.said(paymentHash))?.state === 'lost'
      })
      expect(await story.said(paymentHash)).toEqual({ state: 'lost', amountMsat: AMOUNT_MSAT })
      expect(await eventOn(payee, paymentHash, 'hold-lost')).toMatchObject({ amountMsat: AMOUNT_MSAT })
      await expect(payee.holdInvoices.cancel(paymentHash)).rejects.toMatchObject({ code: 'conflict' })
    },
    MANY_BLOCKS_MS,
  )
})
