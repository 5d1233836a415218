import type { NodeEvent } from '@holdfast/lightning'
import {
  allEvents,
  eventually,
  type FullNode,
  isTrue,
  outcomeOf,
} from '@holdfast/lightning/contract/contract-world'
import type { reachHeld } from '@holdfast/lightning/contract/hold-invoices.contract'
import { expect } from 'vitest'
import { type LdkWorld, NODE_NAMES } from '../ldk-world.ts'

type Asked = { paymentId: string; paymentHash: string; accepted: boolean }
type Hold = { paymentId: string; paymentHash: string; preimage: string; settled: boolean }

/** What the nodes of lives that ended badly had been asked for, and what they had answered. */
export type Promised = { readonly asked: Map<string, Asked>; readonly holds: Map<string, Hold> }

/** Starts the world's host again and finds that each promise was kept, and no msat lost. `held`: before all lives. */
export async function checkPromises(
  world: LdkWorld,
  promised: Promised,
  held: Awaited<ReturnType<typeof reachHeld>>,
): Promise<void> {
  await world.startHost()
  await world.usable()
  const { payer, payee } = world
  expect(await payee.holdInvoices.lookup(held.paymentHash)).toMatchObject({ state: 'held' })
  for (const asked of promised.asked.values()) await checkPayment(world, asked)
  for (const hold of promised.holds.values()) await checkHold(world, hold)
  for (const [node, kind] of [
    [payee, 'payment-received'],
    [payee, 'hold-settled'],
    [payer, 'payment-succeeded'],
  ] as const)
    expect(await reportedTwice(node, kind)).toEqual([])
  await payee.holdInvoices.settle(held.paymentHash, held.preimage)
  expect(await outcomeOf(payer, held.paymentId)).toMatchObject({ state: 'succeeded' })
  await isTrue('every msat is there', async () => {
    const balances = await Promise.all(NODE_NAMES.map((name) => world[name].funds.balance()))
    return balances.reduce((sum, { lightningMsat }) => sum + lightningMsat, 0n) === 20_000_000_000n
  })
  expect(world.logged.filter((line) => line.includes('outcome of a payment is not known'))).toEqual([])
}

async function reportedTwice(node: FullNode, kind: NodeEvent['kind']): Promise<string[]> {
  const hashes = (await allEvents(node)).flatMap((event) =>
    event.kind === kind && 'paymentHash' in event && event.paymentHash ? [event.paymentHash] : [],
  )
  return hashes.filter((hash, i) => hashes.indexOf(hash) !== i)
}

async function checkPayment({ payer, payee }: LdkWorld, { paymentId, paymentHash, accepted }: Asked) {
  const known = await payer.payer.lookup(paymentId)
  if (accepted) expect(known).not.toBeNull()
  const outcome = known && (await outcomeOf(payer, paymentId))
  const received = await payee.invoices.lookup(paymentHash)
  expect([outcome?.state, received?.state]).toEqual(
    outcome?.state === 'succeeded' ? ['succeeded', 'paid'] : [outcome ? 'failed' : undefined, 'open'],
  )
}

/** A hold that survived is settled now; one whose settling was promised is settled. */
async function checkHold({ payer, payee }: LdkWorld, { paymentId, paymentHash, preimage, settled }: Hold) {
  const known = await payer.payer.lookup(paymentId)
  const before = await payee.holdInvoices.lookup(paymentHash)
  if (settled) expect(before?.state).toMatch(/^settl(ing|ed)$/)
  const done = await eventually('the hold is decided', async () => {
    const hold = await payee.holdInvoices.lookup(paymentHash)
    if (hold?.state === 'held') await payee.holdInvoices.settle(paymentHash, preimage)
    const outcome = await payer.payer.lookup(paymentId)
    return outcome?.state === 'pending' || hold?.state === 'held' || hold?.state === 'settling'
      ? null
      : [outcome?.state, hold?.state]
  })
  expect(done).toEqual(
    done[0] === 'succeeded' ? ['succeeded', 'settled'] : [known ? 'failed' : undefined, 'open'],
  )
}
