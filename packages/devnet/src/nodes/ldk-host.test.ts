import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
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

function overwriteStart(file: string, bytes: Buffer): void {
  const opened = openSync(file, 'r+')
  writeSync(opened, bytes, 0, bytes.length, 0)
  closeSync(opened)
}

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

  test('started again, opens all nodes but the one whose file cannot be read, and that one once it can', async () => {
    const { host, payer, hub, payee, folder } = world
    const file = join(folder, 'payee', 'node.sqlite')
    const restarts = host.restarts
    host.crash()
    await isTrue('the thread has ended and let go of the file', async () => !existsSync(`${file}-wal`))
    const start = readFileSync(file).subarray(0, 16)
    overwriteStart(file, Buffer.alloc(16, 'x'))

    await isTrue('the payee is reported', async () => host.faults().length === 1)
    await isTrue('the others are open', async () =>
      (await Promise.all([payer.listPeers(), hub.listPeers()]).catch(() => [[], []])).every(
        (peers) => peers.length === 1,
      ),
    )
    expect(host.faults()).toMatchObject([
      { nodeId: payee.nodeId, reason: expect.stringContaining(`${file} cannot be read`) },
    ])
    await expect(payee.holdInvoices.lookup('00'.repeat(32))).rejects.toMatchObject({
      code: 'offline',
      message: expect.stringContaining('cannot be read'),
    })
    expect(
      world.logged.some((line) => line.includes('A Lightning node is down') && line.includes(file)),
    ).toBe(true)
    const { invoice } = await hub.invoices.create({
      ...{ amountMsat: 2_000n, description: 'x', expirySeconds: 60 },
    })
    const request = payRequest(bolt11(invoice), 2_000n)
    await payer.payer.pay(request)
    expect(await outcomeOf(payer, request.paymentId)).toMatchObject({ state: 'succeeded' })
    expect(host.restarts).toBe(restarts + 1)

    overwriteStart(file, start)
    await isTrue('the payee is back', async () => host.faults().length === 0)
    await world.usable()
    expect(host.restarts).toBe(restarts + 1)
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
    const { restarts } = host
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
    expect(host.restarts).toBe(restarts)
  })
})
