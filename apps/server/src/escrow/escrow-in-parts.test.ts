import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { In } from '@holdfast/core/escrow/milestone-states'
import type { LdkWorld } from '@holdfast/devnet/nodes/ldk-world'
import type { LdkNode } from '@holdfast/lightning/ldk'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { BUYER, onDevnetChain, tellOnNodes, USUAL, WORKER } from './testing/nodes-story.ts'

/** More than the buyer's direct channel can send, less than both ways together. */
const PAYOUT_MSAT = 2_500_000_000n
const FUNDING_MSAT = PAYOUT_MSAT + 25_001_000n
const DETOUR_SAT = 4_000_000n
/** LDK waits for the missing parts of a payment through three of its ticks, one a minute. */
const PARTS_TIME_OUT_S = 240
/** How often a node looks at its clock. */
const TICK_MS = 1_000

/** What nodes do by the clock, without waiting for it: all that they do each second is done that many times. */
async function passSeconds(seconds: number): Promise<void> {
  const ticks = vi
    .mocked(setInterval)
    .mock.calls.filter(([, ms]) => ms === TICK_MS)
    .map(([tick]) => tick as () => void)
  for (let second = 0; second < seconds; second++) {
    for (const tick of ticks) tick()
    // Peers answer each other's pings meanwhile.
    await sleep(5)
  }
}

async function pay(from: LdkNode, invoice: string, amountMsat: bigint) {
  const paymentId = randomBytes(32).toString('hex')
  await from.payer.pay({
    ...{ paymentId, destination: { kind: 'bolt11', invoice }, amountMsat },
    ...{ maxFeeMsat: 50_000_000n, timeoutMs: 60_000 },
  })
  return async () => (await from.payer.lookup(paymentId))?.state
}

async function moveOver(from: LdkNode, to: LdkNode, amountMsat: bigint): Promise<void> {
  const { invoice } = await to.invoices.create({ amountMsat, description: 'x', expirySeconds: 600 })
  const state = await pay(from, invoice, amountMsat)
  await expect.poll(state, { timeout: 30_000 }).toBe('succeeded')
}

/** A second way from the buyer to the operator, over a node that has nothing to send to the operator. */
async function openDetour(world: LdkWorld): Promise<LdkNode> {
  const { rpc, host, folder, payer, hub } = world
  const detour = await host.openNode({
    ...{ folder: `${folder}/detour`, seed: new Uint8Array(32).fill(5), alias: 'detour' },
    listen: { host: '127.0.0.1', port: 0 },
  })
  const { nodeId, listening } = detour
  for (const node of [payer, hub]) {
    await rpc.sendToAddress(await node.newAddress(), DETOUR_SAT + 100_000n)
    await node.connect(nodeId, listening!.host, listening!.port)
  }
  await world.mine(1)
  for (const node of [payer, hub])
    await node.openChannel({ peer: nodeId, amountSat: DETOUR_SAT, announce: node === hub })
  await world.mine(6)
  await detour.sync()
  const usable = async () => (await detour.listChannels()).filter((channel) => channel.usable)
  await expect.poll(async () => (await usable()).length, { timeout: 30_000 }).toBe(2)
  const announced = (await usable()).find((channel) => channel.announced)?.shortChannelId
  await expect.poll(() => payer.knowsChannel(announced!), { timeout: 30_000 }).toBe(true)
  return detour
}

describe('a funding payment in parts, of which one does not arrive', () => {
  const database = withDatabase()
  beforeAll(() => {
    vi.spyOn(globalThis, 'setInterval')
  })
  afterAll(() => {
    vi.restoreAllMocks()
  })
  const story = tellOnNodes(database, onDevnetChain)

  test('is never held and given back after minutes, also by a node that was restarted; the milestone can then be funded', async () => {
    const { world } = story
    const detour = await openDetour(world)
    await moveOver(world.payer, world.hub, 3_000_000_000n)
    const before = (await world.payer.funds.balance()).lightningMsat

    const id = await story.order(1, { ...USUAL, payoutMsat: PAYOUT_MSAT })
    const invoice = await story.workersInvoice(PAYOUT_MSAT)
    await story.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice })
    await story.ask(id, { kind: 'fund', by: BUYER, milestone: 0 })
    const awaiting = async () => (await story.slice.find(id))?.milestones[0] as In<'awaiting-funds'>
    await expect.poll(async () => (await awaiting()).fundingInvoice).not.toBeNull()
    const { fundingInvoice, paymentHash } = await awaiting()

    const firstTry = await pay(world.payer, fundingInvoice!, FUNDING_MSAT)
    await expect.poll(() => world.logged.join('\n')).toContain('An HTLC was failed back.')
    const locked = async () => before - (await world.payer.funds.balance()).lightningMsat
    await expect.poll(async () => (await locked()) > 0n && (await locked()) < FUNDING_MSAT).toBe(true)
    expect(await firstTry()).toBe('pending')
    expect(await world.hub.holdInvoices.lookup(paymentHash)).toEqual({ state: 'open' })

    await world.hub.stop()
    await world.open('hub')
    const back = async () => (await world.hub.listChannels()).filter((channel) => channel.usable).length
    await expect.poll(back, { timeout: 30_000 }).toBe(3)
    expect(await firstTry()).toBe('pending')
    await passSeconds(PARTS_TIME_OUT_S)
    await expect.poll(firstTry).toBe('failed')
    await expect.poll(locked).toBe(0n)
    expect(await world.hub.holdInvoices.lookup(paymentHash)).toEqual({ state: 'open' })
    const heard = (await world.hub.events.since(0)).filter(
      (event) => 'paymentHash' in event && event.paymentHash === paymentHash,
    )
    expect(heard).toEqual([])
    expect(await story.phaseOf(id)).toBe('awaiting-funds')

    await moveOver(world.hub, detour, 2_000_000_000n)
    const secondTry = await pay(world.payer, fundingInvoice!, FUNDING_MSAT)
    expect(await story.reach(id, 'held')).toMatchObject({ heldMsat: FUNDING_MSAT })
    await story.ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
    await story.reach(id, 'released')
    await expect.poll(secondTry).toBe('succeeded')
    expect(await story.replayed(id)).toEqual(await story.slice.find(id))
  }, 120_000)
})
