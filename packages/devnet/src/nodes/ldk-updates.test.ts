import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isTrue } from '@holdfast/lightning/contract/contract-world'
import { reachHeld } from '@holdfast/lightning/contract/hold-invoices.contract'
import { startInProcess } from '@holdfast/lightning/ldk/testing/in-process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { type LdkWorld, makeLdkWorld } from './ldk-world.ts'

let world: LdkWorld
beforeAll(async () => {
  world = await makeLdkWorld({ startLink: startInProcess, startChain: (folder) => startChain({ folder }) })
})
afterAll(() => world.stop())

/** How many changes of monitors a stopped node has on disk that are not in them yet. */
function updatesOnDisk(): number {
  const database = new DatabaseSync(join(world.folder, 'payee', 'node.sqlite'), { readOnly: true })
  try {
    return Number(database.prepare('SELECT count(*) AS count FROM monitor_updates').get()?.count)
  } finally {
    database.close()
  }
}

test('a node is what its monitors and their updates say: a hold, then a close, each behind a restart', async () => {
  const { paymentHash, preimage, paymentId } = await reachHeld(world)
  await world.payee.stop()
  expect(updatesOnDisk()).toBeGreaterThan(0)
  await world.open('payee')
  await world.usable()
  expect(await world.payee.holdInvoices.lookup(paymentHash)).toMatchObject({ state: 'held' })
  // Two more holds, so that there are updates again on top of what was written whole.
  const others = [await reachHeld(world), await reachHeld(world)]

  const [channel] = await world.payee.listChannels()
  await world.payee.closeChannel(channel?.channelId ?? '', { force: true })
  await world.payee.stop()
  expect(updatesOnDisk()).toBeGreaterThan(0)
  await world.open('payee')
  await world.mine(1)
  await isTrue('the hub heard of the close', async () => (await world.hub.listChannels()).length === 1)
  for (const hold of [{ paymentHash, preimage }, ...others])
    await world.payee.holdInvoices.settle(hold.paymentHash, hold.preimage)
  await isTrue('the preimages reached the payer over the chain', async () => {
    await world.mine(1)
    const ids = [paymentId, ...others.map((one) => one.paymentId)]
    const states = await Promise.all(ids.map(async (id) => (await world.payer.payer.lookup(id))?.state))
    return states.every((state) => state === 'succeeded')
  })
})
