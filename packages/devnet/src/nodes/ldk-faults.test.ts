import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bolt11,
  freshSecret,
  isTrue,
  outcomeOf,
  payRequest,
} from '@holdfast/lightning/contract/contract-world'
import { reachHeld } from '@holdfast/lightning/contract/hold-invoices.contract'
import { startInProcess } from '@holdfast/lightning/ldk/testing/in-process'
import { Store } from '@holdfast/lightning/ldk/worker/store'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { type LdkWorld, makeLdkWorld } from './ldk-world.ts'

describe('a node whose file fails', () => {
  let world: LdkWorld
  beforeAll(async () => {
    world = await makeLdkWorld({ startLink: startInProcess, startChain: (folder) => startChain({ folder }) })
  })
  afterAll(() => world.stop())
  afterEach(() => {
    vi.restoreAllMocks()
  })

  /** As node:sqlite says it. */
  const diskError = () =>
    Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 10 })

  async function payTheHub() {
    const { payer, hub } = world
    const { invoice } = await hub.invoices.create({
      ...{ amountMsat: 2_000n, description: 'x', expirySeconds: 60 },
    })
    const request = payRequest(bolt11(invoice), 2_000n)
    await payer.payer.pay(request)
    return outcomeOf(payer, request.paymentId)
  }

  test('while it writes, ends alone with nothing of that turn kept, and is opened again with its holds', async () => {
    const { host, payer, payee, usable } = world
    const { paymentHash, preimage, paymentId } = await reachHeld(world)
    const waiting = payee.events.since((await payee.events.since(0)).at(-1)?.cursor ?? 0, { waitMs: 30_000 })
    const lost = expect(waiting).rejects.toMatchObject({ code: 'offline' })
    const doomed = freshSecret()
    const { run } = Store.prototype
    vi.spyOn(Store.prototype, 'run').mockImplementation(function (this: Store, sql, ...values) {
      if (values.includes(doomed.paymentHash)) throw diskError()
      return run.call(this, sql, ...values)
    })
    const create = () =>
      payee.holdInvoices.create({
        ...{ paymentHash: doomed.paymentHash, amountMsat: 1_000_000n, description: 'x' },
        ...{ expirySeconds: 600, minFinalCltvExpiryDelta: 144 },
      })
    await expect(create()).rejects.toMatchObject({ code: 'offline' })
    await lost
    expect(host.faults()).toMatchObject([
      { nodeId: payee.nodeId, reason: expect.stringContaining('disk I/O error') },
    ])
    expect(await payTheHub()).toMatchObject({ state: 'succeeded' })

    vi.restoreAllMocks()
    await isTrue('the node is back', async () => host.faults().length === 0)
    await usable()
    expect(host.restarts).toBe(0)
    expect(await payee.holdInvoices.lookup(doomed.paymentHash)).toBeNull()
    await create()
    await payee.holdInvoices.settle(paymentHash, preimage)
    expect(await outcomeOf(payer, paymentId)).toMatchObject({ state: 'succeeded' })
  })

  test('while a block is written, ends alone: the others follow the chain', async () => {
    const { host, rpc, payer, hub, payee, usable } = world
    const { commit } = Store.prototype
    let failures = 0
    vi.spyOn(Store.prototype, 'commit').mockImplementation(function (this: Store) {
      const { node_id } = this.get<{ node_id: string }>('SELECT node_id FROM identity') ?? {}
      if (node_id !== payee.nodeId || !this.dirty) return commit.call(this)
      failures++
      throw diskError()
    })
    await rpc.generateToAddress(1, await rpc.getNewAddress())
    await Promise.all([payer.sync(), hub.sync()])
    expect(failures).toBeGreaterThan(0)
    expect(host.faults()).toMatchObject([{ nodeId: payee.nodeId }])
    vi.restoreAllMocks()
    await isTrue('the node is back', async () => host.faults().length === 0)
    await usable()
    expect((await payee.sync()).height).toBe(await rpc.getBlockCount())
    expect(host.restarts).toBe(0)
  })

  test('when it is opened, is refused with the file’s name, or stands as down until it can be read', async () => {
    const { host, folder, payee, optionsOf, usable } = world
    const file = join(folder, 'payee', 'node.sqlite')
    await payee.stop()
    const whole = readFileSync(file)
    writeFileSync(file, Buffer.concat([Buffer.alloc(100, 'x'), whole.subarray(100)]))
    const open = (how?: { evenDown: boolean }) => host.openNode(optionsOf('payee'), how)
    await expect(open()).rejects.toMatchObject({
      code: 'invalid',
      message: `${file} cannot be read: file is not a database. Do not delete or replace it.`,
    })
    expect(host.faults()).toEqual([])
    const down = await open({ evenDown: true })
    expect(down.nodeId).toBe(payee.nodeId)
    await expect(down.funds.balance()).rejects.toMatchObject({ code: 'offline' })
    expect(await payTheHub()).toMatchObject({ state: 'succeeded' })
    writeFileSync(file, whole)
    await isTrue('the node is back', async () => host.faults().length === 0)
    await usable()
    expect((await down.funds.balance()).lightningMsat).toBeGreaterThan(0n)
    expect(host.restarts).toBe(0)
  })
})
