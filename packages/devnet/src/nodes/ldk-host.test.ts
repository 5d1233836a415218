import {
  bolt11,
  eventually,
  isTrue,
  outcomeOf,
  payRequest,
} from '@holdfast/lightning/contract/contract-world'
import { reachHeld } from '@holdfast/lightning/contract/hold-invoices.contract'
import { startLdkHost } from '@holdfast/lightning/ldk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { type LdkWorld, makeLdkWorld } from './ldk-world.ts'

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

describe('the host in a thread of its own', () => {
  let world: LdkWorld
  beforeAll(async () => {
    world = await makeLdkWorld({ startChain: (folder) => startChain({ folder }) })
  })
  afterAll(() => world.stop())

  test('is started again after a WASM panic, says so, and keeps a held HTLC', async () => {
    const { host, payer, payee } = world
    const { paymentHash, preimage, paymentId } = await reachHeld(world)
    const { lightningMsat } = await payee.funds.balance()
    const waiting = payee.events.since((await payee.events.since(0)).at(-1)?.cursor ?? 0, { waitMs: 30_000 })
    const lost = expect(waiting).rejects.toMatchObject({ code: 'offline' })
    host.crash()
    await lost
    await expect(payee.funds.balance()).rejects.toMatchObject({ code: 'offline' })
    await isTrue('the host is back', async () => (await payee.funds.balance().catch(() => null)) !== null)
    expect(host.restarts).toBe(1)
    expect(world.logged.some((line) => line.includes('started again'))).toBe(true)

    expect(await payee.funds.balance()).toMatchObject({ lightningMsat })
    expect(await payee.holdInvoices.lookup(paymentHash)).toMatchObject({ state: 'held' })
    await eventually('the nodes are open', async () => payer.payer.lookup(paymentId).catch(() => null))
    await isTrue('all nodes are open', async () => (await world.hub.listPeers().catch(() => [])).length === 2)
    await world.usable()
    await payee.holdInvoices.settle(paymentHash, preimage)
    expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded' })
  })

  test('forwards twenty payments at once', async () => {
    const { payer, payee } = world
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { invoice } = await payee.invoices.create({
          amountMsat: 1_000n,
          description: 'x',
          expirySeconds: 600,
        })
        const request = payRequest(bolt11(invoice), 1_000n)
        await payer.payer.pay(request)
        return outcomeOf(payer, request.paymentId)
      }),
    )
    expect(outcomes.map((outcome) => outcome.state)).toEqual(Array(20).fill('succeeded'))
  })

  test('a chain that goes away is reported once, and nodes go on without it', async () => {
    const { host, folder } = world
    const chain = await startChain({ folder: `${folder}/other-chain` })
    const logged: string[] = []
    const log = { ...silent, error: (message: string) => logged.push(message) }
    const other = await startLdkHost({ network: 'regtest', bitcoind: { url: chain.url }, log, pollMs: 20 })
    const node = await other.openNode({
      folder: `${folder}/other`,
      seed: new Uint8Array(32).fill(3),
      alias: 'o',
    })
    await chain.stop()
    await isTrue('the loss of the chain is reported', async () =>
      logged.includes('The chain cannot be followed.'),
    )
    expect((await node.funds.balance()).onchainSat).toBe(0n)
    await expect(node.sync()).rejects.toMatchObject({ code: 'offline' })
    expect(logged.filter((message) => message === 'The chain cannot be followed.')).toHaveLength(1)
    await other.stop()
    await expect(node.funds.balance()).rejects.toMatchObject({ code: 'offline' })
    expect(host.restarts).toBe(1)
  })
})
