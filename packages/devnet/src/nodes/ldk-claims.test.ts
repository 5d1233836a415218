import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  bolt11,
  eventOn,
  freshSecret,
  isTrue,
  outcomeOf,
  payRequest,
} from '@holdfast/lightning/contract/contract-world'
import { heldState } from '@holdfast/lightning/contract/hold-invoices.contract'
import { startInProcess } from '@holdfast/lightning/ldk/testing/in-process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { type LdkWorld, makeLdkWorld } from './ldk-world.ts'

const AMOUNT_MSAT = 50_000_000n

describe('a hold that is settled while the peer does not answer', () => {
  let world: LdkWorld
  beforeAll(async () => {
    world = await makeLdkWorld({ startLink: startInProcess, startChain: (folder) => startChain({ folder }) })
  })
  afterAll(() => world.stop())

  /** Held at the payee, and settled while its only peer is away; the payee is then killed, and back without it. */
  async function settleAndDie() {
    const { payer, hub, payee, folder, open } = world
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
    // What a kill -9 at this moment would leave: no order to stop is heard any more.
    cpSync(join(folder, 'payee'), join(folder, 'killed'), { recursive: true })
    await payee.stop()
    rmSync(join(folder, 'payee'), { recursive: true })
    cpSync(join(folder, 'killed'), join(folder, 'payee'), { recursive: true })
    await open('payee')
    return { paymentId: request.paymentId, claimDeadlineHeight }
  }

  test('is claimed over the channel when the peer is back, though nobody says the preimage again', async () => {
    const { payer, open, usable } = world
    const before = (await world.payee.funds.balance()).lightningMsat
    const { paymentId } = await settleAndDie()
    expect(await payer.payer.lookup(paymentId)).toMatchObject({ state: 'pending' })
    await open('hub')
    await usable()
    expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded' })
    await isTrue('the money is there', async () => {
      return (await world.payee.funds.balance()).lightningMsat === before + AMOUNT_MSAT
    })
  })

  test('is claimed on the chain in time when the peer stays away', async () => {
    const { payer, rpc, open } = world
    const { paymentId, claimDeadlineHeight } = await settleAndDie()
    const mine = async (blocks = 1) => {
      await rpc.generateToAddress(blocks, await rpc.getNewAddress())
      await Promise.all([payer.sync(), world.payee.sync()])
    }
    await mine(claimDeadlineHeight - (await rpc.getBlockCount()) - 2)
    expect(await world.payee.listChannels()).toHaveLength(1)
    await isTrue('the payee closes its channel', async () => {
      await mine()
      return (await world.payee.listChannels()).length === 0
    })
    await mine(3)
    // The hub can have the preimage from the chain only: it has not met the payee since.
    await open('hub')
    expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded' })
  }, 90_000)
})
