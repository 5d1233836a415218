import {
  bolt11,
  bolt12,
  eventOn,
  freshId,
  freshSecret,
  isTrue,
  outcomeOf,
  payRequest,
} from '@holdfast/lightning/contract/contract-world'
import { heldState, reachHeld } from '@holdfast/lightning/contract/hold-invoices.contract'
import { describe, expect, test } from 'vitest'
import type { LdkWorld } from './ldk-world.ts'

/** Each block is a commit of each node; a busy machine takes its time. */
const MANY_BLOCKS_MS = 90_000

/** What the `ldk` backend promises beyond the ports: restarts, escrow on one hash, reorgs, closes. */
export function describeLdkLife(world: () => LdkWorld): void {
  describe('a node of the ldk backend', () => {
    test('keeps proofs on the device that asked for them, and nowhere else', async () => {
      const { payer, payee } = world()
      const { invoice, paymentHash } = await payee.invoices.create({
        amountMsat: 3_000n,
        description: 'x',
        expirySeconds: 60,
      })
      const request = payRequest(bolt11(invoice), 3_000n)
      await payer.payer.pay(request)
      await outcomeOf(payer, request.paymentId)
      expect(await payer.preimage(request.paymentId)).toMatchObject({ paymentHash })
      expect(await payee.preimage(request.paymentId)).toBeNull()
    })

    test('claims what it holds as soon as its own payment on that hash reveals the preimage', async () => {
      const { payer, hub, payee } = world()
      // The payee makes the invoice; the hub asks the payer for more on the same hash, and keeps the difference.
      const { invoice, paymentHash } = await payee.invoices.create({
        amountMsat: 900_000n,
        description: 'work',
        expirySeconds: 600,
      })
      const hold = await hub.holdInvoices.create({
        ...{ paymentHash, amountMsat: 1_000_000n, description: 'order', expirySeconds: 600 },
        minFinalCltvExpiryDelta: 288,
      })
      const buying = payRequest(bolt11(hold.invoice), 1_000_000n)
      await payer.payer.pay(buying)
      await heldState({ payee: hub }, paymentHash)
      const paying = payRequest(bolt11(invoice), 900_000n)
      await hub.payer.pay(paying)
      expect(await outcomeOf(hub, paying.paymentId)).toMatchObject({ state: 'succeeded', paymentHash })
      expect(await outcomeOf(payer, buying.paymentId)).toMatchObject({ state: 'succeeded', paymentHash })
      expect(await eventOn(hub, paymentHash, 'hold-settled')).toMatchObject({ amountMsat: 1_000_000n })
      expect(await hub.preimage(paying.paymentId)).toBeNull()
    })

    test('HTLCs to one peer expire at different blocks, so that LDK claims each by itself once the channel is closed', async () => {
      const { hub, payee } = world()
      const deadlines = []
      const hashes = Array.from({ length: 8 }, () => freshSecret().paymentHash)
      for (const paymentHash of hashes) {
        const { invoice } = await payee.holdInvoices.create({
          ...{ paymentHash, amountMsat: 1_000_000n, description: 'x', expirySeconds: 600 },
          minFinalCltvExpiryDelta: 144,
        })
        await hub.payer.pay(payRequest(bolt11(invoice), 1_000_000n))
        deadlines.push((await heldState({ payee }, paymentHash)).claimDeadlineHeight)
      }
      expect(new Set(deadlines).size).toBe(hashes.length)
      for (const paymentHash of hashes) await payee.holdInvoices.cancel(paymentHash)
    })

    test('holds nothing that is dust: it could not be claimed on the chain', async () => {
      const { payer, payee } = world()
      const payHold = async (amountMsat: bigint) => {
        const { paymentHash } = freshSecret()
        const { invoice } = await payee.holdInvoices.create({
          ...{ paymentHash, amountMsat, description: 'x', expirySeconds: 600 },
          minFinalCltvExpiryDelta: 144,
        })
        const request = payRequest(bolt11(invoice), amountMsat)
        await payer.payer.pay(request)
        return { paymentHash, request }
      }
      // At the floor fee rate: 546 sat of dust limit and 178 for the transaction that claims.
      const dust = await payHold(723_000n)
      expect(await outcomeOf(payer, dust.request.paymentId)).toMatchObject({
        state: 'failed',
        reason: 'rejected',
      })
      expect(await payee.holdInvoices.lookup(dust.paymentHash)).toEqual({ state: 'open' })
      const enough = await payHold(724_000n)
      await heldState({ payee }, enough.paymentHash)
      await payee.holdInvoices.cancel(enough.paymentHash)
    })

    test('holds more dust at once than the default exposure of LDK allows', async () => {
      const { payer, payee } = world()
      // LDK's default stops at 2,530,000 msat, and counts HTLCs of less than 2,300 sat as dust.
      const holds = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const secret = freshSecret()
          const { invoice } = await payee.holdInvoices.create({
            ...{
              paymentHash: secret.paymentHash,
              amountMsat: 800_000n,
              description: 'x',
              expirySeconds: 600,
            },
            minFinalCltvExpiryDelta: 144,
          })
          const request = payRequest(bolt11(invoice), 800_000n)
          await payer.payer.pay(request)
          return { ...secret, paymentId: request.paymentId }
        }),
      )
      for (const { paymentHash } of holds) await heldState({ payee }, paymentHash)
      for (const { paymentHash, preimage } of holds) await payee.holdInvoices.settle(paymentHash, preimage)
      for (const { paymentId } of holds)
        expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded' })
    })

    test('keeps channels, offers, payments, events and a held HTLC across a restart', async () => {
      const { payer, open, usable } = world()
      const { paymentHash, preimage, paymentId } = await reachHeld(world())
      const before = {
        balance: await world().payee.funds.balance(),
        offers: await world().payee.offers.list(),
        events: await world().payee.events.since(0),
      }
      await world().payee.stop()
      const payee = await open('payee')
      expect(await payee.holdInvoices.lookup(paymentHash)).toMatchObject({ state: 'held' })
      expect(await payee.funds.balance()).toEqual(before.balance)
      expect(await payee.offers.list()).toEqual(before.offers)
      expect(await payee.events.since(0)).toEqual(before.events)
      await usable()
      await payee.holdInvoices.settle(paymentHash, preimage)
      expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded' })
    })

    test('pays what it was asked for before its peers were back, also when it is stopped meanwhile', async () => {
      const { hub, open, usable } = world()
      const wanted = { amountMsat: 6_000n, description: 'x', expirySeconds: 600 }
      const { invoice } = await hub.invoices.create(wanted)
      const { offer } = await hub.offers.create({ offerId: freshId() })
      await world().payer.stop()
      await hub.stop()
      const early = await open('payer')
      const requests = [bolt11(invoice), bolt12(offer)].map((destination) =>
        payRequest(destination, 6_000n, { timeoutMs: 60_000 }),
      )
      for (const request of requests)
        expect(await early.payer.pay(request)).toMatchObject({ state: 'pending' })
      await early.stop()
      const payer = await open('payer')
      const twin = payer.payer.pay(payRequest(bolt11(invoice), 6_000n))
      await expect(twin).rejects.toMatchObject({ code: 'conflict' })
      for (const { paymentId } of requests)
        expect(await payer.payer.lookup(paymentId)).toMatchObject({ state: 'pending' })
      await open('hub')
      await usable()
      const outcomes = await Promise.all(requests.map(({ paymentId }) => outcomeOf(payer, paymentId)))
      expect(outcomes).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }])
    })

    test('finds the blocks that came while it was down', async () => {
      const { hub, payee, rpc, open, usable } = world()
      const { paymentHash, preimage, paymentId } = await reachHeld(world())
      await world().payer.stop()
      await rpc.generateToAddress(3, await rpc.getNewAddress())
      await Promise.all([hub.sync(), payee.sync()])
      const payer = await open('payer')
      expect((await payer.sync()).height).toBe(await rpc.getBlockCount())
      await usable()
      await payee.holdInvoices.settle(paymentHash, preimage)
      expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded' })
    })

    test('refuses a second opener, another seed and a short seed', async () => {
      const { host, optionsOf, open, usable } = world()
      await expect(host.openNode(optionsOf('hub'))).rejects.toMatchObject({ code: 'conflict' })
      const short = { ...optionsOf('hub'), seed: new Uint8Array(31) }
      await expect(host.openNode(short)).rejects.toMatchObject({ code: 'invalid' })
      await world().payee.stop()
      const other = { ...optionsOf('payee'), seed: new Uint8Array(32).fill(9) }
      await expect(host.openNode(other)).rejects.toMatchObject({ code: 'invalid' })
      await expect(world().payee.funds.balance()).rejects.toMatchObject({ code: 'offline' })
      await open('payee')
      await usable()
    })

    test('follows a reorganisation of one block and goes on paying', async () => {
      const { payer, payee, rpc, mine } = world()
      const tip = await rpc.getBestBlockHash()
      await rpc.call('invalidateblock', [tip])
      await mine(2)
      expect((await payer.sync()).height).toBe(await rpc.getBlockCount())
      const { invoice } = await payee.invoices.create({
        amountMsat: 5_000n,
        description: 'x',
        expirySeconds: 60,
      })
      const request = payRequest(bolt11(invoice), 5_000n)
      await payer.payer.pay(request)
      expect(await outcomeOf(payer, request.paymentId)).toMatchObject({ state: 'succeeded' })
    })

    test(
      'claims a held HTLC on-chain when its channel is force-closed, and sweeps once the delay is over',
      async () => {
        const { payer, hub, payee, mine, rpc } = world()
        const [channel] = await payee.listChannels()
        if (!channel) throw new Error('The payee has a channel.')
        const { paymentHash, preimage, paymentId, held } = await reachHeld(world())
        await payee.closeChannel(channel.channelId, { force: true })
        await mine(1)
        await isTrue('the hub heard of the close', async () => (await hub.listChannels()).length === 1)
        expect((await payee.funds.balance()).claimableSat).toBeGreaterThan(
          channel.balanceMsat / 1000n - 10_000n,
        )
        await payee.holdInvoices.settle(paymentHash, preimage)
        await isTrue('the preimage reached the payer over the chain', async () => {
          await mine(1)
          return (await payer.payer.lookup(paymentId))?.state === 'succeeded'
        })
        const stateNow = async () => (await payee.holdInvoices.lookup(paymentHash))?.state
        // The block with the claim is undone: the money is the payee's once nothing can undo it.
        await mine(3)
        await rpc.call('invalidateblock', [await rpc.call('getblockhash', [(await rpc.getBlockCount()) - 3])])
        await mine(5)
        expect(await stateNow()).toBe('settling')
        await mine(5)
        expect(await eventOn(payee, paymentHash, 'hold-settled')).toMatchObject({
          amountMsat: held.amountMsat,
        })
        expect(await stateNow()).toBe('settled')
        // BOLT 2 `to_self_delay`: LDK asks for 144 blocks; it counts each output from its own confirmation.
        await mine(150)
        await isTrue('the money is in the wallet', async () => {
          await mine(1)
          const { onchainSat, claimableSat, lightningMsat } = await payee.funds.balance()
          const expected = (channel.balanceMsat + held.amountMsat) / 1000n
          return (
            lightningMsat === 0n &&
            claimableSat === 0n &&
            onchainSat > expected - 5_000n &&
            onchainSat < expected
          )
        })
        const closed = (await payee.events.since(0)).filter((event) => event.kind === 'channel-closed')
        expect(closed).toMatchObject([{ channelId: channel.channelId, peer: hub.nodeId }])
      },
      MANY_BLOCKS_MS,
    )

    test('gets its side of a cooperatively closed channel back on-chain', async () => {
      const { payer, hub, mine } = world()
      const [channel] = await payer.listChannels()
      if (!channel) throw new Error('The payer has a channel.')
      const { onchainSat } = await payer.funds.balance()
      await payer.closeChannel(channel.channelId)
      await isTrue('both call the channel closed', async () => {
        await mine(1)
        return (await hub.listChannels()).length === 0 && (await payer.listChannels()).length === 0
      })
      await isTrue('the money is in the wallet', async () => {
        await mine(1)
        const gained = (await payer.funds.balance()).onchainSat - onchainSat
        return gained > channel.balanceMsat / 1000n - 2_000n && gained <= channel.balanceMsat / 1000n
      })
    })

    test('says what it cannot do with channels', async () => {
      const { payee, hub, host, folder } = world()
      await expect(payee.closeChannel('00'.repeat(32))).rejects.toMatchObject({ code: 'invalid' })
      const tooMuch = payee.openChannel({ peer: hub.nodeId, amountSat: 1_000_000_000n })
      await expect(tooMuch).rejects.toMatchObject({ code: 'invalid' })
      const nowhere = payee.connect(`02${'11'.repeat(32)}`, '127.0.0.1', 9)
      await expect(nowhere).rejects.toMatchObject({ code: 'offline' })
      const lonely = await host.openNode({
        folder: `${folder}/lonely`,
        seed: new Uint8Array(32).fill(7),
        alias: 'l',
      })
      await expect(lonely.connect('nonsense', '127.0.0.1', 9)).rejects.toMatchObject({ code: 'invalid' })
      await expect(lonely.connect(hub.nodeId, '127.0.0.1', 0)).rejects.toMatchObject({ code: 'invalid' })
      await expect(lonely.offers.create({ offerId: 'o' })).rejects.toMatchObject({ code: 'unsupported' })
      expect((await host.memory()).residentBytes).toBeGreaterThan(0)
    })
  })
}
